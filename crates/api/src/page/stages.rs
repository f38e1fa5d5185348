//! `/stages`: how long each stage waits and works, how that has changed, and what fails where.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use stillcast_enqueue::{JobRecord, StageName, StageRecord, State as JobState};

use super::chart::{Chart, Series, quantile};
use super::cures::cure;
use super::overview::refusal;
use super::shell::{Here, Shell, Viewer, html};
use super::words;
use crate::problem::Problem;
use crate::state::Api;

/// Points of a line.
const POINTS: usize = 40;
/// What is told of times: half of all are below the first, nearly all below the last.
const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];

#[derive(Template)]
#[template(path = "stages.html")]
struct StagesPage {
    shell: Shell,
    sample: String,
    since: String,
    stages: Vec<Stage>,
    failures: Vec<Failure>,
    refusals: Vec<(String, String)>,
}

/// One stage.
struct Stage {
    name: &'static str,
    runs: usize,
    cached: String,
    tries: String,
    /// Quantiles of run and of wait.
    run: Vec<String>,
    wait: Vec<String>,
    chart: Chart,
}

/// Jobs that died of the same.
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
) -> Result<Response, Problem> {
    let (shell, stats) = Shell::of(&api, &viewer, Here::Stages).await?;
    let (ended, workers) = tokio::try_join!(api.lookout.ended(), api.inspector.workers())?;
    let ended: Vec<&JobRecord> =
        ended.iter().filter(|job| viewer.caller.sees(&job.tenant)).collect();
    let done: Vec<&JobRecord> =
        ended.iter().copied().filter(|job| job.state == JobState::Done).collect();
    let first = done.iter().filter_map(|job| job.finished_at).min();
    let page = StagesPage {
        shell,
        sample: words::jobs(done.len() as u64),
        since: first.map_or_else(String::new, |first| words::ago(first, stats.at)),
        stages: if done.is_empty() {
            Vec::new()
        } else {
            StageName::ALL
                .into_iter()
                .map(|stage| Stage::of(stage, &done, first, stats.at))
                .collect()
        },
        failures: failures(&ended),
        refusals: workers
            .iter()
            .filter_map(|worker| {
                Some((worker.name.clone(), refusal(worker.refused.as_ref()?, stats.at)))
            })
            .collect(),
    };
    html(&page)
}

impl Stage {
    fn of(
        name: StageName,
        done: &[&JobRecord],
        first: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Self {
        let records: Vec<(DateTime<Utc>, &StageRecord)> = done
            .iter()
            .filter_map(|job| {
                Some((job.finished_at?, job.stages.iter().find(|one| one.stage == name)?))
            })
            .collect();
        let worked: Vec<(DateTime<Utc>, &StageRecord)> =
            records.iter().copied().filter(|(_, record)| !record.cached).collect();
        let told = |of: fn(&StageRecord) -> f64| {
            let values = sorted(worked.iter().map(|(_, record)| of(record)));
            QUANTILES
                .iter()
                .map(|(_, part)| {
                    quantile(&values, *part).map_or_else(|| "–".to_owned(), words::span)
                })
                .collect()
        };
        let tries: u32 = worked.iter().map(|(_, record)| record.tries).sum();
        let share = 100.0 * (records.len() - worked.len()) as f64 / records.len().max(1) as f64;
        Self {
            name: name.as_str(),
            runs: worked.len(),
            cached: format!("{share:.0} %"),
            tries: format!("{:.2}", f64::from(tries) / worked.len().max(1) as f64),
            run: told(|record| record.run_s),
            wait: told(|record| record.wait_s),
            chart: chart(name, &worked, first.unwrap_or(now), now),
        }
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Quantiles of run over time.
fn chart(
    name: StageName,
    worked: &[(DateTime<Utc>, &StageRecord)],
    first: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Chart {
    let whole = (now - first).num_milliseconds().max(1) as f64;
    let mut slots: Vec<Vec<f64>> = vec![Vec::new(); POINTS];
    for (at, record) in worked {
        let part = (*at - first).num_milliseconds() as f64 / whole;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let slot = (part.clamp(0.0, 1.0) * (POINTS - 1) as f64).round() as usize;
        if let Some(slot) = slots.get_mut(slot) {
            slot.push(record.run_s);
        }
    }
    let slots: Vec<Vec<f64>> = slots.into_iter().map(|slot| sorted(slot.into_iter())).collect();
    let series = QUANTILES.map(|(word, part)| {
        // A slot in which nothing ended shows what was before: a line of dots would say less.
        let mut last = None;
        let values = slots.iter().map(|slot| {
            last = quantile(slot, part).or(last);
            last
        });
        Series { word, values: values.collect() }
    });
    Chart::of(&format!("Run time of {name}"), series.into(), words::span)
}

/// What jobs died of, the most frequent first.
fn failures(ended: &[&JobRecord]) -> Vec<Failure> {
    let mut counts: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for error in
        ended.iter().filter(|job| job.state == JobState::Dead).filter_map(|job| job.error.as_ref())
    {
        let stage = error.stage.map_or_else(|| "–".to_owned(), |stage| stage.to_string());
        let provider = error.provider.clone().unwrap_or_else(|| "–".to_owned());
        *counts.entry((stage, provider, error.code.clone())).or_default() += 1;
    }
    let mut failures: Vec<(u64, Failure)> = counts
        .into_iter()
        .map(|((stage, provider, code), number)| {
            let cure = cure(&code);
            (number, Failure { stage, provider, code, number: words::count(number), cure })
        })
        .collect();
    failures.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    failures.into_iter().map(|(_, failure)| failure).collect()
}
