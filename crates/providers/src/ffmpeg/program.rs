//! A folder and a limit of CPU time go in; FFmpeg comes out as a command that is hardened and
//! bounded, and its complaints as provider errors. There is no other way to run it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use child::{ChildError, Finished, Limits, Spec};
use pipeline::{FailureClass, ProviderError, Usage};

/// What to do where FFmpeg is missing.
const INSTALL: &str = "install it with: apt-get install -y ffmpeg, or set FFMPEG_PATH";
/// What to do where it was built without a part that we need.
const FULL: &str = "FFmpeg lacks a part: install a full build (Debian and Ubuntu: apt-get install -y \
                    ffmpeg), or set FFMPEG_PATH to one";
/// What to do where it may not see our folders.
const CONFINED: &str = "FFmpeg may not use the folder: set FFMPEG_PATH to one that is not confined \
                        (a snap sees no hidden folders), or STILLCAST_HOME to a folder that it sees";
/// What to do where it was ended.
const MEMORY: &str = "the machine or the container is out of memory: give it more, or lower \
                      MAX_PARALLEL_TASKS";
/// What FFmpeg says of a filter, a format or an option that it does not have.
const LACKS: [&str; 8] = [
    "No such filter",
    "Filter not found",
    "Unknown decoder",
    "Decoder not found",
    "Unknown input format",
    "is not a suitable output format",
    "Unrecognized option",
    "Option not found",
];
/// `SIGKILL`, and the signals of the limits that we set.
const KILL: i32 = 9;
const LIMITS_CPU: i32 = 24;
const LIMITS_FILE: i32 = 25;
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
            ..Limits::default()
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
            // What others send must be heard and kept meanwhile.
            .giving_way()
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
            ChildError::Signal { signal, .. } => self.ended_by(*signal, message),
            ChildError::Status { stderr, .. } => self.complained(stderr, message),
            _ => ProviderError::transient(self.provider, "ffmpeg-failed", message),
        }
    }

    /// A signal is the machine's, unless it came of our own limits or of a crash, which the input may
    /// have caused: that is told by the second time.
    fn ended_by(&self, signal: i32, message: String) -> ProviderError {
        match signal {
            KILL => {
                let message = format!("{message}; {MEMORY}");
                ProviderError::misconfigured(self.provider, "ffmpeg-killed", message)
            }
            LIMITS_CPU | LIMITS_FILE => {
                ProviderError::transient(self.provider, "ffmpeg-failed", message)
            }
            _ => {
                let message = format!("{message}; set FFMPEG_PATH to a build for this machine");
                ProviderError::transient(self.provider, "ffmpeg-crashed", message)
                    .again(FailureClass::Misconfigured)
            }
        }
    }

    /// What it says of itself or of its rights is the set-up's; all else may be the input's.
    fn complained(&self, said: &str, message: String) -> ProviderError {
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| said.contains(phrase));
        let misconfigured = |code, remedy: &str| {
            let message = format!("{message}; {remedy}");
            ProviderError::misconfigured(self.provider, code, message)
        };
        if says(&["Unknown encoder", "Encoder not found", "Automatic encoder selection failed"]) {
            misconfigured("ffmpeg-encoder-missing", FULL)
        } else if says(&LACKS) {
            misconfigured("ffmpeg-part-missing", FULL)
        } else if says(&["Permission denied", "Operation not permitted"]) {
            misconfigured("ffmpeg-forbidden", CONFINED)
        } else if says(&["Cannot allocate memory", "error while loading shared libraries"]) {
            misconfigured("ffmpeg-unusable", MEMORY)
        } else {
            ProviderError::transient(self.provider, "ffmpeg-failed", message)
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
