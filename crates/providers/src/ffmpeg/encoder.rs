//! Sound and a picture go in; a file that plays everywhere comes out: what FFmpeg is asked for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use child::Spec;
use pipeline::{
    Answer, Beside, Captions, Clip, Encoding, Image, Media, MediaEncoder, ProviderError, Shape,
    SoundTrack, Usage,
};
use tokio::sync::OnceCell;

use super::captions::Written;
use super::codec::Codec;
use super::mark::mark_picture;
use super::mux::mux;
use super::output::{keep, off_the_runtime, part};
use super::picture::{beside, clip, demuxer};
use super::sound::{self, SoundEncoding};
use super::{Ffmpeg, PROVIDER, hardware, usage};

/// CPU time that no encode of an hour comes near.
const CPU: Duration = Duration::from_mins(10);

/// Changes with whatever changes the file of an equal sound and picture.
const REVISION: &str = "ffmpeg-3";

/// How files are made.
#[derive(Clone, Debug)]
pub struct FfmpegOptions {
    /// FFmpeg itself (`FFMPEG_PATH`).
    pub program: PathBuf,
    /// `OPTIMIZE_FOR_SPEED`: the fast AAC coder and a smaller picture, about a third of the CPU.
    pub speed: bool,
    /// `AUDIO_BITRATE`, such as `96k`.
    pub audio_bitrate: String,
    /// `ENABLE_HARDWARE_ACCELERATION`: look for a hardware encoder, once, at the first video.
    pub hardware: bool,
}

/// The encoder.
#[derive(Debug)]
pub struct FfmpegEncoder {
    options: FfmpegOptions,
    ffmpeg: Ffmpeg,
    hardware: OnceCell<Option<&'static str>>,
}

impl FfmpegEncoder {
    /// An encoder; FFmpeg itself is looked for at its first use.
    pub fn new(options: FfmpegOptions) -> Self {
        let ffmpeg = Ffmpeg { program: options.program.clone(), provider: PROVIDER };
        Self { options, ffmpeg, hardware: OnceCell::new() }
    }

    /// Tries each hardware encoder, whether it is asked for or not; the first that works.
    pub async fn try_hardware(&self, folder: &Path) -> Option<&'static str> {
        hardware::trial(&self.ffmpeg, folder).await
    }

    fn command(&self, folder: &Path) -> Spec {
        let safe = ["-err_detect", "explode", "-protocol_whitelist", "file,pipe"];
        self.ffmpeg.command(folder, CPU).args(safe)
    }

    /// Trials are made once; a still never uses their winner, and says so.
    async fn hardware(&self, folder: &Path) -> Usage {
        if !self.options.hardware {
            return Usage::default();
        }
        let trial = || hardware::trial(&self.ffmpeg, folder);
        let found = self.hardware.get_or_init(trial).await;
        Usage::default().and_peak("hardware_encoder", f64::from(u8::from(found.is_some())))
    }
}

#[async_trait]
impl MediaEncoder for FfmpegEncoder {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn revision(&self) -> String {
        let Self { options, ffmpeg: _, hardware: _ } = self;
        let FfmpegOptions { program: _, speed, audio_bitrate, hardware: _ } = options;
        format!("{REVISION} {audio_bitrate} {}", if *speed { "speed" } else { "quality" })
    }

    async fn begin(
        &self,
        track: SoundTrack,
        scratch: &Path,
    ) -> Result<Box<dyn Encoding>, ProviderError> {
        let FfmpegOptions { speed, audio_bitrate, .. } = &self.options;
        let command = sound::read(self.command(scratch), track.channels);
        let codec = Codec::of(track.shape.container);
        let command = codec.encode(command, *speed, audio_bitrate, track.live);
        Ok(Box::new(SoundEncoding::start(&self.ffmpeg, command, track, scratch).await?))
    }

    async fn still(
        &self,
        image: &Image,
        shape: Shape,
        scratch: &Path,
    ) -> Result<Answer<Clip>, ProviderError> {
        let hardware = self.hardware(scratch).await;
        let unwritable = |error| self.ffmpeg.unwritable(error);
        let picture = scratch.join("picture");
        tokio::fs::write(&picture, &image.bytes).await.map_err(unwritable)?;
        let (part, path) = (part(scratch, "mp4"), scratch.join("clip.mp4"));
        let (from, extras) = ((demuxer(image)?, picture.as_path()), beside(scratch));
        let how = (shape, self.options.speed);
        let command = clip(self.command(scratch), from, how, (&part, &extras));
        let finished = command.run().await.map_err(|error| self.ffmpeg.failed(error))?;
        mark_all(&extras).await?;
        tokio::fs::rename(&part, &path).await.map_err(unwritable)?;
        let mut usage = usage(&finished);
        usage.merge(&hardware);
        Ok(Answer { value: Clip { path, extras: extras.into() }, usage })
    }

    async fn mux(
        &self,
        sound: &Media,
        clip: Option<&Clip>,
        captions: &Captions,
        shape: Shape,
        scratch: &Path,
    ) -> Result<Answer<Media>, ProviderError> {
        let container = shape.container;
        let written = Written::write(captions, container, scratch).await;
        let written = written.map_err(|error| self.ffmpeg.unwritable(error))?;
        let extension = container.extension();
        let (part, path) = (part(scratch, extension), scratch.join(format!("file.{extension}")));
        let finished = mux(self.command(scratch), container, sound, clip, &written)
            .arg(&part)
            .run()
            .await
            .map_err(|error| self.ffmpeg.failed(error))?;
        let media = keep(container, (part, path), sound.duration_s).await?;
        let seen = clip.into_iter().flat_map(|clip| &clip.extras);
        let extras = written.extras().into_iter().chain(sound.extras.iter().chain(seen).cloned());
        let media = Media { extras: extras.collect(), ..media };
        Ok(Answer { value: media, usage: usage(&finished) })
    }
}

/// Has each of some JPEGs say what has made it.
async fn mark_all(pictures: &[Beside]) -> Result<(), ProviderError> {
    let paths: Vec<PathBuf> = pictures.iter().map(|beside| beside.path.clone()).collect();
    let marked = off_the_runtime(move || paths.iter().try_for_each(|path| mark_picture(path)));
    marked.await.map_err(|why| ProviderError::transient(PROVIDER, "image-broken", why))
}
