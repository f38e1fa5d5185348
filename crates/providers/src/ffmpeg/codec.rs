//! A container goes in; how its sound is encoded, written and read comes out.

use child::Spec;
use stillcast_enqueue::Container;

/// The highest rate that Opus takes for one channel, in kbit/s.
const OPUS: u32 = 256;

/// How the sound of a file is encoded, and what FFmpeg calls the file that holds nothing else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Codec {
    encoder: &'static str,
    /// What is asked of the encoder where speed counts.
    fast: &'static [&'static str],
    pub(super) muxer: &'static str,
    pub(super) demuxer: &'static str,
    /// What is asked of the muxer.
    pub(super) writing: &'static [&'static str],
    /// What a file is that holds nothing but the sound.
    pub(super) container: Container,
}

impl Codec {
    pub(super) fn of(container: Container) -> Self {
        match container {
            Container::M4a | Container::Mp4 | Container::Mp4Social => AAC,
            Container::Mp3 => MP3,
            Container::Opus => OGG_OPUS,
            Container::Wav => WAV,
            Container::Flac => FLAC,
        }
    }

    /// Has `command` encode at `bitrate`, such as `96k`; `live` for several files at once, of which none
    /// holds what the encoder says of itself within its packets.
    pub(super) fn encode(self, command: Spec, speed: bool, bitrate: &str, live: bool) -> Spec {
        let command = command.args(["-c:a", self.encoder]);
        let command = match self.container {
            Container::Wav | Container::Flac => command,
            Container::Opus => command.args(["-b:a", &at_most(bitrate, OPUS)]),
            _ => command.args(["-b:a", bitrate]),
        };
        let command = command.args(if speed { self.fast } else { &[] });
        if live {
            return command.args(["-map", "0:a", "-flags:a", "+global_header"]);
        }
        command.args(self.writing).args(["-f", self.muxer])
    }
}

/// A rate that is no higher than `limit`.
fn at_most(bitrate: &str, limit: u32) -> String {
    let rate = bitrate.strip_suffix('k').and_then(|rate| rate.parse::<u32>().ok());
    rate.map_or_else(|| bitrate.to_owned(), |rate| format!("{}k", rate.min(limit)))
}

const AAC: Codec = Codec {
    encoder: "aac",
    fast: &["-aac_coder", "fast"],
    muxer: "mp4",
    demuxer: "mov",
    writing: &["-movflags", "+faststart"],
    container: Container::M4a,
};

const MP3: Codec = Codec {
    encoder: "libmp3lame",
    fast: &["-compression_level", "7"],
    muxer: "mp3",
    demuxer: "mp3",
    // What every player reads.
    writing: &["-id3v2_version", "3"],
    container: Container::Mp3,
};

const OGG_OPUS: Codec = Codec {
    encoder: "libopus",
    fast: &["-compression_level", "5"],
    muxer: "opus",
    demuxer: "ogg",
    // Its serial number is drawn by lot otherwise.
    writing: &["-fflags", "+bitexact"],
    container: Container::Opus,
};

const WAV: Codec = Codec {
    encoder: "pcm_s16le",
    fast: &[],
    muxer: "wav",
    demuxer: "wav",
    writing: &[],
    container: Container::Wav,
};

const FLAC: Codec = Codec {
    encoder: "flac",
    fast: &[],
    muxer: "flac",
    demuxer: "flac",
    writing: &[],
    container: Container::Flac,
};
