//! The logs of the embedded stack's children: a path goes in; a file to append to, or the log's end
//! for an error message, comes out.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use super::home::Home;

/// Lines of a log that an error message shows.
const TAIL_LINES: usize = 12;

/// Opens the log at `path` to append to it; makes it if missing.
pub(super) fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Removes the logs of the run before.
pub(super) fn remove(home: &Home) -> std::io::Result<()> {
    for log in [home.redis_log(), home.worker_log()] {
        match std::fs::remove_file(log) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The end of a log, indented below the sentence that it explains.
pub(super) fn tail_of(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let head = format!("; its log is {}", log.display());
    let tail = text.lines().skip(text.lines().count().saturating_sub(TAIL_LINES));
    std::iter::once(&*head).chain(tail).collect::<Vec<_>>().join("\n    ")
}
