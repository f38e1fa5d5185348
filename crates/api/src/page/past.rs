//! A span goes in; what the queue did in it comes out as drawings and sums.

use queue::{History, Slot};

use super::chart::Chart;
use super::span::{Choice, Span, series};
use super::words;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// What was.
pub(super) struct Past {
    pub(super) spans: Vec<Choice>,
    /// Each drawing with its title.
    pub(super) charts: Vec<(&'static str, Chart)>,
    pub(super) since: String,
    /// Delivered and dead jobs, money and cache, in words.
    pub(super) sums: Vec<(&'static str, String)>,
}

impl Past {
    /// What was in a span; `None` while no worker has told anything, and for who may see one tenant
    /// alone.
    pub(super) async fn of(
        api: &Api,
        caller: &Caller,
        span: &Span,
    ) -> Result<Option<Self>, Problem> {
        let Some(history) = span.history(api, caller).await? else { return Ok(None) };
        let Some(first) = history.slots.first() else { return Ok(None) };
        let since = words::ago(first.at, history.at);
        let charts = vec![
            ("Jobs", depth(&history)),
            ("The oldest has waited", oldest(&history)),
            ("Jobs that ended", ended(&history)),
        ];
        Ok(Some(Self { spans: span.choices(), charts, since, sums: sums(&history.total) }))
    }
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
