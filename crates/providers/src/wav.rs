//! A WAV file goes in, mono samples at the pipeline's rate come out.
//!
//! Streaming servers write lengths that they cannot know, such as 0xffffffff; such a length means
//! "to the end". Any other length must be there, or else the file was cut short.

use std::path::Path;
use std::time::Duration;

use child::Stream;
use pipeline::{Answer, FailureClass, ProviderError, Speech, sound};
use tokio::io::AsyncWriteExt;

use crate::ffmpeg::{Ffmpeg, usage};
use crate::pcm;

/// From here on a length is a placeholder: streaming writers use 0x7ffff000 and above.
const UNKNOWN: u32 = 0x7fff_0000;
/// CPU time that no passage comes near.
const CPU: Duration = Duration::from_secs(20);

/// What is wrong with a WAV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WavFault {
    #[error("the speech is no WAV file")]
    NotWav,
    #[error("the speech was cut short")]
    Short,
    #[error("the speech is not 16-bit PCM; have the voice write that")]
    NotPcm,
}

impl WavFault {
    /// The error of a voice that answers so: an accident once, its set-up's fault twice.
    pub(crate) fn error(self, provider: &'static str) -> ProviderError {
        let code = match self {
            Self::NotWav => "speech-unreadable",
            Self::Short => "speech-cut",
            Self::NotPcm => "speech-format",
        };
        ProviderError::transient(provider, code, self.to_string())
            .again(FailureClass::Misconfigured)
    }
}

/// Samples as they lie in the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wav<'file> {
    rate: u32,
    channels: u16,
    data: &'file [u8],
}

impl<'file> Wav<'file> {
    /// Whether the bytes begin like one.
    pub(crate) fn is(bytes: &[u8]) -> bool {
        bytes.starts_with(b"RIFF")
    }

    /// Finds format and samples; skips all else.
    pub(crate) fn parse(file: &'file [u8]) -> Result<Self, WavFault> {
        let is_wave = Self::is(file) && file.get(8..12) == Some(b"WAVE");
        let mut rest = file.get(12..).filter(|_| is_wave).ok_or(WavFault::NotWav)?;
        let mut format = None;
        loop {
            let (name, length) = header(rest).ok_or(WavFault::Short)?;
            rest = &rest[8..];
            if name == *b"data" {
                let (rate, channels) = format.ok_or(WavFault::NotWav)?;
                return Ok(Self { rate, channels, data: body(rest, length)? });
            }
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let chunk = rest.get(..length).ok_or(WavFault::Short)?;
            if name == *b"fmt " {
                format = Some(pcm(chunk)?);
            }
            // Chunks lie on even places.
            rest = rest.get(length.next_multiple_of(2)..).ok_or(WavFault::Short)?;
        }
    }

    /// The same as mono samples at [`sound::RATE`]; FFmpeg resamples where that is needed.
    pub(crate) async fn speech(
        &self,
        ffmpeg: &Ffmpeg,
        scratch: &Path,
    ) -> Result<Answer<Speech>, ProviderError> {
        if (self.rate, self.channels) == (sound::RATE, 1) {
            return Ok(Answer::free(pcm::speech(self.data)));
        }
        let from = [self.rate.to_string(), self.channels.to_string()];
        let mut running = ffmpeg
            .command(scratch, CPU)
            .args(["-f", "s16le", "-ar", &from[0], "-ac", &from[1], "-i", "pipe:0"])
            .args(["-ar", &sound::RATE.to_string(), "-ac", "1", "-f", "s16le", "pipe:1"])
            .stdin(Stream::Piped)
            .stdout(Stream::Piped)
            .spawn()
            .await
            .map_err(|error| ffmpeg.failed(error))?;
        let stdin = running.stdin.take();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A broken pipe only says that FFmpeg has gone; why is in its account.
                let _ = stdin.write_all(self.data).await;
            }
        };
        let (resampled, ()) = tokio::join!(running.output(pcm::MAX_BYTES), feed);
        let (bytes, finished) = resampled.map_err(|error| ffmpeg.failed(error))?;
        Ok(Answer { value: pcm::speech(&bytes), usage: usage(&finished) })
    }
}

fn header(bytes: &[u8]) -> Option<([u8; 4], u32)> {
    let (name, rest) = bytes.split_first_chunk::<4>()?;
    Some((*name, u32::from_le_bytes(*rest.first_chunk()?)))
}

fn body(rest: &[u8], length: u32) -> Result<&[u8], WavFault> {
    if length == 0 || length >= UNKNOWN {
        return Ok(rest);
    }
    let length = usize::try_from(length).ok();
    length.and_then(|length| rest.get(..length)).ok_or(WavFault::Short)
}

/// Rate and channels of 16-bit PCM, plain or "extensible".
fn pcm(chunk: &[u8]) -> Result<(u32, u16), WavFault> {
    let short = |at: usize| {
        let pair = chunk.get(at..).and_then(<[u8]>::first_chunk);
        pair.map(|pair| u16::from_le_bytes(*pair)).ok_or(WavFault::Short)
    };
    let rate = u32::from(short(4)?) | u32::from(short(6)?) << 16;
    match (short(0)?, short(2)?, short(14)?) {
        (1 | 0xfffe, channels @ 1..=8, 16) if rate > 0 => Ok((rate, channels)),
        _ => Err(WavFault::NotPcm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rate: u32, length: u32, data: &[u8]) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0\x01\0".to_vec();
        file.extend(rate.to_le_bytes());
        file.extend((rate * 2).to_le_bytes());
        file.extend([2, 0, 16, 0]);
        file.extend(b"data");
        file.extend(length.to_le_bytes());
        file.extend(data);
        file
    }

    #[test]
    fn lengths_are_kept_unless_they_are_placeholders() {
        let whole = Wav { rate: 24_000, channels: 1, data: &[1, 2, 3, 4] };
        for length in [4, 0, 0x7fff_f000, u32::MAX] {
            assert_eq!(Wav::parse(&file(24_000, length, &[1, 2, 3, 4])).unwrap(), whole);
        }
        let trailing = file(24_000, 2, &[1, 2, b'L', b'I']);
        assert_eq!(Wav::parse(&trailing).unwrap().data, [1, 2]);
        assert_eq!(Wav::parse(&file(24_000, 6, &[1, 2, 3, 4])), Err(WavFault::Short));
    }

    #[test]
    fn other_bytes_are_refused() {
        let whole = file(24_000, 4, &[1, 2, 3, 4]);
        for end in 0..whole.len() - 4 {
            assert!(Wav::parse(&whole[..end]).is_err(), "{end}");
        }
        assert_eq!(Wav::parse(b"<html>"), Err(WavFault::NotWav));
        let mut float = whole;
        float[32] = 3;
        assert_eq!(Wav::parse(&float), Err(WavFault::NotPcm));
    }

    #[tokio::test]
    async fn any_rate_becomes_the_house_s() {
        let scratch = tempfile::tempdir().unwrap();
        let ffmpeg = Ffmpeg { program: "ffmpeg".into(), provider: "test" };
        for (rate, samples) in [(24_000, 24_000), (22_050, 22_050), (48_000, 48_000)] {
            let file = file(rate, u32::MAX, &vec![7; samples * 2]);
            let wav = Wav::parse(&file).unwrap();
            let answer = wav.speech(&ffmpeg, scratch.path()).await.unwrap();
            let off = answer.value.samples.len().abs_diff(24_000);
            assert!(off < 48, "{rate}: off by {off}");
        }
    }
}
