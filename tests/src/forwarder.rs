//! An address that moves: it leads to another server from one moment on, as a name in the DNS or a
//! balancer does at a fail-over. Connections that are open stay where they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The address.
pub struct Forwarder {
    port: u16,
    target: Arc<AtomicU16>,
    delay_ms: Arc<AtomicU64>,
    _accepting: JoinSet<()>,
}

impl Forwarder {
    /// Leads to the server on port `target` of this machine.
    pub async fn start(target: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let target = Arc::new(AtomicU16::new(target));
        let delay_ms = Arc::new(AtomicU64::new(0));
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::clone(&target), Arc::clone(&delay_ms)));
        Ok(Self { port, target, delay_ms, _accepting: accepting })
    }

    /// The address, for clients of Redis.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Whoever connects from here on waits so long for the first byte.
    pub fn delay(&self, ms: u64) {
        self.delay_ms.store(ms, Ordering::SeqCst);
    }

    /// Whoever connects from here on is led to `target`.
    pub fn lead_to(&self, target: u16) {
        self.target.store(target, Ordering::SeqCst);
    }
}

async fn accept(listener: TcpListener, target: Arc<AtomicU16>, delay_ms: Arc<AtomicU64>) {
    let mut wires = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let delay = Duration::from_millis(delay_ms.load(Ordering::SeqCst));
        wires.spawn(wire(client, target.load(Ordering::SeqCst), delay));
    }
}

async fn wire(mut client: TcpStream, port: u16, delay: Duration) {
    tokio::time::sleep(delay).await;
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    // Either side's end closes both; how it ended is the client's to find out.
    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}
