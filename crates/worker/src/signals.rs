//! SIGTERM and SIGINT go in; the first drains, the second ends at once. The service manager hears of
//! the first.

use std::time::Duration;

use queue::Shutdown;
use systemd::Supervisor;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

/// Listens until it is dropped; `end` is whom to tell, and how long an end takes at most.
pub(crate) fn listen(
    shutdown: Shutdown,
    end: (Supervisor, Duration),
) -> std::io::Result<JoinSet<()>> {
    let (terminate, interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut listener = JoinSet::new();
    listener.spawn(pass_on(terminate, interrupt, shutdown, end));
    Ok(listener)
}

async fn pass_on(
    mut terminate: Signal,
    mut interrupt: Signal,
    shutdown: Shutdown,
    (supervisor, longest): (Supervisor, Duration),
) {
    loop {
        let name = tokio::select! {
            Some(()) = terminate.recv() => "SIGTERM",
            Some(()) = interrupt.recv() => "SIGINT",
            else => return,
        };
        let is_first = !shutdown.has_begun();
        let then = if is_first { "draining" } else { "ending at once" };
        tracing::info!("{name}: {then}");
        shutdown.signal();
        if is_first {
            supervisor.stopping(longest).await;
        }
    }
}
