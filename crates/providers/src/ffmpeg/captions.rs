//! Captions go in; files of them come out, some for FFmpeg, some to be delivered.

use std::io;
use std::path::{Path, PathBuf};

use pipeline::{Beside, Captions, Extra};
use stillcast_enqueue::Container;

use super::tags::tags;

/// Captions in an attempt's scratch folder.
pub(super) struct Written {
    vtt: PathBuf,
    pub(super) srt: PathBuf,
    /// For people; `None` where there are no chapters.
    lines: Option<PathBuf>,
    /// For FFmpeg: chapters, where there are some, and what the file says of itself.
    pub(super) tags: PathBuf,
}

impl Written {
    pub(super) async fn write(
        captions: &Captions,
        container: Container,
        scratch: &Path,
    ) -> io::Result<Self> {
        let lines = captions.chapter_lines();
        let path = |extra: Extra| scratch.join(extra.name());
        let written = Self {
            vtt: path(Extra::Vtt),
            srt: path(Extra::Srt),
            lines: lines.as_ref().map(|_| path(Extra::Chapters)),
            tags: scratch.join("tags.ffmetadata"),
        };
        tokio::fs::write(&written.vtt, captions.vtt()).await?;
        tokio::fs::write(&written.srt, captions.srt()).await?;
        tokio::fs::write(&written.tags, tags(container, captions.chapters())).await?;
        if let (Some(path), Some(lines)) = (&written.lines, lines) {
            tokio::fs::write(path, lines).await?;
        }
        Ok(written)
    }

    /// What of it is delivered.
    pub(super) fn extras(self) -> Vec<Beside> {
        let Self { vtt, srt, lines, tags: _ } = self;
        let beside = |extra, path| Beside { extra, path };
        let texts = [beside(Extra::Vtt, vtt), beside(Extra::Srt, srt)];
        texts.into_iter().chain(lines.map(|path| beside(Extra::Chapters, path))).collect()
    }
}
