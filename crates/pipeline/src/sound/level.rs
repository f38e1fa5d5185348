//! A passage of any level goes in; the same at −16 LUFS and at most −2 dBTP comes out.

use ebur128::{EbuR128, Mode};

use super::RATE;
use super::limiter::limit;

/// Integrated loudness at which passages are kept, in LUFS; what a file is for decides its own.
pub(super) const TARGET: f64 = -16.0;
/// The ceiling: −2 dBTP, so that AAC's own overshoot stays below −1 dBTP.
pub(super) const CEILING: f32 = 0.794;
/// Close enough, in LU.
const TOLERANCE: f64 = 0.1;
/// Rounds of levelling and limiting; the limiter takes some loudness, the next round returns it.
const ROUNDS: usize = 4;
/// Integrated loudness needs blocks of 0.4 s: shorter passages are measured as if repeated.
const MEASURED: usize = 2 * RATE as usize;

/// Levels `samples`, which are not silent, to how passages are kept.
pub(super) fn level(samples: &[f32]) -> Vec<f32> {
    level_to(samples, TARGET)
}

/// Levels `samples`, which are not silent, to `target` LUFS below the ceiling.
pub(super) fn level_to(samples: &[f32], target: f64) -> Vec<f32> {
    let mut gain = target - loudness(samples);
    let mut levelled = Vec::new();
    for _ in 0..ROUNDS {
        // Some megabytes less while the next one is made.
        drop(levelled);
        levelled = limit(&amplify(samples, gain), CEILING);
        let missing = target - loudness(&levelled);
        if missing.abs() < TOLERANCE {
            break;
        }
        gain += missing;
    }
    levelled
}

/// `samples` so many decibels louder.
#[expect(clippy::cast_possible_truncation, reason = "a gain needs no more than f32")]
pub(super) fn amplify(samples: &[f32], decibels: f64) -> Vec<f32> {
    let factor = 10_f64.powf(decibels / 20.0) as f32;
    samples.iter().map(|sample| sample * factor).collect()
}

/// Integrated loudness in LUFS.
pub(super) fn loudness(samples: &[f32]) -> f64 {
    let mut meter = EbuR128::new(1, RATE, Mode::I).expect("one channel at 24 kHz is allowed");
    for _ in 0..MEASURED.div_ceil(samples.len().max(1)) {
        meter.add_frames_f32(samples).expect("any number of mono samples is allowed");
    }
    // Below the gate of −70 LUFS the meter says −∞, which no gain could mend.
    meter.loudness_global().map_or(-70.0, |loudness| loudness.max(-70.0))
}
