//! Work that blocks goes in; its result comes out, while the runtime's threads go on.

use std::io;
use std::path::PathBuf;

use super::error::StoreError;

/// Does work that blocks, away from the threads of the runtime.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|failure| {
        Err(StoreError::Io { path: PathBuf::new(), source: io::Error::other(failure) })
    })
}
