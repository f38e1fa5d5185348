//! What a worker sees goes in, call by call; counts by name come out, for the next word to Redis.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stillcast_enqueue::{Cost, Format, StageName, StageRecord, State};

use super::names::{Money, Name};

/// Names that are counted at once, at most: as many as the queue has room for.
const MAX_NAMES: usize = 2_000;
/// Counts of one word to Redis, at most: as many as the script takes.
const A_CALL: usize = 240;

/// Counts that Redis has not heard of. Cheap to clone; all clones count together.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<HashMap<Name, u64>>>);

impl Tally {
    /// A stage is over, in an attempt of a job of this format. Of one that has failed only its tries
    /// are counted: how long nothing took tells nobody what to expect. One that was had again counts with
    /// its delivery.
    pub fn stage_ended(&self, record: &StageRecord, format: Format, has_failed: bool) {
        let StageRecord { stage, wait_s, run_s, tries, cached, .. } = record;
        if *cached {
            return;
        }
        self.add([(Name::Miss(*stage), 1), (Name::Tries(*stage), u64::from(*tries))]);
        if !has_failed {
            self.add([(Name::wait(*stage, *wait_s), 1), (Name::run(*stage, format, *run_s), 1)]);
        }
    }

    /// A call to a provider has failed, with this code.
    pub fn call_failed(&self, stage: StageName, provider: &str, code: &str) {
        self.add([(Name::error(stage, provider, code), 1)]);
    }

    /// A job of this format was delivered by an attempt of this length, whose stages did this.
    pub(crate) fn delivered(&self, format: Format, after: Duration, stages: &[StageRecord]) {
        let again = stages.iter().filter(|record| record.cached);
        self.add(again.map(|record| (Name::Hit(record.stage), 1)));
        self.add([(Name::attempt(format, after.as_secs_f64()), 1)]);
    }

    /// An attempt is over; the job is in `state` after it, and the attempt has cost so much.
    pub(crate) fn attempt_ended(&self, state: Option<State>, cost: &Cost) {
        let money = |money, usd| (Name::Money(money), millionths(usd));
        self.add([
            money(Money::Spent, cost.spent_usd),
            money(Money::Avoided, cost.avoided_usd),
            money(Money::Wasted, cost.wasted_usd),
        ]);
        self.add(state.map(|state| (Name::Job(state), 1)));
    }

    /// What one call to Redis takes of it, by name; it is not counted here any more. A process that
    /// works for a worker hands it on to that one's.
    pub fn take(&self) -> Vec<(String, u64)> {
        let mut counts = self.counts();
        let names: Vec<Name> = counts.keys().take(A_CALL).cloned().collect();
        let taken = names.into_iter().filter_map(|name| {
            let count = counts.remove(&name)?;
            Some((name.to_string(), count))
        });
        taken.collect()
    }

    /// Whether nothing is left to tell.
    pub fn is_empty(&self) -> bool {
        self.counts().is_empty()
    }

    /// What Redis has not heard after all, or what another process has counted.
    pub fn give_back(&self, taken: &[(String, u64)]) {
        let named = taken.iter().filter_map(|(name, count)| Some((Name::parse(name)?, *count)));
        self.add(named);
    }

    fn add(&self, counted: impl IntoIterator<Item = (Name, u64)>) {
        let mut counts = self.counts();
        for (name, count) in counted.into_iter().filter(|(_, count)| *count > 0) {
            if counts.len() < MAX_NAMES || counts.contains_key(&name) {
                *counts.entry(name).or_default() += count;
            }
        }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Name, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Millionths of a dollar: a whole number, of which a hundred years' bill is less than 2^50.
fn millionths(usd: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let whole = (usd * 1e6).round().clamp(0.0, 1e12) as u64;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_taken_once_and_can_be_given_back() {
        let tally = Tally::default();
        let cost = Cost { spent_usd: 0.25, ..Cost::default() };
        tally.attempt_ended(Some(State::Done), &cost);
        tally.clone().attempt_ended(Some(State::Done), &Cost::default());
        let mut taken = tally.take();
        taken.sort();
        assert_eq!(taken, [("job:done".to_owned(), 2), ("spent".to_owned(), 250_000)]);
        assert_eq!(tally.take(), []);
        tally.give_back(&taken);
        tally.attempt_ended(Some(State::Done), &Cost::default());
        assert_eq!(tally.take().iter().map(|(_, count)| count).max(), Some(&250_000));
    }

    #[test]
    fn a_cached_stage_is_a_hit_of_its_delivery_without_a_time() {
        let (tally, cached) = (Tally::default(), StageRecord::cached(StageName::Tts, None));
        tally.stage_ended(&cached, Format::Audio, false);
        assert!(tally.is_empty());
        tally.delivered(Format::Audio, Duration::ZERO, &[cached]);
        let mut taken = tally.take();
        taken.sort();
        assert_eq!(taken, [("attempt:audio:0".to_owned(), 1), ("hit:tts".to_owned(), 1)]);
        for at in 0..3_000 {
            tally.call_failed(StageName::Tts, "p", &format!("code-{at}"));
        }
        assert_eq!(tally.take().len(), A_CALL);
        assert_eq!(tally.counts().len(), MAX_NAMES - A_CALL);
    }
}
