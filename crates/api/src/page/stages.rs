//! `/stages`: how long each stage waits and works, how that has changed, what fails where, and who is
//! refused. All but what jobs have died of comes from what workers have told of all tenants.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use queue::{ErrorCount, History, Slot, StageUse, Times, WorkerSeen};
use stillcast_enqueue::{JobRecord, StageName, State as JobState};

use super::chart::{Chart, Series};
use super::cures::cure;
use super::overview::{Slots, refusal};
use super::shell::{Here, Shell, Viewer, html};
use super::span::{Choice, Span, series_of_some};
use super::words;
use crate::problem::Problem;
use crate::state::Api;

#[derive(Template)]
#[template(path = "stages.html")]
struct StagesPage {
    shell: Shell,
    lead: &'static str,
    /// How far back; nothing for who may see one tenant alone.
    spans: Vec<Choice>,
    since: String,
    stages: Vec<Stage>,
    /// Calls that have failed, and jobs that have died.
    failed: Vec<Failure>,
    died: Vec<Failure>,
    slots: Option<Slots>,
    refusals: Vec<(String, String)>,
}

/// One stage.
struct Stage {
    name: &'static str,
    /// Runs, results had again, tries and failures, in words.
    says: String,
    /// Quantiles of run and of wait.
    run: [String; 3],
    wait: [String; 3],
    charts: [(&'static str, Chart); 2],
}

/// What failed alike.
struct Failure {
    stage: String,
    provider: String,
    code: String,
    number: String,
    cure: &'static str,
}

pub(super) async fn show_stages(
    State(api): State<Api>,
    viewer: Viewer,
    Query(span): Query<Span>,
) -> Result<Response, Problem> {
    let (shell, stats) = Shell::of(&api, &viewer, Here::Stages).await?;
    let history = span.history(&api, &viewer.caller).await?;
    let (ended, workers) = tokio::try_join!(api.lookout.ended(), api.inspector.workers())?;
    let sees = |job: &&JobRecord| viewer.caller.sees(&job.tenant);
    let first = history.as_ref().and_then(|history| history.slots.first());
    let page = StagesPage {
        shell,
        lead: lead(history.as_ref()),
        spans: if history.is_some() { span.choices() } else { Vec::new() },
        since: first.map_or_else(String::new, |first| words::ago(first.at, stats.at)),
        stages: history.as_ref().map_or_else(Vec::new, stages),
        failed: history.as_ref().map_or_else(Vec::new, |history| failed(&history.total.errors)),
        died: died(ended.iter().filter(sees)),
        slots: slots(&workers),
        refusals: workers
            .iter()
            .filter_map(|worker| {
                Some((worker.name.clone(), refusal(worker.refused.as_ref()?, stats.at)))
            })
            .collect(),
    };
    html(&page)
}

fn lead(history: Option<&History>) -> &'static str {
    match history {
        None => {
            "The times of stages are counted over all tenants: ask with a token for all. Below is what \
             your own jobs have died of."
        }
        Some(history) if history.total.stages.is_empty() => {
            "Once a worker has done something, this page shows how long each stage works and waits."
        }
        Some(_) => {
            "Half of all runs take less than p50, nearly all less than p99; each is at most a tenth off."
        }
    }
}

fn stages(history: &History) -> Vec<Stage> {
    history.total.stages.iter().map(|stage| Stage::of(stage, history)).collect()
}

impl Stage {
    fn of(total: &StageUse, history: &History) -> Self {
        let name = total.stage;
        let run = chart(history, name, &format!("Run time of {name}"), |stage| &stage.run);
        let wait = chart(history, name, &format!("Wait of {name} for a slot"), |stage| &stage.wait);
        Self {
            name: name.as_str(),
            says: says(total),
            run: quantiles(&total.run),
            wait: quantiles(&total.wait),
            charts: [("works", run), ("waits for a slot", wait)],
        }
    }
}

/// What a stage did, in words.
fn says(total: &StageUse) -> String {
    let StageUse { run, tries, hits, misses, errors, .. } = total;
    let runs = if run.count == 1 { "run" } else { "runs" };
    let mut says = vec![format!("{} {runs}", words::count(run.count))];
    if hits + misses > 0 {
        let share = 100.0 * *hits as f64 / (hits + misses) as f64;
        says.push(format!("{share:.0} % had again"));
    }
    if *misses > 0 {
        says.push(format!("{:.2} tries each", *tries as f64 / *misses as f64));
    }
    if *errors > 0 {
        let calls = if *errors == 1 { "call" } else { "calls" };
        says.push(format!("{} {calls} failed", words::count(*errors)));
    }
    says.join(", ")
}

fn quantiles(times: &Times) -> [String; 3] {
    let said = |seconds: Option<f64>| seconds.map_or_else(|| "–".to_owned(), words::span);
    [times.p50_s, times.p95_s, times.p99_s].map(said)
}

/// Quantiles over time.
fn chart(history: &History, name: StageName, what: &str, of: fn(&StageUse) -> &Times) -> Chart {
    let line = |word, quantile: fn(&Times) -> Option<f64>| -> Series {
        series_of_some(history, word, |slot: &Slot| {
            let stage = slot.stages.iter().find(|stage| stage.stage == name)?;
            quantile(of(stage))
        })
    };
    let lines = vec![
        line("p50", |times| times.p50_s),
        line("p95", |times| times.p95_s),
        line("p99", |times| times.p99_s),
    ];
    Chart::of(what, lines, words::span)
}

/// Slots of all workers that have told of theirs.
fn slots(workers: &[WorkerSeen]) -> Option<Slots> {
    let told = workers.iter().filter_map(|worker| worker.slots.zip(worker.busy));
    let (all, busy) = told.fold((0, 0), |(all, busy), one| (all + one.0, busy + one.1));
    (all > 0).then_some(Slots { busy, all })
}

/// Calls that have failed, the most frequent first.
fn failed(errors: &[ErrorCount]) -> Vec<Failure> {
    let failure = |error: &ErrorCount| Failure {
        stage: error.stage.to_string(),
        provider: error.provider.clone(),
        code: error.code.clone(),
        number: words::count(error.count),
        cure: cure(&error.code),
    };
    errors.iter().map(failure).collect()
}

/// What jobs died of, the most frequent first.
fn died<'job>(ended: impl Iterator<Item = &'job JobRecord>) -> Vec<Failure> {
    let mut counts: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    let dead = ended.filter(|job| job.state == JobState::Dead);
    for error in dead.filter_map(|job| job.error.as_ref()) {
        let stage = error.stage.map_or_else(|| "–".to_owned(), |stage| stage.to_string());
        let provider = error.provider.clone().unwrap_or_else(|| "–".to_owned());
        *counts.entry((stage, provider, error.code.clone())).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let failure = |((stage, provider, code), number): ((String, String, String), u64)| {
        let cure = cure(&code);
        Failure { stage, provider, code, number: words::count(number), cure }
    };
    counts.into_iter().map(failure).collect()
}
