//! The number of an attempt goes in; how long the next one waits comes out.

use std::time::Duration;

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// Between the attempts of one delivery, as Standard Webhooks 1.0 proposes: 75 h 35 min in all.
const PAUSES: [Duration; 9] = [
    Duration::from_secs(5),
    minutes(5),
    minutes(30),
    minutes(2 * 60),
    minutes(5 * 60),
    minutes(10 * 60),
    minutes(14 * 60),
    minutes(20 * 60),
    minutes(24 * 60),
];
/// The first attempt comes at once.
pub(super) const MAX_TRIES: usize = PAUSES.len() + 1;
/// Each pause is that much longer or shorter, so that a receiver that comes back is not met by all at
/// once.
const JITTER: f64 = 0.2;
/// No receiver is left alone for longer, whatever it asks for.
const MAX_ASKED: Duration = Duration::from_hours(24);

/// The pause behind the attempt of this number, from 1, at least `asked`; none behind the last.
/// `jitter` lies between 0 and 1.
pub(super) fn after(attempt: usize, jitter: f64, asked: Duration) -> Option<Duration> {
    let pause = PAUSES.get(attempt.saturating_sub(1))?;
    let factor = (jitter.clamp(0.0, 1.0) * 2.0 - 1.0).mul_add(JITTER, 1.0);
    Some(pause.mul_f64(factor).max(asked.min(MAX_ASKED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_take_three_days() {
        let pauses: Vec<Duration> =
            (1..).map_while(|attempt| after(attempt, 0.5, Duration::ZERO)).collect();
        assert_eq!(pauses.len() + 1, MAX_TRIES);
        // 75 h 35 min and the five seconds.
        assert_eq!(pauses.iter().sum::<Duration>(), minutes(75 * 60 + 35) + PAUSES[0]);
    }

    #[test]
    fn a_pause_is_a_fifth_longer_or_shorter() {
        let of = |jitter| after(2, jitter, Duration::ZERO).map(|pause| pause.as_secs());
        assert_eq!([0.0, 0.5, 1.0].map(of), [Some(240), Some(300), Some(360)]);
    }
}
