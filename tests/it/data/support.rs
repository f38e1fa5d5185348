//! A migrated database with conversations, a store of our own on a bucket, and files to deliver.

use std::path::PathBuf;
use std::sync::Arc;

use pipeline::{Media, ProviderError, SourceStore, UploadTarget};
use providers::postgres::{Database, PostgresSources, Queries, migrate};
use providers::store::{Credentials, Store, StoreOptions, open};
use sqlx::PgConnection;
use stillcast_enqueue::{Container, Format, JobId};
use tempfile::TempDir;
use tests::bucket::{ACCESS_KEY, BUCKET, Bucket, SECRET_KEY};
use tests::postgres::Postgres;
use tests::program::{Program, binary};
use tests::server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

/// Jobs at once of the process that the tests play.
pub(crate) const TASKS: usize = 4;

/// A server, its migrated database and the worker's view of it.
pub(crate) struct Content {
    pub(crate) server: Postgres,
    pub(crate) database: Database,
}

impl Content {
    pub(crate) async fn new() -> Self {
        let server = Postgres::start().await.unwrap();
        let url = server.database("content").await.unwrap();
        migrate(&url).await.unwrap();
        let database = Database::open(&url, "worker-under-test", TASKS).unwrap();
        Self { server, database }
    }

    pub(crate) async fn connection(&self) -> PgConnection {
        self.server.connection("content").await.unwrap()
    }

    pub(crate) fn sources(&self) -> PostgresSources {
        PostgresSources::new(self.database.clone(), Queries::default())
    }

    /// What a meditation about the conversation would be made of, and how much was cut.
    pub(crate) async fn text(&self, tenant: &str, id: Uuid) -> Result<(String, usize), String> {
        let code = |error: ProviderError| error.code.to_owned();
        let conversation = self.sources().load(tenant, id).await.map_err(code)?;
        let text = conversation.text().ok_or("empty")?;
        Ok((text.text, text.cut))
    }

    /// A conversation of `tenant` with these messages, the first said first.
    pub(crate) async fn converse(&self, tenant: &str, said: &[(&str, &str)]) -> Uuid {
        let id = Uuid::now_v7();
        let mut connection = self.connection().await;
        sqlx::query("insert into conversations (id, tenant, title) values ($1, $2, 'An evening')")
            .bind(id)
            .bind(tenant)
            .execute(&mut connection)
            .await
            .unwrap();
        for (seq, (role, words)) in (1..).zip(said) {
            sqlx::query("insert into messages values ($1, $2, $3, $4, $5)")
                .bind(Uuid::now_v7())
                .bind(id)
                .bind(seq)
                .bind(*role)
                .bind(*words)
                .execute(&mut connection)
                .await
                .unwrap();
        }
        id
    }
}

/// Our store on a bucket of `bucket`.
pub(crate) async fn store(bucket: &Bucket) -> Arc<dyn Store> {
    open(&options(bucket)).await.unwrap()
}

pub(crate) fn options(bucket: &Bucket) -> StoreOptions {
    StoreOptions {
        url: format!("s3://{BUCKET}/a/prefix"),
        writer: "test".to_owned(),
        endpoint: Some(bucket.endpoint().to_owned()),
        region: None,
        credentials: Some(Credentials {
            access_key_id: ACCESS_KEY.to_owned(),
            secret_access_key: SECRET_KEY.to_owned(),
            session_token: None,
        }),
        public_base_url: None,
    }
}

/// A worker between these three, offline in all else.
pub(crate) fn worker(server: &Server, content: &Content, bucket: &Bucket) -> Program {
    Program::at(binary("stillcast-worker"))
        .providers("offline")
        .env("REDIS_URL", server.url())
        .env("DATABASE_URL", content.server.url("content"))
        .env("STORAGE_URL", "s3://deliveries/a/prefix")
        .env("S3_ENDPOINT", bucket.endpoint())
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("STILLCAST_HOME", server.folder().join("home"))
        .env("WORKER_ADDR", "off")
}

/// Files to deliver.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A file of so many bytes, of which no two parts are alike.
    pub(crate) fn of(&self, bytes: usize) -> Media {
        let path: PathBuf = self.0.path().join(format!("{bytes}.mp4"));
        let content: Vec<u8> = (0..bytes).map(|at| (at >> 12 ^ at).to_le_bytes()[0]).collect();
        std::fs::write(&path, content).unwrap();
        Media { path, container: Container::Mp4, duration_s: 1.5, extras: Vec::new() }
    }
}

pub(crate) fn target(job: &str) -> UploadTarget {
    UploadTarget {
        tenant: "acme".to_owned(),
        job: JobId::parse(job).unwrap(),
        format: Format::Video,
        stages: vec![],
    }
}

/// What a browser would get: the answer's head, and its body.
pub(crate) async fn fetch(url: &str) -> (String, Vec<u8>) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut socket = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_ascii_lowercase();
    (head, answer[end + 4..].to_vec())
}
