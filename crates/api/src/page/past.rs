//! A span goes in; what the queue did in it comes out as drawings and sums, out of what workers have
//! told it: 30 days of that are kept, and no other system is asked.

use std::time::Duration;

use queue::{History, Slot};
use serde::Deserialize;

use super::chart::{Chart, Series};
use super::words;
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

/// What was.
pub(super) struct Past {
    pub(super) spans: Vec<Choice>,
    /// Each drawing with its title.
    pub(super) charts: Vec<(&'static str, Chart)>,
    pub(super) since: String,
    /// Delivered and dead jobs, money and cache, in words.
    pub(super) sums: Vec<(&'static str, String)>,
}

/// A span to choose.
pub(super) struct Choice {
    pub(super) word: &'static str,
    pub(super) hours: u64,
    pub(super) is_chosen: bool,
}

impl Past {
    /// What was in a span; `None` while no worker has told anything. It is counted over all tenants, so
    /// that who may see one alone sees nothing of it.
    pub(super) async fn of(
        api: &Api,
        caller: &Caller,
        Span { hours }: Span,
    ) -> Result<Option<Self>, Problem> {
        if caller.tenant.is_some() {
            return Ok(None);
        }
        let is_known = |hours: &u64| SPANS.iter().any(|(_, known)| known == hours);
        let hours = hours.filter(is_known).unwrap_or(6);
        let history = api.inspector.history(Duration::from_hours(hours)).await?;
        let Some(first) = history.slots.first() else { return Ok(None) };
        let spans = SPANS.map(|(word, of)| Choice { word, hours: of, is_chosen: of == hours });
        let since = words::ago(first.at, history.at);
        let charts = vec![
            ("Jobs", depth(&history)),
            ("The oldest has waited", oldest(&history)),
            ("Jobs that ended", ended(&history)),
        ];
        Ok(Some(Self { spans: spans.into(), charts, since, sums: sums(&history.total) }))
    }
}

/// One value a slot; a hole where no worker was there to tell.
fn series(history: &History, word: &'static str, of: impl Fn(&Slot) -> f64) -> Series {
    let step = i64::try_from(history.step_s.max(1)).unwrap_or(1);
    let mut values = Vec::new();
    let mut last = None;
    for slot in &history.slots {
        let at = slot.at.timestamp() / step;
        let missing = last.map_or(0, |last: i64| (at - last - 1).max(0));
        values.extend((0..missing).map(|_| None));
        values.push(Some(of(slot)));
        last = Some(at);
    }
    Series { word, values }
}

fn depth(history: &History) -> Chart {
    let all = vec![
        series(history, "ready", |slot| slot.depth.ready as f64),
        series(history, "leased", |slot| slot.depth.leased as f64),
        series(history, "parked", |slot| slot.depth.parked as f64),
    ];
    Chart::of("Jobs", all, number)
}

fn oldest(history: &History) -> Chart {
    let parked = |slot: &Slot| {
        let others = slot.oldest_s.iter().filter(|(why, _)| why.as_str() != "ready");
        others.map(|(_, seconds)| *seconds).max().unwrap_or(0) as f64
    };
    let ready = |slot: &Slot| slot.oldest_s.get("ready").copied().unwrap_or(0) as f64;
    let all = vec![series(history, "ready", ready), series(history, "parked", parked)];
    Chart::of("The oldest has waited", all, words::span)
}

fn ended(history: &History) -> Chart {
    let all = vec![
        series(history, "done", |slot| slot.jobs.done as f64),
        series(history, "dead", |slot| slot.jobs.dead as f64),
    ];
    Chart::of("Jobs that ended", all, number)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they were counts")]
fn number(value: f64) -> String {
    words::count(value as u64)
}

fn sums(total: &Slot) -> Vec<(&'static str, String)> {
    let (hits, all) = (total.cache.hits, total.cache.hits + total.cache.misses);
    let share = if all == 0 { 0.0 } else { 100.0 * hits as f64 / all as f64 };
    vec![
        ("delivered", words::jobs(total.jobs.done)),
        ("dead", words::jobs(total.jobs.dead)),
        ("spent", words::money(total.cost.spent_usd)),
        ("avoided", words::money(total.cost.avoided_usd)),
        ("wasted", words::money(total.cost.wasted_usd)),
        ("from cache", format!("{share:.0} %")),
    ]
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    #[test]
    fn a_slot_in_which_nobody_told_anything_is_a_hole() {
        let slot = |minute: i64, done: u64| {
            let at = DateTime::UNIX_EPOCH + TimeDelta::minutes(minute);
            let jobs = queue::JobsEnded { done, ..queue::JobsEnded::default() };
            Slot { at, jobs, ..Slot::default() }
        };
        let slots = vec![slot(1, 4), slot(2, 5), slot(5, 6)];
        let history =
            History { at: DateTime::UNIX_EPOCH, step_s: 60, slots, total: Slot::default() };
        let values = series(&history, "done", |slot| slot.jobs.done as f64).values;
        assert_eq!(values, [Some(4.0), Some(5.0), None, None, Some(6.0)]);
    }
}
