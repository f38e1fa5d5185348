//! Samples and a ceiling go in; samples whose true peak keeps below it come out.
//!
//! True peaks lie between samples, so each interval is looked at four times as densely. The gain
//! that a peak needs is reached and left over 10 ms, early enough, since the whole passage is at
//! hand.

use std::collections::VecDeque;
use std::f32::consts::PI;

use super::RATE;

/// Half the length of a gain change, in samples.
const REACH: usize = RATE as usize / 100;
/// Looks per interval between two samples.
const DENSITY: usize = 4;
/// Samples on each side that an interpolated value is made of.
const WING: usize = 6;

/// Lowers the passages around peaks above `ceiling`.
pub(super) fn limit(samples: &[f32], ceiling: f32) -> Vec<f32> {
    let wanted: Vec<f32> =
        peaks(samples).into_iter().map(|peak| (ceiling / peak).min(1.0)).collect();
    if wanted.iter().all(|gain| *gain >= 1.0) {
        return samples.to_vec();
    }
    // A mean over minima that all span a peak is never above what that peak wants.
    let least = minimum(&wanted);
    drop(wanted);
    let gains = mean(&least);
    drop(least);
    samples.iter().zip(gains).map(|(sample, gain)| sample * gain).collect()
}

/// The true peak at and behind each sample.
fn peaks(samples: &[f32]) -> Vec<f32> {
    let kernels: Vec<[f32; 2 * WING]> = (1..DENSITY).map(kernel).collect();
    (0..samples.len())
        .map(|at| {
            let between = kernels.iter().map(|kernel| interpolate(samples, at, kernel).abs());
            between.fold(samples[at].abs(), f32::max)
        })
        .collect()
}

fn interpolate(samples: &[f32], at: usize, kernel: &[f32; 2 * WING]) -> f32 {
    let first = (at + 1).checked_sub(WING);
    let whole = first.and_then(|first| samples.get(first..first + 2 * WING));
    whole.map_or(0.0, |window| window.iter().zip(kernel).map(|(sample, tap)| sample * tap).sum())
}

/// A sinc below a Hann window, for the point `phase / DENSITY` behind a sample.
fn kernel(phase: usize) -> [f32; 2 * WING] {
    let offset = phase as f32 / DENSITY as f32;
    std::array::from_fn(|tap| {
        let distance = tap as f32 - (WING as f32 - 1.0) - offset;
        let sinc = (PI * distance).sin() / (PI * distance);
        let window = (PI * distance / (2.0 * WING as f32)).cos().powi(2);
        sinc * window
    })
}

/// The least of the values within [`REACH`] of each place.
fn minimum(values: &[f32]) -> Vec<f32> {
    let mut candidates: VecDeque<usize> = VecDeque::new();
    let mut least = Vec::with_capacity(values.len());
    for at in 0..values.len() + REACH {
        if at < values.len() {
            while candidates.back().is_some_and(|&last| values[last] >= values[at]) {
                candidates.pop_back();
            }
            candidates.push_back(at);
        }
        if at >= REACH {
            while candidates.front().is_some_and(|&first| first + 2 * REACH < at) {
                candidates.pop_front();
            }
            least.push(values[candidates[0]]);
        }
    }
    least
}

/// The mean of the values within [`REACH`] of each place.
fn mean(values: &[f32]) -> Vec<f32> {
    let mut sums = vec![0.0_f64];
    for value in values {
        sums.push(sums[sums.len() - 1] + f64::from(*value));
    }
    #[expect(clippy::cast_possible_truncation, reason = "a gain needs no more than f32")]
    let around = |at: usize| {
        let (from, to) = (at.saturating_sub(REACH), (at + REACH + 1).min(values.len()));
        ((sums[to] - sums[from]) / (to - from) as f64) as f32
    };
    (0..values.len()).map(around).collect()
}

#[cfg(test)]
mod tests {
    use ebur128::{EbuR128, Mode};

    use super::*;

    fn true_peak(samples: &[f32]) -> f64 {
        let mut meter = EbuR128::new(1, RATE, Mode::TRUE_PEAK).unwrap();
        meter.add_frames_f32(samples).unwrap();
        meter.true_peak(0).unwrap()
    }

    #[test]
    fn true_peaks_keep_below_the_ceiling() {
        // A quarter of the sample rate, sampled beside its crests: they lie 3 dB above the samples.
        let crests = (0..RATE).map(|n| 0.95 * (PI / 2.0 * n as f32 + PI / 4.0).sin());
        let bursts = crests.enumerate().map(|(n, x)| if n % 6_000 < 3_000 { x } else { x * 0.1 });
        let samples: Vec<f32> = bursts.collect();
        let limited = limit(&samples, 0.5);
        let peak = true_peak(&limited);
        assert!((0.4..=0.51).contains(&peak), "{peak}");
    }

    #[test]
    fn quiet_sound_stays_as_it_is() {
        let samples: Vec<f32> = (0..RATE).map(|n| 0.3 * (n as f32 * 0.1).sin()).collect();
        assert_eq!(limit(&samples, 0.5), samples);
    }
}
