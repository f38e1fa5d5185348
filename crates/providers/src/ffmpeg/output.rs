//! What FFmpeg has written goes in; a file under its own name comes out, if it is whole.

use std::path::{Path, PathBuf};

use pipeline::{Media, ProviderError};

use super::{PROVIDER, mp4};

/// Where a file is written until it is whole.
pub(super) fn part(scratch: &Path, extension: &str) -> PathBuf {
    scratch.join(format!("{:016x}.{extension}.part", fastrand::u64(..)))
}

/// Checks that a finished file lasts as long as it should, then gives it its name.
pub(super) async fn keep(
    part: PathBuf,
    path: PathBuf,
    duration_s: f64,
) -> Result<Media, ProviderError> {
    let broken = |why: String| ProviderError::transient(PROVIDER, "media-broken", why);
    let kept = tokio::task::spawn_blocking(move || {
        let facts = mp4::inspect(&part)?;
        facts.check(duration_s)?;
        std::fs::rename(&part, &path)?;
        Ok::<_, std::io::Error>(Media { path, duration_s: facts.duration_s, extras: Vec::new() })
    });
    let media = kept.await.map_err(|panic| broken(panic.to_string()))?;
    media.map_err(|fault| broken(fault.to_string()))
}
