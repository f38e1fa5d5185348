//! A folder and a limit of CPU time go in; FFmpeg comes out as a command that is hardened and
//! bounded, and its complaints as provider errors. There is no other way to run it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use child::{ChildError, Finished, Limits, Spec};
use pipeline::{ProviderError, Usage};

/// What to do where FFmpeg is missing.
const INSTALL: &str = "install it with: apt-get install -y ffmpeg, or set FFMPEG_PATH";
const GIB: u64 = 1 << 30;
/// Characters of FFmpeg's complaints that reach an error message.
const SAID: usize = 400;

/// Where FFmpeg is, and on whose behalf it runs.
#[derive(Clone, Debug)]
pub(crate) struct Ffmpeg {
    pub(crate) program: PathBuf,
    pub(crate) provider: &'static str,
}

impl Ffmpeg {
    /// FFmpeg with its safe global options, without secrets, in `folder`, for at most `cpu`.
    pub(crate) fn command(&self, folder: &Path, cpu: Duration) -> Spec {
        let limits = Limits {
            address_space: Some(2 * GIB),
            cpu: Some(cpu),
            file_size: Some(GIB / 2),
            open_files: Some(64),
            core: Some(0),
        };
        Spec::new(&self.program)
            .hint(INSTALL)
            .env_clear()
            // Each thread reserves address space; on a machine of many cores the limit would be hit.
            .env("MALLOC_ARENA_MAX", "2")
            .folder(folder)
            .limits(limits)
            .timeout(cpu * 10)
            .measured()
            .args(["-hide_banner", "-nostdin", "-loglevel", "error", "-xerror", "-y"])
            .args(["-filter_threads", "1", "-filter_complex_threads", "1"])
    }

    /// The provider error of a child that did not end well.
    pub(crate) fn failed(&self, error: ChildError) -> ProviderError {
        let message = shorten(&error.to_string());
        match &error {
            ChildError::NotFound { .. } => {
                ProviderError::misconfigured(self.provider, "ffmpeg-missing", message)
            }
            ChildError::Timeout { .. } => {
                ProviderError::transient(self.provider, "ffmpeg-timeout", message)
            }
            ChildError::Spawn { .. } => {
                ProviderError::misconfigured(self.provider, "ffmpeg-unusable", message)
                    .because(error)
            }
            _ => ProviderError::transient(self.provider, "ffmpeg-failed", message),
        }
    }

    /// The provider error of a scratch folder that takes no file.
    pub(crate) fn unwritable(&self, error: std::io::Error) -> ProviderError {
        let message = format!("the scratch folder cannot be written: {error}");
        ProviderError::transient(self.provider, "scratch-unwritable", message).because(error)
    }
}

/// What a finished child used.
pub(crate) fn usage(finished: &Finished) -> Usage {
    let usage = Usage::default().and("cpu_s", finished.cpu.as_secs_f64());
    match finished.peak_memory {
        Some(bytes) => usage.and_peak("rss_bytes", bytes as f64),
        None => usage,
    }
}

/// The end of a message is where FFmpeg says what is wrong.
fn shorten(message: &str) -> String {
    let skipped = message.chars().count().saturating_sub(SAID);
    let end: String = message.chars().skip(skipped).collect();
    if skipped == 0 { end } else { format!("…{end}") }
}
