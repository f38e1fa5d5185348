//! A file goes in; its length and its digest come out.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::{StoreError, at};

/// Length in bytes and SHA-256, in hexadecimal digits, of a file.
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
