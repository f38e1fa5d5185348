//! `FFMPEG_PATH`, `AUDIO_BITRATE`, `OUTPUT_LOUDNESS`, `OPTIMIZE_FOR_SPEED` and
//! `ENABLE_HARDWARE_ACCELERATION` go in; how the file is made comes out.

use std::path::PathBuf;

use pipeline::sound::Loudness;
use settings::Reader;

/// How the file is made.
#[derive(Clone, Debug)]
pub(crate) struct EncodingConfig {
    /// FFmpeg, a path or a name in PATH.
    pub(crate) ffmpeg: PathBuf,
    /// Such as `96k`.
    pub(crate) audio_bitrate: String,
    /// What the file is for.
    pub(crate) loudness: Loudness,
    /// Fewer CPU seconds before a finer picture.
    pub(crate) speed: bool,
    /// Whether to look for a hardware encoder.
    pub(crate) hardware: bool,
}

/// Reads the section.
pub(super) fn read(reader: &mut Reader) -> Option<EncodingConfig> {
    let ffmpeg = reader.read("ffmpeg_path", |text| Ok(PathBuf::from(text)));
    let audio_bitrate = reader.read("audio_bitrate", bitrate);
    let loudness = reader.read("output_loudness", loudness);
    let speed = reader.flag("optimize_for_speed");
    let hardware = reader.flag("enable_hardware_acceleration");
    Some(EncodingConfig {
        ffmpeg: ffmpeg?,
        audio_bitrate: audio_bitrate?,
        loudness: loudness?,
        speed: speed?,
        hardware: hardware?,
    })
}

fn loudness(word: &str) -> Result<Loudness, String> {
    let words = || Loudness::ALL.map(|(known, _)| known).join(", ");
    Loudness::parse(word).ok_or_else(|| format!("is one of {}", words()))
}

fn bitrate(text: &str) -> Result<String, String> {
    let kilobits = text.strip_suffix('k').and_then(|number| number.parse::<u32>().ok());
    match kilobits {
        Some(32..=320) => Ok(text.to_owned()),
        _ => Err("is a rate from 32k to 320k".to_owned()),
    }
}
