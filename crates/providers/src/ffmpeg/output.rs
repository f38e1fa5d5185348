//! What FFmpeg has written goes in; a file under its own name comes out, if it is whole.

use std::path::{Path, PathBuf};

use pipeline::{Media, ProviderError};
use stillcast_enqueue::Container;

use super::mark::mark;
use super::{PROVIDER, heads};

/// Where a file is written until it is whole.
pub(super) fn part(scratch: &Path, extension: &str) -> PathBuf {
    scratch.join(format!("{:016x}.{extension}.part", fastrand::u64(..)))
}

/// Checks that a finished file lasts as long as it should, has it say what has made it, and gives it its name.
pub(super) async fn keep(
    container: Container,
    (part, path): (PathBuf, PathBuf),
    duration_s: f64,
) -> Result<Media, ProviderError> {
    let kept = off_the_runtime(move || {
        let duration_s = heads::check(container, &part, duration_s)?;
        mark(container, &part)?;
        std::fs::rename(&part, &path)?;
        Ok(Media { path, container, duration_s, extras: Vec::new() })
    });
    kept.await.map_err(|why| ProviderError::transient(PROVIDER, "media-broken", why))
}

/// Work on files; why it failed, in words.
pub(super) async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|panic| panic.to_string())?;
    done.map_err(|fault| fault.to_string())
}
