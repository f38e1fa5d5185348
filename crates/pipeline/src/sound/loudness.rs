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

    /// Of a voice in one channel, in LUFS.
    pub fn mono(self) -> f64 {
        match self {
            Self::Podcast => -19.0,
            Self::Streaming => -14.0,
            Self::Broadcast => -23.0,
        }
    }

    /// A finished passage as loud as this asks for, in one channel. Quieter is a factor; louder is levelled
    /// anew, so that no peak rises above the ceiling.
    pub(crate) fn apply(self, pcm: &Bytes) -> Bytes {
        let samples = decode(pcm);
        let target = self.mono();
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
