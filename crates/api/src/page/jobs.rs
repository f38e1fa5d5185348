//! `/jobs`: a filter goes in by the address, so that it can be kept and sent on; jobs come out.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use queue::BulkAction;
use serde::Deserialize;
use stillcast_enqueue::{Identifier, JobRecord, StageName, State as JobState};

use super::access::go_to;
use super::rows::Row;
use super::search::search;
use super::shell::{Here, Shell, Viewer, html};
use super::words;
use crate::caller::{Caller, Right};
use crate::filter::FIELDS;
use crate::problem::{Code, Problem};
use crate::routes::{JobList, Search, right};
use crate::state::Api;

/// What is looked for.
#[derive(Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "jobs.html")]
struct Jobs {
    shell: Shell,
    q: String,
    fault: Option<String>,
    chips: Vec<Chip>,
    rows: Vec<Row>,
    next: Option<String>,
    note: Option<String>,
    /// What can be done to all that was found.
    bulks: Vec<BulkAction>,
    is_later: bool,
    suggestions: Vec<String>,
}

/// A state to choose with one click.
struct Chip {
    state: &'static str,
    number: String,
    is_chosen: bool,
}

pub(super) async fn list_jobs(
    State(api): State<Api>,
    viewer: Viewer,
    Query(Asked { q, cursor }): Query<Asked>,
) -> Result<Response, Problem> {
    viewer.caller.may(Right::Read)?;
    let q = q.trim().to_owned();
    if let Some(path) = path_of_job(&api, &viewer, &q).await? {
        return Ok(go_to(&path));
    }
    let (shell, stats) = Shell::of(&api, &viewer, Here::Jobs).await?;
    let found = search(&api, &viewer.caller, &q, cursor.as_deref()).await;
    let (found, fault) = match found {
        Ok(found) => (found, None),
        // What cannot be read is said beside the box, where it can be mended; a search that is not
        // ready will be in a moment, and the page asks again by itself.
        Err(problem) if problem.code == Code::InvalidRequest => {
            let detail = problem.errors.into_iter().next().map(|fault| fault.detail);
            (JobList::default(), detail.map(|detail| format!("The filter {detail}.")))
        }
        Err(problem) if problem.code == Code::SearchNotReady => {
            (JobList::default(), Some(format!("{}: {}.", problem.code.title(), problem.detail)))
        }
        Err(problem) => return Err(problem),
    };
    let chip = |state: JobState| Chip {
        state: state.as_str(),
        number: words::count(stats.states.of(state)),
        is_chosen: q == format!("state:{state}"),
    };
    let page = Jobs {
        shell,
        fault,
        chips: JobState::ALL.map(chip).into(),
        rows: found.jobs.iter().map(|job| Row::of(job, stats.at)).collect(),
        next: found.next,
        note: note(found.search.as_ref(), &q),
        bulks: if q.is_empty() { Vec::new() } else { bulks(&viewer.caller, &found.jobs) },
        is_later: cursor.is_some(),
        suggestions: suggestions(),
        q,
    };
    html(&page)
}

/// How many there are, and what was not looked at.
fn note(search: Option<&Search>, q: &str) -> Option<String> {
    let search = search.filter(|_| !q.is_empty())?;
    let found = words::jobs(search.matches as u64);
    let left_out = match search.left_out {
        0 => String::new(),
        older => format!(" The {} oldest were not looked at.", words::count(older as u64)),
    };
    Some(format!("{found} in all.{left_out}"))
}

/// What the caller may do to many jobs, as far as some of those that are shown can have it.
fn bulks(caller: &Caller, jobs: &[JobRecord]) -> Vec<BulkAction> {
    let can_have = |action: BulkAction| {
        jobs.iter().any(|job| match action {
            BulkAction::Replay => job.state == JobState::Dead,
            BulkAction::Cancel => !job.state.is_terminal(),
            BulkAction::Purge => job.state.is_terminal(),
        })
    };
    let all = [BulkAction::Replay, BulkAction::Cancel, BulkAction::Purge].into_iter();
    all.filter(|action| caller.may(right(*action)).is_ok() && can_have(*action)).collect()
}

/// The page of a job, where somebody has pasted its identifier.
async fn path_of_job(api: &Api, viewer: &Viewer, q: &str) -> Result<Option<String>, Problem> {
    if Identifier::parse("id", q).is_err() {
        return Ok(None);
    }
    let record = api.inspector.record(q).await?;
    let record = record.filter(|record| viewer.caller.sees(&record.tenant));
    Ok(record.map(|record| format!("/jobs/{}", record.id)))
}

/// Terms that people may begin with.
fn suggestions() -> Vec<String> {
    let states = JobState::ALL.map(|state| format!("state:{state}"));
    let stages = StageName::ALL.map(|stage| format!("stage:{stage}"));
    let examples = FIELDS.map(|(_, _, example)| example.to_owned());
    states.into_iter().chain(stages).chain(examples).collect()
}
