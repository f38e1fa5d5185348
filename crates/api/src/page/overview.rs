//! `/`: how the queue is, in one sentence; then what waits, who works, and what it has cost.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use queue::{MAX_PAGE, QueueStats, RefusedWorker, WorkerSeen};
use stillcast_enqueue::{Cost, JobRecord, State as JobState};

use super::alerts::{Alert, Seen, alerts};
use super::chart::{Chart, Series, quantile};
use super::parked::for_what;
use super::past::Past;
use super::shell::{Here, Shell, Viewer, html};
use super::span::Span;
use super::words;
use crate::alerts::Look;
use crate::numbers::Numbers;
use crate::problem::Problem;
use crate::state::Api;

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    shell: Shell,
    headline: String,
    beneath: String,
    alerts: Vec<Alert>,
    tiles: Vec<Tile>,
    depth: Chart,
    since: String,
    waits: Vec<Wait>,
    workers: Vec<Worker>,
    facts: Vec<Fact>,
    sample: u64,
    past: Option<Past>,
}

/// How many jobs are in a state.
struct Tile {
    state: &'static str,
    number: String,
    says: &'static str,
    is_none: bool,
}

/// What jobs wait for.
struct Wait {
    class: &'static str,
    number: String,
    says: String,
    oldest: String,
    path: String,
}

/// Who works.
pub(super) struct Worker {
    pub(super) name: String,
    pub(super) seen: String,
    pub(super) class: &'static str,
    pub(super) says: String,
    /// Its slots, as far as it has told of them.
    pub(super) slots: Option<Slots>,
}

/// How much of a worker is in use.
pub(super) struct Slots {
    pub(super) busy: u64,
    pub(super) all: u64,
}

/// A number with its name.
struct Fact {
    name: &'static str,
    value: String,
    says: String,
}

pub(super) async fn show_overview(
    State(api): State<Api>,
    viewer: Viewer,
    Query(span): Query<Span>,
) -> Result<Response, Problem> {
    let (shell, stats) = Shell::of(&api, &viewer, Here::Overview).await?;
    let stats = api.inspector.forecast(stats).await?;
    let past = Past::of(&api, &viewer.caller, &span).await?;
    let parked = api.inspector.list(Some(JobState::Parked), MAX_PAGE, None);
    let delayed = api.inspector.list(Some(JobState::Delayed), 1, None);
    let (workers, parked, delayed, ended) =
        tokio::try_join!(api.inspector.workers(), parked, delayed, api.lookout.ended())?;
    let sees = |job: &&JobRecord| viewer.caller.sees(&job.tenant);
    let ended: Vec<&JobRecord> = ended.iter().filter(sees).collect();
    let parked: Vec<JobRecord> = parked.jobs.into_iter().filter(|job| sees(&job)).collect();
    let look = Look::at(Numbers::at(&api.inspector, stats.clone()).await?);
    let (proof, samples) = (api.lookout.proof(), api.lookout.samples());
    let seen = Seen {
        look: &look,
        samples: &samples,
        workers: &workers,
        proof: &proof,
        ended: &ended,
        parked: &parked,
    };
    let page = Overview {
        shell,
        headline: headline(&stats),
        beneath: beneath(&stats, &ended),
        alerts: alerts(&seen),
        tiles: tiles(&stats),
        depth: depth(&samples),
        since: samples.first().map_or_else(String::new, |first| words::ago(first.at, stats.at)),
        waits: waits(&stats, &parked, delayed.jobs.first()),
        workers: workers.iter().map(|worker| Worker::of(worker, stats.at)).collect(),
        facts: facts(&ended),
        sample: ended.len() as u64,
        past,
    };
    html(&page)
}

/// The one sentence.
fn headline(stats: &QueueStats) -> String {
    let (running, waiting) = (stats.states.leased, stats.states.ready);
    let are = |number| if number == 1 { "is" } else { "are" };
    match (running, waiting) {
        _ if stats.paused => "The queue is paused.".to_owned(),
        (0, 0) => "All is quiet.".to_owned(),
        (running, 0) => format!("{} {} being made.", words::jobs(running), are(running)),
        (0, waiting) => format!("{} {} waiting.", words::jobs(waiting), are(waiting)),
        (running, waiting) => {
            let wait = if waiting == 1 { "waits" } else { "wait" };
            let (made, waiting) = (words::jobs(running), words::count(waiting));
            format!("{made} {} being made, {waiting} {wait}.", are(running))
        }
    }
}

/// When it will be empty, or what came last.
fn beneath(stats: &QueueStats, ended: &[&JobRecord]) -> String {
    if let Some(eta) = stats.empty_in.filter(|_| !stats.paused && stats.unfinished() > 0) {
        return format!("It is likely to be empty in {}.", words::between(eta));
    }
    let last = ended.iter().filter_map(|job| job.finished_at).max();
    match last {
        Some(last) => format!("The last job ended {}.", words::ago(last, stats.at)),
        None if stats.enqueued == 0 => "No job has come in yet.".to_owned(),
        None => "Nothing has ended yet.".to_owned(),
    }
}

fn tiles(stats: &QueueStats) -> Vec<Tile> {
    let tile = |state: JobState| {
        let number = stats.states.of(state);
        let says = match state {
            JobState::Delayed => "wait for their time",
            JobState::Ready => "wait for a worker",
            JobState::Parked => "wait for something else",
            JobState::Leased => "are being made",
            JobState::Done => "were delivered",
            JobState::Dead => "need somebody",
            JobState::Cancelled => "were ended by people",
            JobState::Expired => "came too late",
        };
        Tile { state: state.as_str(), number: words::count(number), says, is_none: number == 0 }
    };
    JobState::ALL.map(tile).into()
}

fn depth(samples: &[QueueStats]) -> Chart {
    let series = |word, of: fn(&QueueStats) -> u64| Series {
        word,
        values: samples.iter().map(|sample| Some(of(sample) as f64)).collect(),
    };
    let all = vec![
        series("ready", |stats| stats.states.ready),
        series("leased", |stats| stats.states.leased),
        series("parked", |stats| stats.states.parked),
    ];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they were counts")]
    Chart::of("Jobs over the last hour", all, |value| words::count(value as u64))
}

/// What each kind of waiting job waits for, and how long the oldest has.
fn waits(stats: &QueueStats, parked: &[JobRecord], delayed: Option<&JobRecord>) -> Vec<Wait> {
    let mut waits = Vec::new();
    if let Some(oldest) = stats.oldest_s {
        waits.push(Wait {
            class: "ready",
            number: words::count(stats.states.ready),
            says: if stats.paused {
                "for the queue to be resumed"
            } else {
                "for a free slot of a worker"
            }
            .to_owned(),
            oldest: format!("the next one for {}", words::span(oldest)),
            path: "/jobs?q=state:ready".to_owned(),
        });
    }
    for reason in ["provider", "rate", "budget", "flight", "version"] {
        let jobs = parked.iter().filter(|job| job.reason.as_deref() == Some(reason));
        let since: Vec<_> = jobs.filter_map(|job| Some((job.enqueued_at?, job))).collect();
        if let Some((oldest, job)) = since.iter().min_by_key(|(since, _)| *since) {
            waits.push(Wait {
                class: "parked",
                number: words::count(since.len() as u64),
                says: for_what(job),
                oldest: format!("the oldest came {}", words::ago(*oldest, stats.at)),
                path: "/jobs?q=state:parked".to_owned(),
            });
        }
    }
    if let Some(next) = delayed.and_then(|job| job.wakes_at) {
        waits.push(Wait {
            class: "delayed",
            number: words::count(stats.states.delayed),
            says: "for their time".to_owned(),
            oldest: format!("the next one begins {}", words::ago(next, stats.at)),
            path: "/jobs?q=state:delayed".to_owned(),
        });
    }
    waits
}

impl Worker {
    pub(super) fn of(worker: &WorkerSeen, now: DateTime<Utc>) -> Self {
        let silence = worker.seen_at.map(|seen| now - seen);
        let (class, says) = match (silence, &worker.refused) {
            (Some(silence), _) if silence > TimeDelta::seconds(45) => ("bad", "silent".to_owned()),
            _ if worker.draining => ("warn", "leaves".to_owned()),
            (_, Some(refused)) => ("bad", refusal(refused, now)),
            _ => ("good", "works".to_owned()),
        };
        let slots = worker.slots.zip(worker.busy).map(|(all, busy)| Slots { busy, all });
        let seen = worker.seen_at.map_or_else(|| "never".to_owned(), |seen| words::ago(seen, now));
        Self { name: worker.name.clone(), seen, class, says, slots }
    }
}

/// Who refuses a worker, and when it asks again.
pub(super) fn refusal(refused: &RefusedWorker, now: DateTime<Utc>) -> String {
    let stage = refused.stage.map_or_else(String::new, |stage| format!(" at {stage}"));
    let next = refused.next_probe_at.filter(|at| *at > now);
    let next = next.map_or_else(String::new, |at| format!(", asks again {}", words::ago(at, now)));
    format!("refused{stage}{next}")
}

fn facts(ended: &[&JobRecord]) -> Vec<Fact> {
    let cost = ended.iter().map(|job| job.cost).fold(Cost::default(), |sum, cost| sum + cost);
    let stages = || ended.iter().flat_map(|job| &job.stages);
    let (cached, all) = (stages().filter(|stage| stage.cached).count(), stages().count());
    let share = if all == 0 { 0.0 } else { 100.0 * cached as f64 / all as f64 };
    let mut took: Vec<f64> = ended.iter().filter_map(|job| took(job)).collect();
    took.sort_by(f64::total_cmp);
    let middle = quantile(&took, 0.5).map_or_else(|| "–".to_owned(), words::span);
    let fact = |name, value, says: &str| Fact { name, value, says: says.to_owned() };
    vec![
        fact("spent", words::money(cost.spent_usd), "for results that were used"),
        fact("avoided", words::money(cost.avoided_usd), "since a cache answered"),
        fact("wasted", words::money(cost.wasted_usd), "for results that were lost"),
        fact("from cache", format!("{share:.0} %"), "of all stages"),
        fact("took", middle, "from start to delivery, in the middle"),
    ]
}

/// Seconds from a job's start to its delivery.
fn took(job: &JobRecord) -> Option<f64> {
    let took = job.finished_at? - job.started_at?;
    (job.state == JobState::Done).then(|| took.num_milliseconds() as f64 / 1000.0)
}
