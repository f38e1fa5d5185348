//! Captions go in; files of them come out, some for FFmpeg, some to be delivered.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use pipeline::sound::RATE;
use pipeline::{Beside, Captions, Chapter, Extra};

/// Captions in an attempt's scratch folder.
pub(super) struct Written {
    vtt: PathBuf,
    pub(super) srt: PathBuf,
    /// For people; `None` where there are no chapters.
    lines: Option<PathBuf>,
    /// For FFmpeg; also where there are none.
    pub(super) chapters: PathBuf,
}

impl Written {
    pub(super) async fn write(captions: &Captions, scratch: &Path) -> io::Result<Self> {
        let lines = captions.chapter_lines();
        let path = |extra: Extra| scratch.join(extra.name());
        let written = Self {
            vtt: path(Extra::Vtt),
            srt: path(Extra::Srt),
            lines: lines.as_ref().map(|_| path(Extra::Chapters)),
            chapters: scratch.join("chapters.ffmetadata"),
        };
        tokio::fs::write(&written.vtt, captions.vtt()).await?;
        tokio::fs::write(&written.srt, captions.srt()).await?;
        tokio::fs::write(&written.chapters, ffmetadata(captions.chapters())).await?;
        if let (Some(path), Some(lines)) = (&written.lines, lines) {
            tokio::fs::write(path, lines).await?;
        }
        Ok(written)
    }

    /// What of it is delivered.
    pub(super) fn extras(self) -> Vec<Beside> {
        let Self { vtt, srt, lines, chapters: _ } = self;
        let beside = |extra, path| Beside { extra, path };
        let texts = [beside(Extra::Vtt, vtt), beside(Extra::Srt, srt)];
        texts.into_iter().chain(lines.map(|path| beside(Extra::Chapters, path))).collect()
    }
}

/// Chapters as FFmpeg reads them.
fn ffmetadata(chapters: &[Chapter]) -> String {
    let mut text = ";FFMETADATA1\n".to_owned();
    for Chapter { begin, end, title } in chapters {
        let _ =
            write!(text, "[CHAPTER]\nTIMEBASE=1/{RATE}\nSTART={begin}\nEND={end}\ntitle={title}\n");
    }
    text
}
