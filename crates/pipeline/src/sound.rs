//! Spoken samples go in; exact, levelled sound comes out. Mono, 24 kHz, s16 little-endian.
//!
//! Each speech passage is trimmed to its words, checked, levelled to −16 LUFS below −2 dBTP, and
//! faded by 5 ms at both ends, so that joining passages and exact silence never clicks.

mod level;
mod limiter;

use std::time::Duration;

use bytes::Bytes;

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
    let samples: Vec<f32> = samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    let words = trim(&samples);
    check(words, characters)?;
    let mut levelled = level::level(words);
    fade(&mut levelled);
    Ok(encode(&levelled))
}

/// Exact digital silence, to the nearest sample.
pub fn silence(length: Duration) -> Bytes {
    Bytes::from(vec![0; sample_count(length) * 2])
}

/// Playing time of `bytes` bytes of sound, in seconds.
pub fn seconds(bytes: usize) -> f64 {
    bytes as f64 / 2.0 / f64::from(RATE)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a length of time is not negative, and its samples fit by far"
)]
fn sample_count(length: Duration) -> usize {
    (length.as_secs_f64() * f64::from(RATE)).round() as usize
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

#[expect(clippy::cast_possible_truncation, reason = "the limiter keeps samples within -1 to 1")]
fn encode(samples: &[f32]) -> Bytes {
    let s16 = |sample: &f32| ((sample * 32_767.0).round() as i16).to_le_bytes();
    samples.iter().flat_map(s16).collect()
}

#[cfg(test)]
mod tests;
