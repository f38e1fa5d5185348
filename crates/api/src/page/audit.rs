//! `/audit`: who has changed what, and why, the newest first.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use queue::AuditEntry;
use serde::Deserialize;

use super::shell::{Here, Shell, Viewer, html};
use super::words;
use crate::caller::Right;
use crate::problem::Problem;
use crate::routes::audit_seen_by;
use crate::state::Api;

/// Lines of a page.
const PAGE: usize = 50;

/// Which page.
#[derive(Default, Deserialize)]
pub(super) struct Place {
    before: Option<u64>,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    shell: Shell,
    lines: Vec<Line>,
    next: Option<u64>,
    is_later: bool,
}

/// One change by a person.
struct Line {
    class: &'static str,
    by: String,
    says: String,
    job: Option<String>,
    why: Option<String>,
    with: String,
    when: String,
    exactly: String,
}

pub(super) async fn list_audit(
    State(api): State<Api>,
    viewer: Viewer,
    Query(Place { before }): Query<Place>,
) -> Result<Response, Problem> {
    viewer.caller.may(Right::Mend)?;
    let (shell, stats) = Shell::of(&api, &viewer, Here::Audit).await?;
    let (entries, next) = audit_seen_by(&api, &viewer.caller, PAGE, before).await?;
    let lines = entries.into_iter().map(|entry| Line::of(entry, stats.at)).collect();
    html(&Audit { shell, lines, next, is_later: before.is_some() })
}

impl Line {
    fn of(entry: AuditEntry, now: DateTime<Utc>) -> Self {
        let many = entry.jobs.map(words::jobs);
        let says = match (entry.action.as_str(), &entry.job, many) {
            ("pause", ..) => "paused the queue".to_owned(),
            ("resume", ..) => "resumed the queue".to_owned(),
            (action, Some(_), _) => format!("{} a job", past(action)),
            (action, None, Some(many)) => format!("{} {many}", past(action)),
            (action, None, None) => format!("{} jobs", past(action)),
        };
        let filter = entry.filter.map(|filter| format!("meant by {filter}"));
        let changes = entry.changes.map_or_else(String::new, |changes| format!(", {changes}"));
        Self {
            class: class(&entry.action),
            by: entry.by,
            says: filter.map_or_else(|| says.clone(), |filter| format!("{says} {filter}"))
                + &changes,
            job: entry.job,
            why: entry.why,
            with: format!("{}, {}", entry.interface, entry.result),
            when: words::ago(entry.at, now),
            exactly: words::moment(entry.at),
        }
    }
}

/// What somebody did, as it is said afterwards.
pub(super) fn past(action: &str) -> String {
    match action {
        "cancel" => "cancelled".to_owned(),
        "replay" => "replayed".to_owned(),
        "purge" => "removed".to_owned(),
        "resend-webhook" => "had the webhook told again of".to_owned(),
        other => format!("did {other} to"),
    }
}

fn class(action: &str) -> &'static str {
    match action {
        "cancel" => "cancelled",
        "purge" => "dead",
        "pause" => "parked",
        "resume" | "replay" => "ready",
        _ => "delayed",
    }
}
