//! The bytes of an answer and what was said of them go in; speech comes out: mono samples at
//! [`sound::RATE`].
//!
//! What the bytes are decides, and not what they are called: servers ignore the format that they
//! were asked for, and name another. Files are known by their first bytes ([`container`]); those of
//! plain samples ([`wav`]) are read here, packed ones by FFmpeg ([`decode`]), whose result must last
//! as long as the file says ([`claim`]). What has no head is taken for the raw samples that its media
//! type describes ([`media_type`], [`layout`]), if they can be a voice at all ([`plausible`]).

mod claim;
mod container;
mod decode;
mod fault;
mod frames;
#[cfg(test)]
mod fuzz;
mod layout;
mod listener;
mod media_type;
mod plausible;
#[cfg(test)]
mod tests;
mod wav;

use std::path::Path;

use bytes::Bytes;
use pipeline::{Answer, GivenUp, ProviderError, Speech, arithmetic, sound};

use claim::claim;
pub(crate) use container::Container;
use decode::{decode, resample};
use fault::Fault;
pub(crate) use fault::MAX_BYTES;
use layout::Layout;
pub(crate) use listener::Listener;
pub(crate) use media_type::MediaType;
use wav::{Wav, WavFault};

use crate::pcm;

/// Text that a server sends instead of sound is shorter.
const MAX_TEXT: usize = 64 << 10;

/// What bytes are, as far as that can be told without FFmpeg.
#[derive(Debug, PartialEq)]
pub(crate) enum Recording {
    /// All channels as one.
    Samples { mono: Vec<i16>, rate: u32 },
    /// A file that FFmpeg may know, and the seconds that it claims to last.
    Packed { container: Container, claimed: Option<f64> },
}

impl Recording {
    /// Reads `body`; raw samples only where a `media_type` may describe them. Blocks: some 20 ms for
    /// half a minute.
    pub(crate) fn read(body: &[u8], media_type: Option<&MediaType>) -> Result<Self, Fault> {
        match Container::of(body) {
            Some(Container::Wav) => match Wav::parse(body) {
                Ok(wav) => Self::samples(wav.layout, &wav.data),
                Err(WavFault::Packed) => Self::packed(Container::Wav, body),
                Err(fault) => Err(fault.into()),
            },
            Some(container) => Self::packed(container, body),
            None => match media_type {
                Some(media_type) if !is_text(body) => Self::raw(body, media_type),
                _ => Err(Fault::NotSound),
            },
        }
    }

    /// Bytes without a head. Where a media type fits two orders of bytes, the voice decides.
    fn raw(body: &[u8], media_type: &MediaType) -> Result<Self, Fault> {
        let layouts = media_type.layouts()?;
        let [first, ..] = layouts.as_slice() else { return Err(Fault::NotSound) };
        let is_voice = |layout: &&Layout| plausible::judge(&layout.first_channel(body)).is_ok();
        let layout = layouts.iter().find(is_voice).unwrap_or(first);
        let samples = Self::samples(*layout, body)?;
        // The rest of the last sample was lost with it.
        if body.len().is_multiple_of(layout.frame()) { Ok(samples) } else { Err(Fault::Cut) }
    }

    fn samples(layout: Layout, data: &[u8]) -> Result<Self, Fault> {
        plausible::judge(&layout.first_channel(data))?;
        let (mono, rate) = (layout.mono(data), layout.rate);
        let longest = pcm::MAX_SAMPLES as u64 * u64::from(rate) / u64::from(sound::RATE);
        if mono.len() as u64 > longest { Err(Fault::Cut) } else { Ok(Self::Samples { mono, rate }) }
    }

    fn packed(container: Container, body: &[u8]) -> Result<Self, Fault> {
        Ok(Self::Packed { container, claimed: claim(container, body)? })
    }
}

impl Listener {
    /// The speech in `body`; without a `media_type` it must have a head.
    pub(crate) async fn speech(
        &self,
        body: Bytes,
        media_type: Option<MediaType>,
        scratch: &Path,
    ) -> Result<Answer<Speech>, ProviderError> {
        let bytes = body.clone();
        let reading = arithmetic(move || Recording::read(&bytes, media_type.as_ref()));
        let read = reading.await.map_err(|panic| self.panicked(panic))?;
        match read.map_err(|fault| self.error(fault))? {
            Recording::Samples { mono: samples, rate: sound::RATE } => {
                Ok(Answer::free(Speech { samples }))
            }
            Recording::Samples { mono, rate } => resample(&self.ffmpeg, &mono, rate, scratch).await,
            Recording::Packed { container, claimed } => {
                let answer = decode(self, container, &body, scratch).await?;
                let seconds = answer.value.samples.len() as f64 / f64::from(sound::RATE);
                let is_short = claimed.is_some_and(|claimed| claim::is_short(seconds, claimed));
                if is_short { Err(self.error(Fault::Cut)) } else { Ok(answer) }
            }
        }
    }

    fn panicked(&self, panic: GivenUp) -> ProviderError {
        ProviderError::transient(self.ffmpeg.provider, "speech-unreadable", panic.to_string())
    }
}

/// A page or a JSON document that calls itself sound.
fn is_text(body: &[u8]) -> bool {
    let begins = body.trim_ascii_start().first();
    body.len() <= MAX_TEXT
        && begins.is_some_and(|first| matches!(first, b'{' | b'[' | b'<'))
        && std::str::from_utf8(body).is_ok()
}
