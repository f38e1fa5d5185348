//! A task with an owner: it dies with the handle.

use tokio_util::task::AbortOnDropHandle;

/// Spawns `task`; dropping the handle aborts it.
#[expect(clippy::disallowed_methods, reason = "the one place: the handle is the owner")]
pub(crate) fn spawn<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> AbortOnDropHandle<T> {
    AbortOnDropHandle::new(tokio::spawn(task))
}
