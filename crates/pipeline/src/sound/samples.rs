//! Lengths of time go in and samples come out, and samples and their bytes become each other.

use std::time::Duration;

use bytes::Bytes;

use super::RATE;

/// A sample of each of two channels, left and right.
pub(super) type Frame = [f32; 2];

/// Exact digital silence, to the nearest sample.
pub fn silence(length: Duration) -> Bytes {
    Bytes::from(vec![0; sample_count(length) * 2])
}

/// Playing time of `bytes` bytes of sound, in seconds.
pub fn seconds(bytes: usize) -> f64 {
    seconds_of(bytes / 2)
}

/// Playing time of `samples` samples, in seconds.
pub(super) fn seconds_of(samples: usize) -> f64 {
    samples as f64 / f64::from(RATE)
}

/// Samples of a length of time, to the nearest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a length of time is not negative, and its samples fit by far"
)]
pub fn sample_count(length: Duration) -> usize {
    (length.as_secs_f64() * f64::from(RATE)).round() as usize
}

pub(super) fn to_f32(sample: i16) -> f32 {
    f32::from(sample) / 32_768.0
}

/// Samples from −1 to 1.
pub(super) fn decode(pcm: &[u8]) -> Vec<f32> {
    let sample = |pair: &[u8]| pair.try_into().map_or(0.0, |pair| to_f32(i16::from_le_bytes(pair)));
    pcm.chunks_exact(2).map(sample).collect()
}

/// The bytes of samples.
#[expect(clippy::cast_possible_truncation, reason = "the limiter keeps samples within -1 to 1")]
pub(super) fn encode(samples: &[f32]) -> Bytes {
    let s16 = |sample: &f32| ((sample * 32_767.0).round() as i16).to_le_bytes();
    samples.iter().flat_map(s16).collect()
}
