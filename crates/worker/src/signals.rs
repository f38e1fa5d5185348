//! SIGTERM and SIGINT go in; the first drains, the second ends at once.

use queue::Shutdown;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

/// Listens until it is dropped.
pub(crate) fn listen(shutdown: Shutdown) -> std::io::Result<JoinSet<()>> {
    let (terminate, interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut listener = JoinSet::new();
    listener.spawn(pass_on(terminate, interrupt, shutdown));
    Ok(listener)
}

async fn pass_on(mut terminate: Signal, mut interrupt: Signal, shutdown: Shutdown) {
    loop {
        let name = tokio::select! {
            Some(()) = terminate.recv() => "SIGTERM",
            Some(()) = interrupt.recv() => "SIGINT",
            else => return,
        };
        let then = if shutdown.has_begun() { "ending at once" } else { "draining" };
        tracing::info!("{name}: {then}");
        shutdown.signal();
    }
}
