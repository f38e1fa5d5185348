//! `/dead`: jobs that will not run again by themselves, by what has killed them, each cause with what
//! to do about it.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use queue::MAX_PAGE;
use stillcast_enqueue::{JobRecord, State as JobState};

use super::cures::cure;
use super::rows::Row;
use super::shell::{Here, Shell, Viewer, html};
use super::words;
use crate::caller::{Caller, Right};
use crate::problem::Problem;
use crate::routes::seen_by;
use crate::state::Api;

/// Jobs of a cause that are shown by name.
const SHOWN: usize = 5;

#[derive(Template)]
#[template(path = "dead.html")]
struct Dead {
    shell: Shell,
    headline: String,
    causes: Vec<Cause>,
    /// Whether there are more than were looked at.
    is_cut: bool,
    may_replay: bool,
}

/// Jobs that died of the same.
struct Cause {
    /// What the form sends.
    key: String,
    code: String,
    where_: String,
    message: String,
    cure: &'static str,
    number: String,
    newest: String,
    spent: String,
    rows: Vec<Row>,
    more: usize,
}

pub(super) async fn list_dead(State(api): State<Api>, viewer: Viewer) -> Result<Response, Problem> {
    let (shell, stats) = Shell::of(&api, &viewer, Here::Dead).await?;
    let (jobs, next) = seen_by(&api, &viewer.caller, Some(JobState::Dead), MAX_PAGE, None).await?;
    let mut groups: BTreeMap<String, Vec<&JobRecord>> = BTreeMap::new();
    for job in &jobs {
        groups.entry(key(job)).or_default().push(job);
    }
    let mut groups: Vec<(String, Vec<&JobRecord>)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, jobs)| std::cmp::Reverse(jobs.len()));
    let page = Dead {
        shell,
        headline: headline(jobs.len()),
        causes: groups.into_iter().map(|(key, jobs)| Cause::of(key, &jobs, stats.at)).collect(),
        is_cut: next.is_some(),
        may_replay: viewer.caller.may(Right::Mend).is_ok(),
    };
    html(&page)
}

fn headline(number: usize) -> String {
    match number {
        0 => "No job is dead.".to_owned(),
        1 => "1 job is dead.".to_owned(),
        number => format!("{} are dead.", words::jobs(number as u64)),
    }
}

/// What the same cause is: code, stage and provider.
fn key(job: &JobRecord) -> String {
    let Some(error) = &job.error else { return "unknown".to_owned() };
    let stage = error.stage.map_or("", |stage| stage.as_str());
    format!("{} {stage} {}", error.code, error.provider.as_deref().unwrap_or_default())
}

/// The newest dead jobs of one cause that a caller may know of, at most 500.
pub(super) async fn ids_of(
    api: &Api,
    caller: &Caller,
    cause: &str,
) -> Result<Vec<String>, Problem> {
    let (jobs, _) = seen_by(api, caller, Some(JobState::Dead), MAX_PAGE, None).await?;
    Ok(jobs.into_iter().filter(|job| key(job) == cause).map(|job| job.id).collect())
}

impl Cause {
    fn of(key: String, jobs: &[&JobRecord], now: chrono::DateTime<chrono::Utc>) -> Self {
        let error = jobs.first().and_then(|job| job.error.as_ref());
        let stage = error.and_then(|error| error.stage).map(|stage| format!("in {stage}"));
        let provider = error.and_then(|error| error.provider.as_ref()).map(|by| format!("by {by}"));
        let where_: Vec<String> = stage.into_iter().chain(provider).collect();
        let newest = jobs.iter().filter_map(|job| job.finished_at).max();
        let code = error.map_or_else(|| "unknown".to_owned(), |error| error.code.clone());
        Self {
            key,
            cure: cure(&code),
            code,
            where_: where_.join(", "),
            message: error.map_or_else(String::new, |error| error.message.clone()),
            number: words::jobs(jobs.len() as u64),
            newest: newest.map_or_else(String::new, |at| words::ago(at, now)),
            spent: words::money(jobs.iter().map(|job| job.cost.spent_usd).sum()),
            rows: jobs.iter().take(SHOWN).map(|job| Row::of(job, now)).collect(),
            more: jobs.len().saturating_sub(SHOWN),
        }
    }
}
