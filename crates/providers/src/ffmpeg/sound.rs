//! Samples go in as they are spoken; a file of sound comes out.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use child::{Running, Spec, Stream};
use pipeline::sound::{RATE, seconds};
use pipeline::{Answer, Encoding, Fragment, Media, ProviderError, SoundTrack};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinSet;

use super::codec::Codec;
use super::live;
use super::output::{keep, part};
use super::picture::Pace;
use super::{Ffmpeg, PROVIDER, usage};

/// The sound's encoder at work.
pub(super) struct SoundEncoding {
    ffmpeg: Ffmpeg,
    running: Running,
    part: PathBuf,
    path: PathBuf,
    track: SoundTrack,
    bytes: usize,
    /// What it gives out meanwhile, and who reads that.
    fragments: Option<Receiver<Fragment>>,
    reader: JoinSet<std::io::Result<()>>,
}

/// Has `command` take samples of so many channels from its stdin.
pub(super) fn read(command: Spec, channels: u16) -> Spec {
    command.args(["-f", "s16le", "-ar", &RATE.to_string(), "-ac", &channels.to_string()]).args([
        "-probesize",
        "32",
        "-analyzeduration",
        "0",
        "-i",
        "pipe:0",
    ])
}

impl SoundEncoding {
    /// Starts `command`, whose file will have the track's name in `scratch`.
    pub(super) async fn start(
        ffmpeg: &Ffmpeg,
        command: Spec,
        track: SoundTrack,
        scratch: &Path,
    ) -> Result<Self, ProviderError> {
        let container = Codec::of(track.shape.container).container;
        let name = format!("{}.{}", track.name, container.extension());
        let (part, path) = (part(scratch, container.extension()), scratch.join(name));
        let (command, out) = if track.live {
            let name = part.file_name().unwrap_or_default().to_string_lossy();
            (command.args(["-f", "tee"]).arg(live::both(&name)), Stream::Piped)
        } else {
            (command.arg(&part), Stream::Null)
        };
        let mut running = command
            .stdout(out)
            .stdin(Stream::Piped)
            // It waits for speech most of its life; the runner's time-out is for its work.
            .without_timeout()
            .spawn().await
            .map_err(|error| ffmpeg.failed(error))?;
        let (mut reader, mut fragments) = (JoinSet::new(), None);
        if let Some(stdout) = running.stdout.take() {
            let (to, from) = channel(live::WAITING);
            reader.spawn(live::read(stdout, to));
            fragments = Some(from);
        }
        Ok(Self { ffmpeg: ffmpeg.clone(), running, part, path, track, bytes: 0, fragments, reader })
    }

    /// Silence up to the next whole picture, so that both tracks of a video end together.
    fn padding(&self) -> Bytes {
        let Some(pace) = Pace::of(self.track.shape) else { return Bytes::new() };
        let frame = (RATE / pace.fps) as usize * 2 * usize::from(self.track.channels);
        Bytes::from(vec![0; self.bytes.next_multiple_of(frame) - self.bytes])
    }

    /// A broken pipe only says that FFmpeg has gone; why is in its account.
    async fn post_mortem(&mut self) -> ProviderError {
        match self.running.wait().await {
            Err(error) => self.ffmpeg.failed(error),
            Ok(_) => ProviderError::transient(PROVIDER, "ffmpeg-failed", "it ended too early"),
        }
    }
}

#[async_trait]
impl Encoding for SoundEncoding {
    async fn write(&mut self, pcm: Bytes) -> Result<(), ProviderError> {
        self.bytes += pcm.len();
        let written = match &mut self.running.stdin {
            Some(stdin) => stdin.write_all(&pcm).await.is_ok(),
            None => false,
        };
        if written { Ok(()) } else { Err(self.post_mortem().await) }
    }

    fn fragments(&mut self) -> Option<Receiver<Fragment>> {
        self.fragments.take()
    }

    async fn finish(mut self: Box<Self>) -> Result<Answer<Media>, ProviderError> {
        let padding = self.padding();
        self.write(padding).await?;
        let finished = self.running.wait().await.map_err(|error| self.ffmpeg.failed(error))?;
        while let Some(read) = self.reader.join_next().await {
            let read = read.unwrap_or_else(|panic| Err(std::io::Error::other(panic)));
            read.map_err(|why| {
                ProviderError::transient(PROVIDER, "media-broken", why.to_string())
            })?;
        }
        let duration_s = seconds(self.bytes / usize::from(self.track.channels));
        let container = Codec::of(self.track.shape.container).container;
        let media = keep(container, (self.part.clone(), self.path.clone()), duration_s).await?;
        Ok(Answer { value: media, usage: usage(&finished) })
    }
}
