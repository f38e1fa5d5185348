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

/// Samples that are looked at together: few enough to stay in the nearest cache.
const BLOCK: usize = 512;

/// Lowers the passages around peaks above `ceiling`.
pub(super) fn limit(samples: &[f32], ceiling: f32) -> Vec<f32> {
    let wanted: Vec<f32> =
        peaks(samples, ceiling).into_iter().map(|peak| (ceiling / peak).min(1.0)).collect();
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

/// The true peak at and behind each sample; that of the samples alone where no more could reach `ceiling`.
fn peaks(samples: &[f32], ceiling: f32) -> Vec<f32> {
    let kernels: Vec<[f32; 2 * WING]> = (1..DENSITY).map(kernel).collect();
    let sum = |kernel: &[f32; 2 * WING]| kernel.iter().map(|tap| tap.abs()).sum::<f32>();
    let most = kernels.iter().map(sum).fold(1.0, f32::max);
    let mut peaks: Vec<f32> = samples.iter().map(|sample| sample.abs()).collect();
    // Before the first whole window and behind the last one there is nothing between the samples.
    let last = (samples.len() + 1).saturating_sub(2 * WING);
    for from in (0..last).step_by(BLOCK) {
        let count = BLOCK.min(last - from);
        let around = &samples[from..from + count + 2 * WING - 1];
        let highest = around.iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
        if highest * most > ceiling {
            let peaks = &mut peaks[from + WING - 1..][..count];
            for kernel in &kernels {
                raise(peaks, around, kernel);
            }
        }
    }
    peaks
}

/// Raises each peak to what lies between its sample and the next one. Tap by tap for a whole block, so that
/// a processor has several samples in hand at once: the same sums in the same order, at a tenth of the price.
fn raise(peaks: &mut [f32], around: &[f32], kernel: &[f32; 2 * WING]) {
    let mut between = [0.0_f32; BLOCK];
    let between = &mut between[..peaks.len()];
    for (tap, samples) in kernel.iter().zip(around.windows(peaks.len())) {
        between.iter_mut().zip(samples).for_each(|(sum, sample)| *sum += sample * tap);
    }
    peaks.iter_mut().zip(between).for_each(|(peak, sum)| *peak = peak.max(sum.abs()));
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

    /// Sample by sample, as it is written down.
    fn peak_at(samples: &[f32], at: usize) -> f32 {
        let first = (at + 1).checked_sub(WING);
        let window = first.and_then(|first| samples.get(first..first + 2 * WING));
        let between = (1..DENSITY).map(kernel).map(|kernel| {
            let sum = |window: &[f32]| window.iter().zip(&kernel).map(|(s, tap)| s * tap).sum();
            window.map_or(0.0_f32, sum).abs()
        });
        between.fold(samples[at].abs(), f32::max)
    }

    #[test]
    fn a_block_of_samples_has_the_peaks_of_each_of_them() {
        for count in [1, 2 * WING - 1, 2 * WING, BLOCK, 3 * BLOCK + 7] {
            let rough = |n: usize| ((n * 7_919) % 1_009) as f32 / 504.5 - 1.0;
            let samples: Vec<f32> = (0..count).map(rough).collect();
            let each: Vec<f32> = (0..count).map(|at| peak_at(&samples, at)).collect();
            assert_eq!(peaks(&samples, 0.0), each, "{count} samples");
        }
    }

    #[test]
    fn where_nothing_can_reach_the_ceiling_nothing_is_sought() {
        let samples = vec![0.3; 4 * BLOCK];
        let mut loud = samples.clone();
        loud[BLOCK] = 0.7;
        let wanted = |samples: &[f32]| -> Vec<bool> {
            peaks(samples, 0.75).iter().map(|peak| *peak > 0.75).collect()
        };
        let each: Vec<bool> = (0..loud.len()).map(|at| peak_at(&loud, at) > 0.75).collect();
        assert_eq!(wanted(&loud), each);
        assert_eq!(peaks(&samples, 0.75), samples);
    }

    #[test]
    fn quiet_sound_stays_as_it_is() {
        let samples: Vec<f32> = (0..RATE).map(|n| 0.3 * (n as f32 * 0.1).sin()).collect();
        assert_eq!(limit(&samples, 0.5), samples);
    }
}
