//! A time goes in, the number of its bucket comes out; counts by bucket go in, quantiles come out.
//!
//! Each bucket is a fifth longer than the one before, so that what is read from it is at most a tenth off.

use std::collections::BTreeMap;

/// What is shorter is in bucket 0.
const SHORTEST_S: f64 = 0.01;
const GROWTH: f64 = 1.2;
/// Twenty minutes and longer.
const LAST: u32 = 64;

/// The bucket of a time in seconds.
pub(super) fn bucket(seconds: f64) -> u32 {
    if seconds.is_nan() || seconds < SHORTEST_S {
        return 0;
    }
    let steps = (seconds / SHORTEST_S).ln() / GROWTH.ln();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let whole = steps.floor().clamp(0.0, f64::from(LAST - 1)) as u32;
    whole + 1
}

/// The middle of a bucket, in seconds.
fn middle(bucket: u32) -> f64 {
    if bucket == 0 {
        return SHORTEST_S / 2.0;
    }
    SHORTEST_S * GROWTH.powf(f64::from(bucket) - 0.5)
}

/// Between which times a bucket lies, in seconds.
fn edges(bucket: u32) -> (f64, f64) {
    let edge = |step: u32| SHORTEST_S * GROWTH.powf(f64::from(step));
    if bucket == 0 { (0.0, SHORTEST_S) } else { (edge(bucket - 1), edge(bucket)) }
}

/// Counts by bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Buckets(BTreeMap<u32, u64>);

impl Buckets {
    pub(super) fn add(&mut self, bucket: u32, count: u64) {
        *self.0.entry(bucket.min(LAST)).or_default() += count;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(bucket, count)| self.add(*bucket, *count));
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// The edges, in seconds, between which those between two shares of all lie.
    pub(crate) fn between(&self, (least, most): (f64, f64)) -> Option<(f64, f64)> {
        let (first, last) = (self.bucket_at(least)?, self.bucket_at(most)?);
        Some((edges(first).0, edges(last).1))
    }

    /// Those that are longer than so many seconds, or may be.
    pub(crate) fn beyond(&self, seconds: f64) -> Self {
        let longer = self.0.iter().filter(|(bucket, _)| edges(**bucket).1 > seconds);
        Self(longer.map(|(bucket, count)| (*bucket, *count)).collect())
    }

    /// The mean, in seconds; 0 of nothing.
    pub(crate) fn mean_s(&self) -> f64 {
        let sum: f64 = self.0.iter().map(|(bucket, count)| middle(*bucket) * *count as f64).sum();
        sum / (self.count().max(1) as f64)
    }

    /// The standard deviation, in seconds.
    pub(crate) fn deviation_s(&self) -> f64 {
        let mean = self.mean_s();
        let square =
            |(bucket, count): (&u32, &u64)| (middle(*bucket) - mean).powi(2) * *count as f64;
        (self.0.iter().map(square).sum::<f64>() / (self.count().max(1) as f64)).sqrt()
    }

    /// One more of so many seconds.
    #[cfg(test)]
    pub(crate) fn add_time(&mut self, seconds: f64) {
        self.add(bucket(seconds), 1);
    }

    fn bucket_at(&self, share: f64) -> Option<u32> {
        let wanted = (share * self.count() as f64).ceil().max(1.0);
        let mut seen = 0;
        self.0.iter().find_map(|(bucket, count)| {
            seen += count;
            (seen as f64 >= wanted).then_some(*bucket)
        })
    }

    /// The time, in seconds, below which `share` of all lie; `None` of nothing.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        self.bucket_at(share).map(middle)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_quantile_is_at_most_a_tenth_off(
            mut times in prop::collection::vec(0.02..1_000.0_f64, 1..200),
            share in 0.0..1.0_f64,
        ) {
            let mut buckets = Buckets::default();
            for time in &times {
                buckets.add_time(*time);
            }
            times.sort_by(f64::total_cmp);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few")]
            let at = ((share * times.len() as f64).ceil().max(1.0) as usize) - 1;
            let (truth, read) = (times[at], buckets.quantile(share).unwrap());
            prop_assert!((read / truth - 1.0).abs() <= 0.1, "{read} s for {truth} s");
        }
    }

    #[test]
    fn odd_times_have_a_bucket() {
        for odd in [f64::NAN, -1.0, 0.0, 0.009] {
            assert_eq!(bucket(odd), 0);
        }
        assert_eq!((bucket(f64::INFINITY), bucket(1e9)), (LAST, LAST));
        assert_eq!(Buckets::default().quantile(0.5), None);
    }
}
