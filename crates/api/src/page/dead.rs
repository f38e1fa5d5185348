//! `/dead`: jobs that will not run again by themselves, by what has killed them, each cause with what
//! to do about it.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use queue::MAX_PAGE;
use stillcast_enqueue::{JobRecord, StageName, State as JobState};

use super::cures::cure;
use super::rows::Row;
use super::shell::{Here, Shell, Viewer, html};
use super::words;
use crate::caller::{Caller, Right};
use crate::facts::Facts;
use crate::filter::Filter;
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
    /// Whether they are so many that a replay is a bulk action.
    is_bulk: bool,
    /// How many causes are not shown.
    hidden: usize,
    may_replay: bool,
}

/// Jobs that died of the same.
struct Cause {
    /// What the form sends.
    key: String,
    /// The filter that means them.
    filter: String,
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

/// What is known of a cause before its jobs are read.
#[derive(Default)]
struct Group {
    number: usize,
    spent_usd: f64,
    newest_ms: i64,
    /// The newest of them.
    ids: Vec<String>,
}

/// Causes that a page shows, those with most jobs.
const CAUSES: usize = 50;

pub(super) async fn list_dead(State(api): State<Api>, viewer: Viewer) -> Result<Response, Problem> {
    let (shell, stats) = Shell::of(&api, &viewer, Here::Dead).await?;
    let (jobs, next) = seen_by(&api, &viewer.caller, Some(JobState::Dead), MAX_PAGE, None).await?;
    let is_bulk = next.is_some();
    let groups = if is_bulk { count(&api, &viewer.caller).await? } else { group(&jobs) };
    let number = groups.values().map(|group| group.number).sum();
    let mut groups: Vec<(Key, Group)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.number));
    let hidden = groups.len().saturating_sub(CAUSES);
    groups.truncate(CAUSES);
    let mut causes = Vec::new();
    for (key, group) in groups {
        let records = api.inspector.records(&group.ids).await?;
        let records: Vec<JobRecord> = records.into_iter().flatten().collect();
        causes.push(Cause::of(&key, &group, &records, stats.at));
    }
    let page = Dead {
        shell,
        headline: headline(number),
        causes,
        is_bulk,
        hidden,
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

/// What the same cause is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    code: Option<String>,
    stage: Option<&'static str>,
    provider: Option<String>,
}

impl Key {
    fn of(job: &JobRecord) -> Self {
        let Some(error) = &job.error else { return Self::default() };
        Self {
            code: Some(error.code.clone()),
            stage: error.stage.map(StageName::as_str),
            provider: error.provider.clone(),
        }
    }

    fn of_facts(job: &Facts) -> Self {
        let Some(failure) = &job.failure else { return Self::default() };
        Self {
            code: Some(failure.code.to_string()),
            stage: failure.stage.map(StageName::as_str),
            provider: failure.provider.as_ref().map(ToString::to_string),
        }
    }

    fn code(&self) -> &str {
        self.code.as_deref().unwrap_or("unknown")
    }

    /// As a form sends it.
    fn text(&self) -> String {
        let (stage, provider) = (self.stage, self.provider.as_deref());
        format!("{} {} {}", self.code(), stage.unwrap_or_default(), provider.unwrap_or_default())
    }

    /// The filter that means the dead jobs of this cause; where nothing is known of stage or provider,
    /// those of any.
    fn filter(&self) -> String {
        let term = |field: &str, value: &str| {
            // A word that a filter would take apart is put between quotes.
            format!("{field}:{:?}", value.replace(['"', '\\'], "?"))
        };
        let code = self.code.as_deref().map(|code| term("code", code));
        let provider = self.provider.as_deref().map(|provider| term("provider", provider));
        let stage = self.stage.map(|stage| format!("stage:{stage}"));
        let known = [code, provider, stage].into_iter().flatten();
        std::iter::once("state:dead".to_owned()).chain(known).collect::<Vec<_>>().join(" ")
    }
}

impl Group {
    fn add(&mut self, id: &str, spent_usd: f64, finished_ms: i64) {
        self.number += 1;
        self.spent_usd += spent_usd;
        self.newest_ms = self.newest_ms.max(finished_ms);
        if self.ids.len() < SHOWN {
            self.ids.push(id.to_owned());
        }
    }
}

fn group(jobs: &[JobRecord]) -> BTreeMap<Key, Group> {
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    for job in jobs {
        let finished_ms = job.finished_at.map_or(0, |at| at.timestamp_millis());
        groups.entry(Key::of(job)).or_default().add(&job.id, job.cost.spent_usd, finished_ms);
    }
    groups
}

/// The same of more than a listing has, out of what is searched.
async fn count(api: &Api, caller: &Caller) -> Result<BTreeMap<Key, Group>, Problem> {
    let dead = Filter::default().in_states([JobState::Dead]).of_tenant(caller.tenant.as_ref());
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    let visit = api.mirror.visit(&dead, |_, job| {
        let finished_ms = job.finished_ms.unwrap_or_default();
        groups.entry(Key::of_facts(job)).or_default().add(&job.id, job.cost.spent_usd, finished_ms);
    });
    visit.await?;
    Ok(groups)
}

/// The dead jobs of one cause that a caller may know of; `None` where a listing does not hold all.
pub(super) async fn ids_of(
    api: &Api,
    caller: &Caller,
    cause: &str,
) -> Result<Option<Vec<String>>, Problem> {
    let (jobs, next) = seen_by(api, caller, Some(JobState::Dead), MAX_PAGE, None).await?;
    let ids = jobs.into_iter().filter(|job| Key::of(job).text() == cause).map(|job| job.id);
    Ok(next.is_none().then(|| ids.collect()))
}

impl Cause {
    fn of(key: &Key, group: &Group, jobs: &[JobRecord], now: DateTime<Utc>) -> Self {
        let stage = key.stage.map(|stage| format!("in {stage}"));
        let provider = key.provider.as_ref().map(|by| format!("by {by}"));
        let where_: Vec<String> = stage.into_iter().chain(provider).collect();
        let message = jobs.first().and_then(|job| job.error.as_ref());
        let newest = DateTime::from_timestamp_millis(group.newest_ms);
        Self {
            key: key.text(),
            filter: key.filter(),
            cure: cure(key.code()),
            code: key.code().to_owned(),
            where_: where_.join(", "),
            message: message.map_or_else(String::new, |error| error.message.clone()),
            number: words::jobs(group.number as u64),
            newest: newest.map_or_else(String::new, |at| words::ago(at, now)),
            spent: words::money(group.spent_usd),
            rows: jobs.iter().map(|job| Row::of(job, now)).collect(),
            more: group.number.saturating_sub(jobs.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_of_a_cause_can_be_read_and_names_all_that_is_known() {
        let key = |stage, provider: Option<&str>| Key {
            code: Some("voice-unknown".to_owned()),
            stage,
            provider: provider.map(str::to_owned),
        };
        for (key, filter) in [
            (
                key(Some("tts"), Some("openai")),
                "state:dead code:voice-unknown provider:openai stage:tts",
            ),
            (key(None, Some("a b,c")), "state:dead code:voice-unknown provider:\"a b,c\""),
            (key(None, None), "state:dead code:voice-unknown"),
            (Key::default(), "state:dead"),
        ] {
            let read = Filter::parse(&key.filter()).map(|filter| filter.to_string());
            assert_eq!(read.as_deref(), Ok(filter));
        }
    }
}
