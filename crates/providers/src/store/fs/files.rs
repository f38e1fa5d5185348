//! Paths go in; files are put, linked, read and removed: small verbs, each of which leaves nothing
//! half done.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use crate::store::error::{StoreError, at};

const PART: &str = "part";

/// Makes a folder and its parents.
pub(super) fn make(folder: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(folder).map_err(at(folder))
}

/// Puts what `fill` writes under `path`, whole or not at all; an object already there stays. True
/// when this put made it.
pub(super) fn put(
    path: &Path,
    writer: &str,
    fill: impl FnOnce(&Path) -> Result<(), StoreError>,
) -> Result<bool, StoreError> {
    let part = Part::beside(path, writer);
    fill(&part.0)?;
    match fs::hard_link(&part.0, path) {
        Ok(()) => sync_folder(path).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(at(path)(error)),
    }
}

/// Lays the file of `from` under `to` as well, as if it had been written now; what is already there
/// stays, and counts as just put. False when there is nothing at `from`.
pub(super) fn link(from: &Path, to: &Path) -> Result<bool, StoreError> {
    to.parent().map_or(Ok(()), make)?;
    match fs::hard_link(from, to) {
        Ok(()) => sync_folder(to)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && from.exists() => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(at(to)(error)),
    }
    renew(to)
}

/// Takes a file's age away; false when it is gone.
#[expect(clippy::disallowed_methods, reason = "a file's age is told by the host's wall clock")]
fn renew(path: &Path) -> Result<bool, StoreError> {
    let opened = File::options().append(true).open(path);
    let renewed = opened.and_then(|file| file.set_modified(std::time::SystemTime::now()));
    unless_gone(renewed, path).map(|found| found.is_some())
}

/// The content of a file, if it is there.
pub(super) fn read(path: &Path) -> Result<Option<Bytes>, StoreError> {
    unless_gone(fs::read(path), path).map(|content| content.map(Bytes::from))
}

/// The length of a file, if it is there.
pub(super) fn size(path: &Path) -> Result<Option<u64>, StoreError> {
    unless_gone(path.metadata(), path).map(|found| found.map(|metadata| metadata.len()))
}

/// Length of a file and time since it was written; nothing when somebody has just removed it.
pub(super) fn facts(path: &Path) -> Option<(u64, Duration)> {
    let metadata = path.metadata().ok()?;
    Some((metadata.len(), metadata.modified().ok()?.elapsed().unwrap_or_default()))
}

/// Writes into `folder` and takes it away again.
pub(super) fn probe(folder: &Path, writer: &str) -> Result<(), StoreError> {
    make(folder)?;
    let part = Part::beside(&folder.join("probe"), writer);
    write(&part.0, b"a probe")
}

fn unless_gone<T>(found: io::Result<T>, path: &Path) -> Result<Option<T>, StoreError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
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

/// Removes a folder and all in it, or a file; says how many objects.
pub(super) fn remove(path: &Path) -> Result<usize, StoreError> {
    let objects = walk(path)?.iter().filter(|path| !is_part(path)).count();
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    unless_gone(removed, path).map(|_| objects)
}

/// Removes the `.part` files below `folder` that nobody has touched for `age`.
pub(super) fn sweep(folder: &Path, age: Duration) -> Result<usize, StoreError> {
    let stale =
        |path: &PathBuf| is_part(path) && facts(path).is_some_and(|(_, since)| since >= age);
    let stale = walk(folder)?.into_iter().filter(stale);
    Ok(stale.filter(|path| fs::remove_file(path).is_ok()).count())
}

/// Every file below `folder`, or the file that it is.
pub(super) fn walk(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    if folder.is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let (below, inside): (Vec<_>, Vec<_>) =
            entries(&folder)?.into_iter().partition(|entry| entry.is_dir());
        folders.extend(below);
        files.extend(inside);
    }
    Ok(files)
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

/// Whether a file is still being written, or never was to its end.
pub(super) fn is_part(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == PART)
}

/// Until the folder is on the disk too, a power cut could take the name away.
fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

/// An unfinished file; unlinked on drop, whatever happened.
struct Part(PathBuf);

impl Part {
    fn beside(path: &Path, writer: &str) -> Self {
        let nonce = fastrand::u64(..);
        let name = path.file_name().unwrap_or_default().display();
        Self(path.with_file_name(format!("{name}.{writer}.{nonce:016x}.{PART}")))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Not there when it was never written; the sweep finds what cannot be removed now.
        let _ = fs::remove_file(&self.0);
    }
}
