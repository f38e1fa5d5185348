//! The file system's part of the store: small verbs, each of which leaves nothing half done.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{StoreError, at};

const PART: &str = "part";

/// Makes a folder and its parents.
pub(super) fn make(folder: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(folder).map_err(at(folder))
}

/// Length and SHA-256 of a file.
pub(super) fn digest(path: &Path) -> Result<(u64, String), StoreError> {
    let mut file = File::open(path).map_err(at(path))?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 128 * 1024];
    let mut length = 0;
    loop {
        let read = file.read(&mut chunk).map_err(at(path))?;
        if read == 0 {
            return Ok((length, hex::encode(hash.finalize())));
        }
        hash.update(&chunk[..read]);
        length += read as u64;
    }
}

/// Puts what `fill` writes under `path`, whole or not at all; an object already there stays.
pub(super) fn put(
    path: &Path,
    worker: &str,
    fill: impl FnOnce(&Path) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let part = Part::beside(path, worker);
    fill(&part.0)?;
    match fs::hard_link(&part.0, path) {
        Ok(()) => sync_folder(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(at(path)(error)),
    }
}

/// Copies `from` to the disk.
pub(super) fn copy(from: &Path, part: &Path) -> Result<(), StoreError> {
    fs::copy(from, part).map_err(at(part))?;
    File::open(part).and_then(|file| file.sync_all()).map_err(at(part))
}

/// Writes `content` to the disk.
pub(super) fn write(part: &Path, content: &[u8]) -> Result<(), StoreError> {
    let written = File::create(part).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(at(part))
}

/// Removes a folder and all in it; false when it is not there.
pub(super) fn remove(folder: &Path) -> Result<bool, StoreError> {
    match fs::remove_dir_all(folder) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at(folder)(error)),
    }
}

/// Removes the `.part` files below `folder` that nobody has touched for `age`.
pub(super) fn sweep(folder: &Path, age: Duration) -> Result<usize, StoreError> {
    let mut swept = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in entries(&folder)? {
            if entry.is_dir() {
                folders.push(entry);
            } else if is_stale(&entry, age) && fs::remove_file(&entry).is_ok() {
                swept += 1;
            }
        }
    }
    Ok(swept)
}

/// What is in a folder; nothing when somebody has just removed it.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(folder)(error)),
    };
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(at(folder))).collect()
}

fn is_stale(path: &Path, age: Duration) -> bool {
    let touched = || path.metadata().ok()?.modified().ok()?.elapsed().ok();
    path.extension().is_some_and(|extension| extension == PART)
        && touched().is_some_and(|since| since >= age)
}

/// Until the folder is on the disk too, a power cut could take the name away.
fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

/// An unfinished file; unlinked on drop, whatever happened.
struct Part(PathBuf);

impl Part {
    fn beside(path: &Path, worker: &str) -> Self {
        let nonce = fastrand::u64(..);
        let name = path.file_name().unwrap_or_default().display();
        Self(path.with_file_name(format!("{name}.{worker}.{nonce:016x}.{PART}")))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Not there when it was never written; the sweep finds what cannot be removed now.
        let _ = fs::remove_file(&self.0);
    }
}
