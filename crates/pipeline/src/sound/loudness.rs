//! What a file is for goes in; how loud it is comes out (`OUTPUT_LOUDNESS`), by EBU R 128.

use bytes::Bytes;

use super::level::{TARGET, amplify, level_to};
use super::samples::{decode, encode};

/// What a file is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loudness {
    /// Podcasts and phones: −19 LUFS in mono, −16 in stereo, which is as loud to the ear.
    #[default]
    Podcast,
    /// Players that play everything as loud: −14 LUFS.
    Streaming,
    /// Radio and television: −23 LUFS.
    Broadcast,
}

impl Loudness {
    /// Every one, and what it is called.
    pub const ALL: [(&str, Self); 3] = [
        ("podcast", Self::Podcast),
        ("streaming", Self::Streaming),
        ("broadcast", Self::Broadcast),
    ];

    /// The one that is called so.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == word).map(|(_, loudness)| loudness)
    }

    /// What it is called.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Podcast => "podcast",
            Self::Streaming => "streaming",
            Self::Broadcast => "broadcast",
        }
    }

    /// Of a file with so many channels, in LUFS.
    pub fn of(self, channels: u16) -> f64 {
        match (self, channels) {
            (Self::Podcast, 1) => -19.0,
            (Self::Podcast, _) => -16.0,
            (Self::Streaming, _) => -14.0,
            (Self::Broadcast, _) => -23.0,
        }
    }

    /// Of a voice in one channel that makes a file as loud when it is in all of its channels.
    fn voice(self, channels: u16) -> f64 {
        self.of(channels) - 10.0 * f64::from(channels).log10()
    }

    /// A finished passage as loud as this asks for in a file with so many channels; still one. Quieter is a factor; louder is levelled
    /// anew, so that no peak rises above the ceiling.
    pub(crate) fn apply(self, pcm: &Bytes, channels: u16) -> Bytes {
        let samples = decode(pcm);
        let target = self.voice(channels);
        let levelled = if target <= TARGET {
            amplify(&samples, target - TARGET)
        } else {
            level_to(&samples, target)
        };
        encode(&levelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_called_as_it_is_read() {
        for (word, loudness) in Loudness::ALL {
            assert_eq!((loudness.as_str(), Loudness::parse(word)), (word, Some(loudness)));
        }
        assert_eq!(Loudness::parse("loud"), None);
    }
}
