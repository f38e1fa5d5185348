//! How long attempts took lately goes in; when a job, or the whole queue, is likely to be done comes out.
//!
//! What a job still takes is what those took that have run as long as it has; what it waits for is its
//! turn among the slots. Whoever arrives later and goes first is not foreseen.

use stillcast_enqueue::{Eta, Format};

use crate::history::{Buckets, Counts};

/// Fewer attempts say nothing.
const FEWEST: u64 = 5;
/// The shares between which an interval lies.
const SHARES: (f64, f64) = (0.05, 0.95);
/// How far from its middle a sum is, in standard deviations, nine times in ten.
const DEVIATIONS: f64 = 1.65;
/// How much slower or faster the next turns may be than the last ones: machines and providers change.
const DRIFT: f64 = 0.3;
/// What is due is claimed within that time.
const CLAIM_S: f64 = 2.0;

/// How long attempts took that delivered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expectations {
    audio: Buckets,
    video: Buckets,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    /// It runs, since so many seconds.
    Runs { elapsed_s: f64 },
    /// Its time comes in so many seconds, and a slot is free then.
    Sleeps { seconds: f64 },
    /// A slot is free; so many go first.
    Next { ahead: u64 },
    /// All of so many slots are taken; so many go first.
    Queues { ahead: u64, slots: u64 },
}

impl Expectations {
    pub(crate) fn of(counts: &Counts) -> Self {
        Self { audio: counts.attempts(Format::Audio), video: counts.attempts(Format::Video) }
    }

    /// When a job of this format is likely to be done; `None` when too little is known.
    pub(crate) fn job(&self, format: Format, place: Place) -> Option<Eta> {
        let lasts = match format {
            Format::Audio => &self.audio,
            Format::Video => &self.video,
        };
        if lasts.count() < FEWEST {
            return None;
        }
        let (least, most) = lasts.between(SHARES)?;
        let (from_s, to_s) = match place {
            Place::Runs { elapsed_s } => {
                let (least, most) = lasts.beyond(elapsed_s).between(SHARES)?;
                (least - elapsed_s, most - elapsed_s)
            }
            Place::Sleeps { seconds } => (seconds + least, seconds + CLAIM_S + most),
            Place::Next { ahead } => {
                let turn = ahead as f64 * self.all().mean_s();
                (least, CLAIM_S + turn + most)
            }
            Place::Queues { ahead, slots } => {
                let (soonest, latest) = self.turns(ahead + 1, slots)?;
                (soonest + least, latest + most)
            }
        };
        Some(Eta { from_s: from_s.max(0.0), to_s: to_s.max(0.0) })
    }

    /// When `jobs` are likely to be done by so many slots.
    pub(crate) fn queue(&self, jobs: u64, slots: u64) -> Option<Eta> {
        if jobs == 0 {
            return Some(Eta { from_s: 0.0, to_s: 0.0 });
        }
        let (from_s, latest) = self.turns(jobs, slots)?;
        let (_, last) = self.all().between(SHARES)?;
        Some(Eta { from_s, to_s: latest + last })
    }

    /// How long an attempt takes, in seconds, on average; `None` when too little is known.
    pub(crate) fn attempt_s(&self) -> Option<f64> {
        let all = self.all();
        (all.count() >= FEWEST).then(|| all.mean_s())
    }

    /// When so many slots, all taken, have ended `jobs` of what they do one after the other.
    fn turns(&self, jobs: u64, slots: u64) -> Option<(f64, f64)> {
        let all = self.all();
        if slots == 0 || all.count() < FEWEST {
            return None;
        }
        let (jobs, slots) = (jobs as f64, slots as f64);
        // Where the jobs under way stand is not known: one turn of a slot.
        let (middle, turn) = (jobs * all.mean_s() / slots, all.mean_s() / slots);
        let deviation = DEVIATIONS * jobs.sqrt() * all.deviation_s() / slots;
        let soonest = middle * (1.0 - DRIFT) - deviation - turn;
        let latest = middle * (1.0 + DRIFT) + deviation + turn;
        Some((soonest.max(0.0), latest))
    }

    /// Slots are taken by either format.
    fn all(&self) -> Buckets {
        let mut all = self.audio.clone();
        all.merge(&self.video);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hundred attempts of 10 to 20 s.
    fn expectations() -> Expectations {
        let mut audio = Buckets::default();
        (0..100).for_each(|at| audio.add_time(10.0 + 0.1 * f64::from(at)));
        Expectations { audio, video: Buckets::default() }
    }

    fn eta(place: Place) -> Eta {
        expectations().job(Format::Audio, place).unwrap()
    }

    #[test]
    fn what_runs_longer_has_less_left_and_nothing_is_known_beyond_the_longest() {
        let (new, old) =
            (eta(Place::Runs { elapsed_s: 0.0 }), eta(Place::Runs { elapsed_s: 15.0 }));
        assert!(new.from_s <= 10.5 && new.to_s >= 19.5 && new.to_s < 25.0, "{new:?}");
        assert!(old.from_s < 1.0 && old.to_s >= 4.5 && old.to_s < 10.0, "{old:?}");
        let beyond = Place::Runs { elapsed_s: 99.0 };
        assert_eq!(expectations().job(Format::Audio, beyond), None);
    }

    #[test]
    fn whoever_waits_has_the_turns_before_it() {
        let queued = eta(Place::Queues { ahead: 9, slots: 2 });
        // Five turns of 15 s on each slot, and its own.
        assert!(queued.from_s < 85.0 && queued.to_s > 90.0, "{queued:?}");
        assert!(queued.from_s > 30.0 && queued.to_s < 150.0, "{queued:?}");
        let next = eta(Place::Next { ahead: 0 });
        assert!(next.from_s <= 10.5 && next.to_s > 20.0 && next.to_s < 26.0, "{next:?}");
        let sleeps = eta(Place::Sleeps { seconds: 100.0 });
        assert!(sleeps.from_s > 105.0 && sleeps.to_s < 126.0, "{sleeps:?}");
    }

    #[test]
    fn nothing_is_said_where_nothing_is_known() {
        let place = Place::Next { ahead: 0 };
        assert_eq!(expectations().job(Format::Video, place), None);
        assert_eq!(Expectations::default().job(Format::Audio, place), None);
        assert_eq!(Expectations::default().queue(3, 2), None);
        assert_eq!(expectations().queue(3, 0), None);
        assert_eq!(expectations().queue(0, 0), Some(Eta { from_s: 0.0, to_s: 0.0 }));
    }

    #[test]
    fn a_queue_is_empty_after_all_its_turns() {
        let empty = expectations().queue(100, 4).unwrap();
        assert!(empty.from_s < 375.0 && empty.to_s > 375.0, "{empty:?}");
        assert!(empty.from_s > 200.0 && empty.to_s < 560.0, "{empty:?}");
    }
}
