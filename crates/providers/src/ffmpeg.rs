//! Sound and picture go in; an `.m4a` or `.mp4` that plays everywhere comes out.
//!
//! Sound is encoded once, by one process that takes it as it is spoken. A picture is encoded once
//! too, as one I-frame and all-skip P-frames, and repeated under the sound by copying: the price of
//! a video does not grow with its length.

mod hardware;
mod mp4;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use child::{Running, Spec, Stream};
use pipeline::{
    Answer, Clip, Encoding, Image, ImageKind, Media, MediaEncoder, ProviderError, Usage, sound,
};
use stillcast_enqueue::Format;
use tokio::io::AsyncWriteExt;
use tokio::sync::OnceCell;

use crate::command::{Ffmpeg, usage};

/// Pictures a second: a still needs no more, and players and seeking are content with it.
const FPS: u32 = 2;
/// Pictures in the clip, 30 s: the longest way to the next key frame.
const CLIP_FRAMES: u32 = 60;
/// Ticks a second of the video track.
const TIMESCALE: &str = "1024";
/// CPU time that no encode of a few minutes comes near.
const CPU: Duration = Duration::from_mins(2);

const PROVIDER: &str = "ffmpeg";
/// Changes with whatever changes the file of an equal sound and picture.
const REVISION: &str = "ffmpeg-1";

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
        format: Format,
        scratch: &Path,
    ) -> Result<Box<dyn Encoding>, ProviderError> {
        let part = part(scratch, "m4a");
        let coder: &[&str] = if self.options.speed { &["-aac_coder", "fast"] } else { &[] };
        let rate = sound::RATE.to_string();
        let running = self
            .command(scratch)
            .args(["-f", "s16le", "-ar", &rate, "-ac", "1"])
            .args(["-probesize", "32", "-analyzeduration", "0", "-i", "pipe:0"])
            .args(["-c:a", "aac", "-b:a", &self.options.audio_bitrate])
            .args(coder)
            .args(["-movflags", "+faststart", "-f", "mp4"])
            .arg(&part)
            .stdin(Stream::Piped)
            // It waits for speech most of its life; the runner's time-out is for its work.
            .without_timeout()
            .spawn()
            .map_err(|error| self.ffmpeg.failed(error))?;
        let path = scratch.join("sound.m4a");
        let ffmpeg = self.ffmpeg.clone();
        Ok(Box::new(SoundEncoding { ffmpeg, running, part, path, format, bytes: 0 }))
    }

    async fn still(&self, image: &Image, scratch: &Path) -> Result<Answer<Clip>, ProviderError> {
        let hardware = self.hardware(scratch).await;
        let picture = scratch.join("picture");
        tokio::fs::write(&picture, &image.bytes).await.map_err(self::scratch)?;
        let (part, path) = (part(scratch, "mp4"), scratch.join("clip.mp4"));
        let finished = self
            .command(scratch)
            .args(["-threads", "1", "-f", demuxer(image)?, "-max_pixels", "40000000", "-i"])
            .arg(&picture)
            .args(["-frames:v", &CLIP_FRAMES.to_string(), "-vf", &filters()])
            .args(["-r", &FPS.to_string(), "-c:v", "libx264", "-preset", "veryfast"])
            .args(["-tune", "stillimage", "-bf", "0", "-g", "9999", "-sc_threshold", "0"])
            // The I-frame is made ratio times finer than P-frames, which then have nothing to add.
            .args(["-x264-params", if self.options.speed { SPEED } else { QUALITY }])
            .args(["-threads", "2", "-colorspace", "bt709", "-color_primaries", "bt709"])
            .args(["-color_trc", "bt709", "-video_track_timescale", TIMESCALE, "-f", "mp4"])
            .arg(&part)
            .run()
            .await
            .map_err(|error| self.ffmpeg.failed(error))?;
        tokio::fs::rename(&part, &path).await.map_err(self::scratch)?;
        let mut usage = usage(&finished);
        usage.merge(&hardware);
        Ok(Answer { value: Clip { path }, usage })
    }

    async fn mux(
        &self,
        sound: &Media,
        clip: &Clip,
        scratch: &Path,
    ) -> Result<Answer<Media>, ProviderError> {
        let (part, path) = (part(scratch, "mp4"), scratch.join("video.mp4"));
        let finished = self
            .command(scratch)
            .args(["-stream_loop", "-1", "-f", "mov", "-i"])
            .arg(&clip.path)
            .args(["-f", "mov", "-i"])
            .arg(&sound.path)
            .args(["-map", "0:v", "-map", "1:a", "-c", "copy"])
            .args(["-t", &format!("{:.6}", sound.duration_s)])
            .args(["-movflags", "+faststart", "-f", "mp4"])
            .arg(&part)
            .run()
            .await
            .map_err(|error| self.ffmpeg.failed(error))?;
        let media = land(part, path, sound.duration_s).await?;
        Ok(Answer { value: media, usage: usage(&finished) })
    }
}

/// P-frames at this quantizer, the I-frame at 20 less: luma SSIM about 0.976 and 0.989 on a grainy
/// photograph.
const SPEED: &str = "qp=36:ipratio=10:mbtree=0";
const QUALITY: &str = "qp=32:ipratio=10:mbtree=0";

/// Fills 1920x1080, tags the colours, and repeats the one decoded picture.
fn filters() -> String {
    format!(
        "scale=1920:1080:force_original_aspect_ratio=increase:out_color_matrix=bt709:out_range=tv,\
         crop=1920:1080,format=yuv420p,loop=loop=-1:size=1,setpts=N/({FPS}*TB),fps={FPS}"
    )
}

/// The one demuxer that may read the picture: nothing is guessed from its bytes by FFmpeg.
fn demuxer(image: &Image) -> Result<&'static str, ProviderError> {
    match image.kind() {
        Some(ImageKind::Png) => Ok("png_pipe"),
        Some(ImageKind::Jpeg) => Ok("jpeg_pipe"),
        None => {
            let message = "the picture is neither PNG nor JPEG";
            Err(ProviderError::permanent(PROVIDER, "image-unknown", message))
        }
    }
}

/// The sound's encoder at work.
struct SoundEncoding {
    ffmpeg: Ffmpeg,
    running: Running,
    part: PathBuf,
    path: PathBuf,
    format: Format,
    bytes: usize,
}

impl SoundEncoding {
    /// Silence up to the next whole picture, so that both tracks of a video end together.
    fn padding(&self) -> Bytes {
        let frame = match self.format {
            Format::Audio => return Bytes::new(),
            Format::Video => (sound::RATE / FPS) as usize * 2,
        };
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

    async fn finish(mut self: Box<Self>) -> Result<Answer<Media>, ProviderError> {
        let padding = self.padding();
        self.write(padding).await?;
        let finished = self.running.wait().await.map_err(|error| self.ffmpeg.failed(error))?;
        let duration_s = sound::seconds(self.bytes);
        let media = land(self.part.clone(), self.path.clone(), duration_s).await?;
        Ok(Answer { value: media, usage: usage(&finished) })
    }
}

/// Checks that a finished file lasts as long as it should, then gives it its name.
async fn land(part: PathBuf, path: PathBuf, duration_s: f64) -> Result<Media, ProviderError> {
    let broken = |why: String| ProviderError::transient(PROVIDER, "media-broken", why);
    let landed = tokio::task::spawn_blocking(move || {
        let facts = mp4::inspect(&part)?;
        facts.check(duration_s)?;
        std::fs::rename(&part, &path)?;
        Ok::<_, std::io::Error>(Media { path, duration_s: facts.duration_s })
    });
    let media = landed.await.map_err(|panic| broken(panic.to_string()))?;
    media.map_err(|fault| broken(fault.to_string()))
}

fn part(scratch: &Path, extension: &str) -> PathBuf {
    scratch.join(format!("{:016x}.{extension}.part", fastrand::u64(..)))
}

fn scratch(error: std::io::Error) -> ProviderError {
    let message = format!("the scratch folder cannot be written: {error}");
    ProviderError::transient(PROVIDER, "scratch-unwritable", message).because(error)
}

#[cfg(test)]
#[cfg(feature = "offline")]
mod tests;
