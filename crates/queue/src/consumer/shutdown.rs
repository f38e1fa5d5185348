//! Signals go in, the drain comes out; and why a consumer ended.

use tokio_util::sync::CancellationToken;

/// Two signals: the first drains, the second ends at once. Clones are the same shutdown.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    now: CancellationToken,
}

/// Why a consumer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It was asked to.
    Drained,
    /// `until_empty`, and nothing is left.
    Empty,
    /// `until_empty`, but the queue is paused and something is left.
    Paused,
}

impl Shutdown {
    /// The first call drains; the second ends at once.
    pub fn signal(&self) {
        if self.drain.is_cancelled() {
            self.now.cancel();
        }
        self.drain.cancel();
    }

    /// Whether the drain has begun.
    pub fn has_begun(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Waits for the first signal.
    pub(crate) async fn begun(&self) {
        self.drain.cancelled().await;
    }

    /// Waits for the second signal.
    pub(crate) async fn at_once(&self) {
        self.now.cancelled().await;
    }
}
