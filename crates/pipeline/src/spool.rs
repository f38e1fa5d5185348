//! Finished sound that waits for the encoder: the first minute of it in memory, the rest in the attempt's
//! scratch folder, so that an hour takes no more memory than five minutes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use crate::artifact::{Piece, Samples};
use crate::{Disk, ProviderError, Run};

/// What one attempt holds in memory: a minute and a half.
const MOST_HELD: usize = 4 << 20;

/// Where the sound of one attempt waits.
pub(crate) struct Spool {
    disk: Arc<dyn Disk>,
    scratch: PathBuf,
    /// Bytes that may still be held in memory.
    room: AtomicUsize,
    /// Files that were written.
    files: AtomicUsize,
}

/// Sound that waits. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Spooled {
    Held(Bytes),
    Written { disk: Arc<dyn Disk>, path: Arc<Path>, bytes: usize },
}

impl Spool {
    pub(crate) fn of(run: &Run) -> Self {
        let (disk, scratch) = (Arc::clone(&run.providers.disk), run.scratch.clone());
        Self { disk, scratch, room: AtomicUsize::new(MOST_HELD), files: AtomicUsize::new(0) }
    }

    /// Takes finished sound.
    pub(crate) async fn keep(&self, pcm: Bytes) -> Result<Spooled, ProviderError> {
        let bytes = pcm.len();
        let less = |room: usize| room.checked_sub(bytes);
        if self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            return Ok(Spooled::Held(pcm));
        }
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let path: Arc<Path> = self.scratch.join(format!("speech-{number}.pcm")).into();
        self.disk.write(&path, pcm).await?;
        Ok(Spooled::Written { disk: Arc::clone(&self.disk), path, bytes })
    }
}

impl Samples for Spooled {
    fn samples(&self) -> usize {
        match self {
            Self::Held(pcm) => pcm.samples(),
            Self::Written { disk: _, path: _, bytes } => bytes / 2,
        }
    }
}

impl Piece<Spooled> {
    /// With its samples in memory.
    pub(crate) async fn load(self) -> Result<Piece<Bytes>, ProviderError> {
        Ok(match self {
            Self::Pause(length) => Piece::Pause(length),
            Self::Speech { text, pcm: Spooled::Held(pcm) } => Piece::Speech { text, pcm },
            Self::Speech { text, pcm: Spooled::Written { disk, path, bytes: _ } } => {
                Piece::Speech { text, pcm: disk.read(&path).await? }
            }
        })
    }
}

impl Piece<Bytes> {
    /// Waits as it is.
    pub(crate) fn held(self) -> Piece<Spooled> {
        match self {
            Self::Pause(length) => Piece::Pause(length),
            Self::Speech { text, pcm } => Piece::Speech { text, pcm: Spooled::Held(pcm) },
        }
    }
}
