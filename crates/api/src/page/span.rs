//! A span goes in; what workers have told of it comes out, as lines over time: 30 days of that are kept,
//! and no other system is asked.

use std::time::Duration;

use queue::{History, Slot};
use serde::Deserialize;

use super::chart::Series;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// How far back somebody may look, in hours.
const SPANS: [(&str, u64); 4] = [("6 h", 6), ("24 h", 24), ("7 d", 168), ("30 d", 720)];

/// How far back.
#[derive(Default, Deserialize)]
pub(super) struct Span {
    hours: Option<u64>,
}

/// A span to choose.
pub(super) struct Choice {
    pub(super) word: &'static str,
    pub(super) hours: u64,
    pub(super) is_chosen: bool,
}

impl Span {
    fn hours(&self) -> u64 {
        let is_known = |hours: &u64| SPANS.iter().any(|(_, known)| known == hours);
        self.hours.filter(is_known).unwrap_or(6)
    }

    /// Every span, and which of them this is.
    pub(super) fn choices(&self) -> Vec<Choice> {
        let chosen = self.hours();
        SPANS.map(|(word, hours)| Choice { word, hours, is_chosen: hours == chosen }).into()
    }

    /// What was in it; `None` for a caller of one tenant: it is counted over all of them.
    pub(super) async fn history(
        &self,
        api: &Api,
        caller: &Caller,
    ) -> Result<Option<History>, Problem> {
        if caller.tenant.is_some() {
            return Ok(None);
        }
        Ok(Some(api.inspector.history(Duration::from_hours(self.hours())).await?))
    }
}

/// One value a slot; a hole where no worker was there to tell.
pub(super) fn series(history: &History, word: &'static str, of: impl Fn(&Slot) -> f64) -> Series {
    series_of_some(history, word, |slot| Some(of(slot)))
}

/// The same, of what is not in every slot: one that says nothing shows what was before, since a line of
/// dots would say less. A hole stays one.
pub(super) fn series_of_some(
    history: &History,
    word: &'static str,
    of: impl Fn(&Slot) -> Option<f64>,
) -> Series {
    let step = i64::try_from(history.step_s.max(1)).unwrap_or(1);
    let (mut values, mut last, mut value) = (Vec::new(), None, None);
    for slot in &history.slots {
        let at = slot.at.timestamp() / step;
        let missing = last.map_or(0, |last: i64| (at - last - 1).max(0));
        if missing > 0 {
            value = None;
        }
        values.extend((0..missing).map(|_| None));
        value = of(slot).or(value);
        values.push(value);
        last = Some(at);
    }
    Series { word, values }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn history(slots: &[(i64, u64)]) -> History {
        let slot = |(minute, done): &(i64, u64)| {
            let at = DateTime::UNIX_EPOCH + TimeDelta::minutes(*minute);
            let jobs = queue::JobsEnded { done: *done, ..queue::JobsEnded::default() };
            Slot { at, jobs, ..Slot::default() }
        };
        let slots = slots.iter().map(slot).collect();
        History { at: DateTime::UNIX_EPOCH, step_s: 60, slots, total: Slot::default() }
    }

    #[test]
    fn a_slot_in_which_nobody_told_anything_is_a_hole() {
        let history = history(&[(1, 4), (2, 5), (5, 6)]);
        let values = series(&history, "done", |slot| slot.jobs.done as f64).values;
        assert_eq!(values, [Some(4.0), Some(5.0), None, None, Some(6.0)]);
    }

    #[test]
    fn what_a_slot_does_not_say_is_as_before_but_not_across_a_hole() {
        let history = history(&[(1, 0), (2, 5), (3, 0), (5, 0), (6, 7)]);
        let some = |slot: &Slot| Some(slot.jobs.done as f64).filter(|done| *done > 0.0);
        let values = series_of_some(&history, "p50", some).values;
        assert_eq!(values, [None, Some(5.0), Some(5.0), None, None, Some(7.0)]);
    }
}
