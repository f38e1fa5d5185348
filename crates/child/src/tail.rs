//! A stream that must be drained goes in; its last 64 KiB come out.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinSet;

/// Bytes kept: enough for any error, too few to matter.
const KEPT: usize = 64 * 1024;

/// Reads a stream to its end in the background, so that the writer never blocks on a full pipe.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: Arc<Mutex<Vec<u8>>>,
    // A set, since it aborts its task on drop.
    reader: JoinSet<()>,
}

impl Tail {
    pub(crate) fn of(stream: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let mut reader = JoinSet::new();
        reader.spawn(drain(stream, Arc::clone(&bytes)));
        Self { bytes, reader }
    }

    /// The text kept, once the stream has ended.
    pub(crate) async fn finished(&mut self) -> String {
        while self.reader.join_next().await.is_some() {}
        self.text()
    }

    fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

async fn drain(mut stream: impl AsyncRead + Unpin, bytes: Arc<Mutex<Vec<u8>>>) {
    let mut chunk = vec![0; 8 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        let mut kept = bytes.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&chunk[..read]);
        let excess = kept.len().saturating_sub(KEPT);
        kept.drain(..excess);
    }
}
