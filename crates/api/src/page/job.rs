//! `/jobs/{id}`: all that is known of one job, and all that can be done about it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::Response;
use chrono::{DateTime, Utc};
use providers::store::{Location, locate};
use queue::{AuditEntry, MAX_PAGE};
use stillcast_enqueue::{Artifact, JobRecord, State as JobState, WebhookRecord};

use super::access::policy_with_media;
use super::cures::cure;
use super::remake::RemakeForm;
use super::shell::{Here, Shell, Viewer, html};
use super::waterfall::Waterfall;
use super::words;
use crate::caller::Right;
use crate::problem::Problem;
use crate::routes::audit_seen_by;
use crate::state::Api;

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    shell: Shell,
    job: JobRecord,
    headline: String,
    beneath: String,
    /// What can be done about its waiting.
    cure: Vec<(bool, String)>,
    failure: Option<Failure>,
    may: May,
    file: Option<File>,
    words: Option<String>,
    waterfall: Option<Waterfall>,
    costs: [(&'static str, String, &'static str); 3],
    facts: Vec<(&'static str, String)>,
    history: Vec<Event>,
    webhook: Option<Vec<Event>>,
    /// How it may be made anew.
    remake: Option<RemakeForm>,
}

/// Why it failed, or failed last.
struct Failure {
    code: String,
    where_: String,
    message: String,
    cure: &'static str,
}

/// What this viewer may do with this job now.
#[expect(clippy::struct_excessive_bools, reason = "each is a right of its own")]
struct May {
    cancel: bool,
    replay: bool,
    purge: bool,
    resend: bool,
    content: bool,
}

/// What was delivered.
struct File {
    is_video: bool,
    says: String,
    url: String,
    /// What is said when, for the player.
    captions: Option<String>,
    /// What a player shows before it plays.
    poster: Option<String>,
    /// What lies beside it: what it is called here, and where.
    extras: Vec<(&'static str, String)>,
}

/// The extras of a page, and what they are called on it.
const EXTRAS: [(&str, &str); 7] = [
    ("captions.vtt", "Captions (VTT)"),
    ("captions.srt", "Captions (SRT)"),
    ("chapters.txt", "Chapters"),
    ("voice.m4a", "Voice alone"),
    ("bed.m4a", "Bed alone"),
    ("poster.jpg", "Poster"),
    ("cover.jpg", "Cover"),
];

const POSTER: &str = "poster.jpg";

/// Something that happened.
pub(super) struct Event {
    pub(super) class: &'static str,
    pub(super) at: String,
    pub(super) exactly: String,
    pub(super) says: String,
}

impl Event {
    fn new(
        class: &'static str,
        at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        says: String,
    ) -> Option<Self> {
        let at = at?;
        Some(Self { class, at: words::ago(at, now), exactly: words::moment(at), says })
    }
}

pub(super) async fn show_job(
    State(api): State<Api>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let job = api.record(&viewer.caller, &id).await?;
    let job = api.inspector.explain(job).await?;
    let (shell, stats) = Shell::of(&api, &viewer, Here::Jobs).await?;
    let may = May::of(&viewer, &job);
    let webhook = api.inspector.webhook(&id).await?;
    let words = if may.content { api.inspector.transcript(&id).await? } else { None };
    let changes = changes(&api, &viewer, &id, stats.at).await?;
    let origin = if may.content { media_origin(&api, job.artifact.as_ref()).await } else { None };
    let remake = if may.replay { RemakeForm::of(&api, &viewer.caller, &job).await? } else { None };
    let page = JobPage {
        shell,
        remake,
        headline: headline(&job),
        beneath: beneath(&job),
        cure: job.waiting.as_ref().map_or_else(Vec::new, |why| words::marked(&why.cure)),
        failure: failure(&job),
        file: job.artifact.as_ref().map(|file| File::of(file, &job)),
        words,
        waterfall: Waterfall::of(&job.stages),
        costs: costs(&job),
        facts: facts(&job),
        history: history(&job, stats.at).into_iter().chain(changes).collect(),
        webhook: job
            .webhook
            .as_ref()
            .map(|told| deliveries(webhook.as_ref().unwrap_or(told), stats.at)),
        may,
        job,
    };
    let mut response = html(&page)?;
    if let Some(policy) =
        origin.and_then(|origin| HeaderValue::try_from(policy_with_media(&origin)).ok())
    {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

/// Where a bucket has the file: a player is led there.
async fn media_origin(api: &Api, file: Option<&Artifact>) -> Option<String> {
    let store = api.store().ok()?;
    let Location::Address(url) = locate(&**store, &file?.key).await.ok()? else { return None };
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?']).next()?;
    Some(format!("{scheme}://{host}"))
}

impl May {
    fn of(viewer: &Viewer, job: &JobRecord) -> Self {
        let may = |right| viewer.caller.may(right).is_ok();
        let is_over = job.state.is_terminal();
        Self {
            cancel: may(Right::Cancel) && !is_over,
            replay: may(Right::Mend) && job.state == JobState::Dead,
            purge: may(Right::Mend) && is_over,
            resend: may(Right::Mend) && is_over && job.webhook.is_some(),
            content: may(Right::Content),
        }
    }
}

fn headline(job: &JobRecord) -> String {
    let what = words::title(words::format_of(job.format));
    format!("{what} {}", words::state(job.state))
}

/// Why it stands where it stands.
fn beneath(job: &JobRecord) -> String {
    let eta = job.eta.map(|eta| format!(" It is likely to be done in {}.", words::between(eta)));
    let eta = eta.unwrap_or_default();
    if let Some(why) = &job.waiting {
        return format!("{}{eta}", why.sentence);
    }
    match job.state {
        JobState::Delayed | JobState::Ready | JobState::Parked => {
            "It has just moved on.".to_owned()
        }
        JobState::Leased => {
            let (attempt, most) = (job.attempt, job.max_attempts);
            let where_ = job.stage.map_or_else(
                || "A worker has just begun it".to_owned(),
                |stage| format!("A worker is at the {stage} stage"),
            );
            format!("{where_}, in attempt {attempt} of {most}.{eta}")
        }
        JobState::Done => "It lies in the store, and is yours.".to_owned(),
        JobState::Dead => {
            "It will not run again by itself. What it has finished is kept for a replay.".to_owned()
        }
        JobState::Cancelled => "Somebody has ended it before it was done.".to_owned(),
        JobState::Expired => "Its deadline passed before it was done.".to_owned(),
    }
}

fn failure(job: &JobRecord) -> Option<Failure> {
    let error = job.error.as_ref().filter(|_| job.state != JobState::Done)?;
    let stage = error.stage.map(|stage| format!("in the {stage} stage"));
    let provider = error.provider.as_ref().map(|provider| format!("by {provider}"));
    let where_: Vec<String> = stage.into_iter().chain(provider).collect();
    Some(Failure {
        code: error.code.clone(),
        where_: where_.join(", "),
        message: error.message.clone(),
        cure: cure(&error.code),
    })
}

impl File {
    fn of(file: &Artifact, job: &JobRecord) -> Self {
        let says = format!("{}, {}", words::clock(file.duration_s), words::size(file.bytes));
        let place = |name: &str| format!("/jobs/{}/extras/{name}", job.id);
        let there = EXTRAS.into_iter().filter(|(name, _)| job.extras.contains_key(*name));
        let extras: Vec<_> = there.map(|(name, says)| (says, place(name))).collect();
        let [(captions, _), ..] = EXTRAS;
        Self {
            is_video: file.content_type.starts_with("video/"),
            says,
            url: format!("/jobs/{}/artifact", job.id),
            captions: job.extras.contains_key(captions).then(|| place(captions)),
            poster: job.extras.contains_key(POSTER).then(|| place(POSTER)),
            extras,
        }
    }
}

fn costs(job: &JobRecord) -> [(&'static str, String, &'static str); 3] {
    [
        ("spent", words::money(job.cost.spent_usd), "for what was used"),
        ("avoided", words::money(job.cost.avoided_usd), "since a cache answered"),
        ("wasted", words::money(job.cost.wasted_usd), "for what was lost"),
    ]
}

fn facts(job: &JobRecord) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("tenant", job.tenant.clone()),
        ("priority", format!("{} of 9", job.priority)),
        ("attempts", format!("{} of {}", job.attempt, job.max_attempts)),
    ];
    if job.interruptions > 0 {
        facts.push(("given back", format!("{} times, unfinished", job.interruptions)));
    }
    if job.crashes > 0 {
        facts.push(("crashes", format!("{} workers died under it", job.crashes)));
    }
    facts.extend(job.deadline.map(|at| ("deadline", words::moment(at))));
    facts.extend(job.artifact.as_ref().map(|file| ("digest", file.sha256.clone())));
    facts
}

/// What people have done to it, the oldest first; for those who may read the audit.
async fn changes(
    api: &Api,
    viewer: &Viewer,
    id: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Event>, Problem> {
    if viewer.caller.may(Right::Mend).is_err() {
        return Ok(Vec::new());
    }
    let (entries, _) = audit_seen_by(api, &viewer.caller, MAX_PAGE, None).await?;
    let of_job = entries.into_iter().rev().filter(|entry| entry.job.as_deref() == Some(id));
    let event = |entry: AuditEntry| {
        let why = entry.why.map_or_else(String::new, |why| format!(": “{why}”"));
        let changes = entry.changes.map_or_else(String::new, |changes| format!(" {changes}"));
        let says = format!("{} {} it{changes}{why}", entry.by, super::audit::past(&entry.action));
        Event::new("parked", Some(entry.at), now, says)
    };
    Ok(of_job.filter_map(event).collect())
}

/// What happened to it, the oldest first.
fn history(job: &JobRecord, now: DateTime<Utc>) -> Vec<Event> {
    let ended = words::title(words::state(job.state));
    let events = [
        Event::new("ready", job.enqueued_at, now, "It came in".to_owned()),
        Event::new(
            "leased",
            job.started_at,
            now,
            "A worker began it for the first time".to_owned(),
        ),
        Event::new(
            job.state.as_str(),
            job.finished_at,
            now,
            ended.replace("Is ", "It is ").replace("Was ", "It was ").replace("Has ", "It has "),
        ),
    ];
    let coming = (!job.state.is_terminal()).then(|| {
        let at = job.wakes_at.filter(|at| *at > now);
        Event::new("delayed", at, now, "It wakes at the latest".to_owned())
    });
    events.into_iter().chain(coming).flatten().collect()
}

/// Each attempt to tell of its end, the newest first.
fn deliveries(webhook: &WebhookRecord, now: DateTime<Utc>) -> Vec<Event> {
    let attempts = webhook.attempts.iter().rev().filter_map(|attempt| {
        let said = match (attempt.status, &attempt.error) {
            (Some(status), None) => format!("answered {status}"),
            (Some(status), Some(error)) => format!("answered {status}, {error}"),
            (None, error) => error.clone().unwrap_or_else(|| "no answer".to_owned()),
        };
        let class = if attempt.error.is_none() { "done" } else { "dead" };
        Event::new(class, Some(attempt.at), now, format!("{said} after {} ms", attempt.latency_ms))
    });
    let next = Event::new("delayed", webhook.next_at, now, "the next attempt".to_owned());
    next.into_iter().chain(attempts).collect()
}
