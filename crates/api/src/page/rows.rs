//! A record goes in; the one line that a list shows of it comes out.

use chrono::{DateTime, Utc};
use stillcast_enqueue::{JobRecord, State};

use super::parked::for_what;
use super::words;

/// One job in a list.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) state: &'static str,
    /// What it is and how it stands, in a sentence.
    pub(super) says: String,
    /// Where it has come to, or why it has not.
    pub(super) why: String,
    pub(super) tenant: Option<String>,
    pub(super) when: String,
    pub(super) exactly: String,
    pub(super) percent: Option<u8>,
    pub(super) cost: String,
}

impl Row {
    pub(super) fn of(job: &JobRecord, now: DateTime<Utc>) -> Self {
        let at = job.finished_at.or(job.started_at).or(job.enqueued_at);
        Self {
            id: job.id.clone(),
            state: job.state.as_str(),
            says: format!(
                "{} {}",
                words::title(words::format_of(job.format)),
                words::state(job.state)
            ),
            why: why(job, now),
            tenant: Some(job.tenant.clone()).filter(|tenant| tenant != "default"),
            when: at.map_or_else(String::new, |at| words::ago(at, now)),
            exactly: at.map_or_else(String::new, words::moment),
            percent: job.percent.filter(|_| job.state == State::Leased),
            cost: cost(job),
        }
    }
}

fn cost(job: &JobRecord) -> String {
    let spent = job.cost.spent_usd + job.cost.wasted_usd;
    if spent > 0.0 { words::money(spent) } else { String::new() }
}

/// What a list says behind a job's state.
fn why(job: &JobRecord, now: DateTime<Utc>) -> String {
    match job.state {
        State::Leased => job.stage.map_or_else(
            || "begins".to_owned(),
            |stage| format!("{stage}, attempt {} of {}", job.attempt, job.max_attempts),
        ),
        State::Parked => for_what(job),
        State::Delayed => job.wakes_at.map_or_else(String::new, |at| words::ago(at, now)),
        State::Ready if job.priority != 5 => format!("priority {}", job.priority),
        State::Done => job.artifact.as_ref().map_or_else(String::new, |file| {
            format!("{} long, {}", words::clock(file.duration_s), words::size(file.bytes))
        }),
        State::Dead => job.error.as_ref().map_or_else(String::new, |error| {
            error
                .stage
                .map_or_else(|| error.code.clone(), |stage| format!("{} in {stage}", error.code))
        }),
        _ => String::new(),
    }
}
