//! A wire between a worker and Redis that loses the reply to a script of one's choice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Passes bytes on; when a request holds the marked bytes, the request reaches Redis, and the
/// connection is cut before the answer comes back.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    _accepting: JoinSet<()>,
}

struct Shared {
    upstream: u16,
    marked: Mutex<Vec<u8>>,
    left: AtomicU64,
    cut: AtomicU64,
    /// What of all scripts still reaches Redis; `None` is all of it.
    passes: Mutex<Option<Passes>>,
}

/// Whether a request is passed on.
type Passes = Box<dyn Fn(&[u8]) -> bool + Send>;

impl Proxy {
    /// A wire to the server on port `upstream`.
    pub async fn start(upstream: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            upstream,
            marked: Mutex::default(),
            left: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            passes: Mutex::default(),
        });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { port, shared, _accepting: accepting })
    }

    /// The address for the worker.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Loses the next `times` replies to requests that hold `bytes`, such as a script's digest.
    pub fn lose_replies(&self, bytes: &str, times: u64) {
        *self.shared.marked.lock().unwrap_or_else(PoisonError::into_inner) = bytes.into();
        self.shared.left.store(times, Ordering::SeqCst);
    }

    /// From here on what a worker asks of its queue is swallowed unless `passes` lets it through: no answer
    /// ever comes. That it waits for the marker is heard.
    pub fn swallow_unless(&self, passes: impl Fn(&[u8]) -> bool + Send + 'static) {
        *self.shared.passes.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(passes));
    }

    /// Replies lost so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.shared.cut.load(Ordering::SeqCst)
    }
}

/// Whether `bytes` hold `part`.
#[must_use]
pub fn holds(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

impl Shared {
    fn swallows(&self, request: &[u8]) -> bool {
        let passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        let asks = holds(request, "EVALSHA") || holds(request, "EXISTS");
        passes.as_ref().is_some_and(|passes| asks && !passes(request))
    }

    /// Whether this request's reply is to be lost; counts it.
    fn loses(&self, request: &[u8]) -> bool {
        let marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if marked.is_empty() || !request.windows(marked.len()).any(|window| window == marked) {
            return false;
        }
        let taken =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        taken.is_ok()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut wires = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        wires.spawn(wire(client, Arc::clone(&shared)));
    }
}

async fn wire(client: TcpStream, shared: Arc<Shared>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", shared.upstream)).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // Either side's end, or a cut, closes both.
    tokio::select! {
        () = requests(from_client, to_server, &shared) => {}
        () = replies(from_server, to_client) => {}
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared) {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        if shared.swallows(&buffer[..read]) {
            continue;
        }
        let cut = shared.loses(&buffer[..read]);
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
        if cut {
            // Redis must run it all the same: it has read the request once the connection ends.
            let _ = to.shutdown().await;
            shared.cut.fetch_add(1, Ordering::SeqCst);
            return;
        }
    }
}

async fn replies(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let mut buffer = vec![0; 256 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
