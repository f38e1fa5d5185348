//! Sound and a picture go in; a file that plays everywhere comes out: what FFmpeg is asked for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use child::Spec;
use pipeline::{
    Answer, Captions, Clip, Encoding, Image, Media, MediaEncoder, ProviderError, SoundTrack, Usage,
};
use tokio::sync::OnceCell;

use super::captions::Written;
use super::output::{keep, part};
use super::picture::{clip, demuxer};
use super::sound::{self, SoundEncoding};
use super::{Ffmpeg, PROVIDER, hardware, usage};

/// CPU time that no encode of an hour comes near.
const CPU: Duration = Duration::from_mins(10);

/// Changes with whatever changes the file of an equal sound and picture.
const REVISION: &str = "ffmpeg-2";

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
        let command = sound::encode(self.command(scratch), track.channels, *speed, audio_bitrate);
        Ok(Box::new(SoundEncoding::start(&self.ffmpeg, command, track, scratch).await?))
    }

    async fn still(&self, image: &Image, scratch: &Path) -> Result<Answer<Clip>, ProviderError> {
        let hardware = self.hardware(scratch).await;
        let unwritable = |error| self.ffmpeg.unwritable(error);
        let picture = scratch.join("picture");
        tokio::fs::write(&picture, &image.bytes).await.map_err(unwritable)?;
        let (part, path) = (part(scratch, "mp4"), scratch.join("clip.mp4"));
        let demuxer = demuxer(image)?;
        let command = clip(self.command(scratch), demuxer, &picture, self.options.speed).arg(&part);
        let finished = command.run().await.map_err(|error| self.ffmpeg.failed(error))?;
        tokio::fs::rename(&part, &path).await.map_err(unwritable)?;
        let mut usage = usage(&finished);
        usage.merge(&hardware);
        Ok(Answer { value: Clip { path }, usage })
    }

    async fn mux(
        &self,
        sound: &Media,
        clip: Option<&Clip>,
        captions: &Captions,
        scratch: &Path,
    ) -> Result<Answer<Media>, ProviderError> {
        let written = Written::write(captions, scratch).await;
        let written = written.map_err(|error| self.ffmpeg.unwritable(error))?;
        let extension = if clip.is_some() { "mp4" } else { "m4a" };
        let (part, path) = (part(scratch, extension), scratch.join(format!("file.{extension}")));
        let finished = mux(self.command(scratch), sound, clip, &written)
            .arg(&part)
            .run()
            .await
            .map_err(|error| self.ffmpeg.failed(error))?;
        let media = keep(part, path, sound.duration_s).await?;
        let extras = written.extras().into_iter().chain(sound.extras.iter().cloned());
        let media = Media { extras: extras.collect(), ..media };
        Ok(Answer { value: media, usage: usage(&finished) })
    }
}

/// Has `command` copy everything into one file, and encode nothing but the captions' text.
fn mux(command: Spec, sound: &Media, clip: Option<&Clip>, written: &Written) -> Spec {
    let command = command.args(["-f", "mov", "-i"]).arg(&sound.path);
    let command = command.args(["-f", "ffmetadata", "-i"]).arg(&written.chapters);
    let command = match clip {
        None => command.args(["-map", "0:a"]),
        Some(clip) => command
            .args(["-stream_loop", "-1", "-f", "mov", "-i"])
            .arg(&clip.path)
            .args(["-f", "srt", "-i"])
            .arg(&written.srt)
            .args(["-map", "2:v", "-map", "0:a", "-map", "3:s", "-c:s", "mov_text"])
            .args(["-t", &format!("{:.6}", sound.duration_s)]),
    };
    let command = command.args(["-map_chapters", "1", "-c:v", "copy", "-c:a", "copy"]);
    command.args(["-movflags", "+faststart", "-f", "mp4"])
}
