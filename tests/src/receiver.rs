//! Webhooks come in and are answered as a test wants it, badly too; what came is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Longest request that is read.
const MAX_REQUEST: usize = 64 * 1024;
/// How long a slow answer takes.
const SLOW: Duration = Duration::from_millis(30);
/// How long one takes before which others come by.
const LATE: Duration = Duration::from_secs(4);

/// What a receiver does with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Manner {
    /// Takes it, and says so.
    Take,
    /// The same after a while.
    TakeSlowly,
    /// The same after seconds.
    TakeLate,
    /// Takes it, and hangs up before it has said so.
    TakeAndReset,
    /// Answers with this status.
    Refuse(u16),
    /// Asks to be left alone for a minute.
    Throttle,
    /// Sends it elsewhere.
    Redirect,
    /// Hangs up.
    Reset,
    /// Never answers.
    Hang,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its headers by their names in lower case.
    pub headers: HashMap<String, String>,
    /// Its body.
    pub body: String,
    /// What was done with it.
    pub manner: Manner,
}

impl Received {
    /// The `webhook-id`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.headers.get("webhook-id").map_or("", String::as_str)
    }

    /// Whether the receiver has it now.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        matches!(
            self.manner,
            Manner::Take | Manner::TakeSlowly | Manner::TakeLate | Manner::TakeAndReset
        )
    }
}

type Journal = Arc<Mutex<Vec<Received>>>;

/// A receiver at every address of this host.
pub struct Receiver {
    /// Where it listens.
    pub port: u16,
    received: Journal,
    _task: JoinSet<()>,
}

impl Receiver {
    /// Starts one; `manner` decides on the request of this `webhook-id` that comes as the n-th of it,
    /// from 1.
    pub async fn start(
        manner: impl Fn(usize) -> Manner + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("0.0.0.0", 0)).await?;
        let port = listener.local_addr()?.port();
        let received = Journal::default();
        let mut task = JoinSet::new();
        task.spawn(listen(listener, Arc::new(manner), Arc::clone(&received)));
        Ok(Self { port, received, _task: task })
    }

    /// All that came, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        lock(&self.received).clone()
    }
}

fn lock(received: &Journal) -> MutexGuard<'_, Vec<Received>> {
    received.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(
    listener: TcpListener,
    manner: Arc<dyn Fn(usize) -> Manner + Send + Sync>,
    received: Journal,
) {
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (manner, received) = (Arc::clone(&manner), Arc::clone(&received));
        open.spawn(async move { drop(answer(stream, manner.as_ref(), &received).await) });
        while open.try_join_next().is_some() {}
    }
}

async fn answer(
    mut stream: TcpStream,
    manner: &(dyn Fn(usize) -> Manner + Send + Sync),
    all: &Journal,
) -> std::io::Result<()> {
    let Some((headers, body)) = read(&mut stream).await? else { return Ok(()) };
    let manner = {
        let mut all = lock(all);
        let id = headers.get("webhook-id").cloned().unwrap_or_default();
        let earlier = all.iter().filter(|one| one.id() == id).count();
        let manner = manner(earlier + 1);
        all.push(Received { headers, body, manner });
        manner
    };
    let (status, more) = match manner {
        Manner::Take => (200, ""),
        Manner::TakeSlowly => {
            sleep(SLOW).await;
            (204, "")
        }
        Manner::TakeLate => {
            sleep(LATE).await;
            (200, "")
        }
        Manner::Refuse(status) => (status, ""),
        Manner::Throttle => (429, "retry-after: 60\r\n"),
        Manner::Redirect => (307, "location: http://127.0.0.1:1/\r\n"),
        // With unread bytes or none, a dropped stream ends the connection without an answer.
        Manner::Reset | Manner::TakeAndReset => return stream.set_zero_linger(),
        Manner::Hang => std::future::pending().await,
    };
    let head =
        format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).await
}

/// Headers and body of one request; none when it ends before it is whole.
async fn read(
    stream: &mut TcpStream,
) -> std::io::Result<Option<(HashMap<String, String>, String)>> {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_REQUEST {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let pairs = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let headers: HashMap<String, String> =
            pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let length = headers.get("content-length").and_then(|length| length.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Ok(Some((headers, body.to_owned())));
        }
    }
    Ok(None)
}
