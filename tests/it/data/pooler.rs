//! A pooler between worker and Postgres that knows few start-up parameters, as `PgBouncer` does.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pipeline::{FailureClass, SourceStore};
use providers::postgres::{Database, PostgresSources, Queries};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinSet;

use crate::support::Content;

/// What `PgBouncer` refuses unless told to ignore it.
const REFUSED: [&str; 3] =
    ["statement_timeout", "idle_in_transaction_session_timeout", "extra_float_digits"];

struct Pooler {
    port: u16,
    refused: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Pooler {
    async fn before(server: PathBuf) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let refused = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&refused);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(serve(client, server.clone(), Arc::clone(&counted)));
            }
        });
        Self { port, refused, _serving: serving }
    }
}

async fn serve(mut client: TcpStream, server: PathBuf, refused: Arc<AtomicUsize>) {
    let length = client.read_u32().await.unwrap();
    let mut packet = vec![0; usize::try_from(length).unwrap() - 4];
    client.read_exact(&mut packet).await.unwrap();
    let said = String::from_utf8_lossy(&packet).into_owned();
    if let Some(parameter) = REFUSED.iter().find(|parameter| said.contains(**parameter)) {
        refused.fetch_add(1, Ordering::Relaxed);
        let fields = format!(
            "SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter in options: {parameter}\0\0"
        );
        client.write_u8(b'E').await.unwrap();
        client.write_u32(u32::try_from(fields.len() + 4).unwrap()).await.unwrap();
        client.write_all(fields.as_bytes()).await.unwrap();
        return;
    }
    let mut upstream = UnixStream::connect(server).await.unwrap();
    upstream.write_u32(length).await.unwrap();
    upstream.write_all(&packet).await.unwrap();
    // Either side may go first.
    let _ = copy_bidirectional(&mut client, &mut upstream).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_each_transaction_limits_its_queries() {
    let content = Content::new().await;
    let id = content.converse("acme", &[("user", "Still here.")]).await;
    let url = content.server.url("content");
    let folder = url.split("host=").nth(1).unwrap();
    let pooler = Pooler::before(PathBuf::from(folder).join(".s.PGSQL.5432")).await;
    let url = format!("postgres://postgres@127.0.0.1:{}/content?sslmode=disable", pooler.port);
    let database = Database::open(&url, "worker-behind-a-pooler", 1).unwrap();
    let load = async |queries: Queries| {
        let sources = PostgresSources::new(database.clone(), queries);
        sources.load("acme", id).await.map(|found| found.text().unwrap().text)
    };
    let text = load(Queries::default()).await.unwrap();
    assert!(text.contains("Still here."), "{text}");
    let refused = pooler.refused.load(Ordering::Relaxed);
    assert!(refused >= 1, "the pooler was asked");
    load(Queries::default()).await.unwrap();
    assert_eq!(pooler.refused.load(Ordering::Relaxed), refused, "it is remembered");
    // The limit holds in each transaction: the server tells it to the query itself.
    let limit = "select 'limit', current_setting('statement_timeout') || $1 || $2::text, 1";
    let told = load(Queries::of(limit, None).unwrap()).await.unwrap();
    assert!(told.contains("20s"), "{told}");
    assert!(database.probe().await.unwrap().contains("pooler"));
    let nobody = Database::open("postgres://nobody@127.0.0.1:1/x", "test", 1).unwrap();
    let error = nobody.probe().await.unwrap_err();
    assert!(matches!(error.failure, FailureClass::Transient { .. }), "{error}");
}
