//! A look that may find nothing yet goes in; what it found at last comes out.

use std::time::Duration;

/// Longest wait for any event; reaching it is a failure, never a pass.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(150);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Looks until there is something to be seen, at most for `window`.
pub async fn look<T>(window: Duration, mut at: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let looking = async {
        loop {
            if let Some(found) = at().await {
                return found;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    tokio::time::timeout(window, looking).await.ok()
}

/// Looks until there is something to be seen; its absence fails the test by the name `what`.
pub async fn until<T>(what: &str, at: impl AsyncFnMut() -> Option<T>) -> T {
    let found = look(WAIT_TIMEOUT, at).await;
    assert!(found.is_some(), "not within {WAIT_TIMEOUT:?}: {what}");
    found.expect("asserted above")
}
