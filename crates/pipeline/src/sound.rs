//! Spoken samples go in; exact, levelled sound comes out. Mono, 24 kHz, s16 little-endian.
//!
//! Each speech passage is trimmed to its words, checked, levelled to −16 LUFS below −2 dBTP, and
//! faded by 5 ms at both ends, so that joining passages and exact silence never clicks. So it is kept;
//! `loudness` makes it as loud as the file shall be, and `fit` the pauses as long.

mod bed;
mod fit;
mod level;
mod limiter;
mod loudness;
mod mix;
mod samples;

use bytes::Bytes;

pub(crate) use self::fit::fit;
pub use self::fit::{Misfit, Stretch, lengths};
pub use self::loudness::Loudness;
pub(crate) use self::mix::{Backing, Mixed, Mixer, Turn};
use self::samples::{encode, to_f32};
pub use self::samples::{sample_count, seconds, silence};

/// Samples a second.
pub const RATE: u32 = 24_000;

/// Quieter than this, relative to its peak, is the edge of a passage and not yet its first word.
const EDGE: f32 = 0.003; // -50 dB
/// Sound kept around the words, since consonants begin softly.
const MARGIN: usize = RATE as usize / 100;
const FADE: usize = RATE as usize / 200;
/// A peak below this is silence.
const SILENT: f32 = 0.01; // -40 dBFS
/// More clipped samples than this share are audible.
const MAX_CLIPPED: f64 = 0.001;
/// Characters a second that a voice can speak; outside, words were left out or made up.
const PACE: std::ops::RangeInclusive<f64> = 4.0..=35.0;
/// Shorter texts have no steady pace.
const MIN_PACED: usize = 20;

/// What is wrong with a spoken passage. Another try may sound better.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum SoundFault {
    /// Nothing was said.
    #[error("the voice said nothing")]
    Silent,
    /// The recording is distorted.
    #[error("{0:.1} % of the samples are clipped")]
    Clipped(f64),
    /// Words were left out, or made up.
    #[error("{0:.1} characters a second were spoken, a voice speaks {PACE:?}")]
    Pace(f64),
}

impl SoundFault {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Silent => "speech-silent",
            Self::Clipped(_) => "speech-clipped",
            Self::Pace(_) => "speech-pace",
        }
    }
}

/// Checks and finishes one spoken passage of `characters` characters.
pub fn finish(samples: &[i16], characters: usize) -> Result<Bytes, SoundFault> {
    let samples: Vec<f32> = samples.iter().map(|sample| to_f32(*sample)).collect();
    let words = trim(&samples);
    check(words, characters)?;
    let mut levelled = level::level(words);
    fade(&mut levelled);
    Ok(encode(&levelled))
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
}

/// Cuts the silence before and after the words.
fn trim(samples: &[f32]) -> &[f32] {
    let threshold = peak(samples) * EDGE;
    let is_loud = |sample: &f32| sample.abs() > threshold;
    let first = samples.iter().position(is_loud).unwrap_or(0);
    let last = samples.iter().rposition(is_loud).unwrap_or(0);
    &samples[first.saturating_sub(MARGIN)..samples.len().min(last + MARGIN)]
}

fn check(words: &[f32], characters: usize) -> Result<(), SoundFault> {
    if peak(words) < SILENT {
        return Err(SoundFault::Silent);
    }
    let clipped = words.iter().filter(|sample| sample.abs() > 0.999).count();
    let share = clipped as f64 / words.len() as f64;
    if share > MAX_CLIPPED {
        return Err(SoundFault::Clipped(share * 100.0));
    }
    let pace = characters as f64 * f64::from(RATE) / words.len() as f64;
    if characters >= MIN_PACED && !PACE.contains(&pace) {
        return Err(SoundFault::Pace(pace));
    }
    Ok(())
}

fn fade(samples: &mut [f32]) {
    let length = FADE.min(samples.len() / 2);
    let gain = |index: usize| index as f32 / length as f32;
    samples.iter_mut().take(length).enumerate().for_each(|(index, sample)| *sample *= gain(index));
    let tail = samples.iter_mut().rev().take(length).enumerate();
    tail.for_each(|(index, sample)| *sample *= gain(index));
}

#[cfg(test)]
mod tests;
