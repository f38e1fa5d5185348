//! SIGTERM and SIGINT go in: after the first no call begins, the second drops those under way. So does whatever
//! would fail every request.

use std::sync::Arc;

use pipeline::{Gate, Interrupted};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Why nothing begins any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The next call would cost more than may be spent.
    MaxCost,
    /// Somebody has asked for it.
    Signal,
    /// This would fail every request, or some part is away.
    Fault(String),
}

/// Whether to go on. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Stop {
    why: Arc<OnceCell<Why>>,
    begun: CancellationToken,
    dropped: CancellationToken,
}

impl Stop {
    /// Nobody is listened to.
    pub(super) fn never() -> Self {
        Self::default()
    }

    /// Stops at signals, as long as the other part lives.
    pub(super) fn at_signals() -> anyhow::Result<(Self, JoinSet<()>)> {
        let stop = Self::default();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut listener = JoinSet::new();
        let told = stop.clone();
        listener.spawn(async move {
            for dropped in [false, true] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                told.stop(Why::Signal);
                if dropped {
                    told.dropped.cancel();
                }
            }
        });
        Ok((stop, listener))
    }

    /// The first reason stays.
    pub(super) fn stop(&self, why: Why) {
        let _ = self.why.set(why);
        self.begun.cancel();
    }

    pub(super) fn why(&self) -> Option<&Why> {
        self.why.get()
    }

    /// Cancelled when nothing may begin any more.
    pub(super) fn begun(&self) -> &CancellationToken {
        &self.begun
    }

    /// Cancelled when nothing is awaited any more.
    pub(super) fn dropped(&self) -> &CancellationToken {
        &self.dropped
    }
}

impl Gate for Stop {
    fn check(&self) -> Result<(), Interrupted> {
        if self.begun.is_cancelled() { Err(Interrupted { reason: "stopped" }) } else { Ok(()) }
    }

    fn check_finish(&self) -> Result<(), Interrupted> {
        Ok(())
    }
}
