//! `/queue`: who works on the queue, whether it keeps its promises, and the switch that stops it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::lookout::Proof;
use super::overview::Worker;
use super::shell::{Here, Shell, Viewer, html};
use super::words;
use crate::caller::Right;
use crate::problem::Problem;
use crate::state::Api;

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage {
    shell: Shell,
    is_paused: bool,
    may_control: bool,
    workers: Vec<Worker>,
    facts: Vec<(&'static str, String)>,
    promises: String,
    broken: Vec<Broken>,
}

/// A promise that is not kept.
struct Broken {
    rule: &'static str,
    job: Option<String>,
    detail: String,
}

pub(super) async fn show_queue(
    State(api): State<Api>,
    viewer: Viewer,
) -> Result<Response, Problem> {
    let (shell, stats) = Shell::of(&api, &viewer, Here::Queue).await?;
    let workers = api.inspector.workers().await?;
    let (promises, broken) = promises(&api.lookout.proof(), stats.at);
    let page = QueuePage {
        shell,
        is_paused: stats.paused,
        may_control: viewer.caller.may(Right::Control).is_ok(),
        workers: workers.iter().map(|worker| Worker::of(worker, stats.at)).collect(),
        facts: vec![
            ("ever accepted", words::jobs(stats.enqueued)),
            ("on record", words::jobs(stats.states.all())),
            ("removed", words::jobs(stats.purged)),
            ("work folders to clear", words::count(stats.trash)),
            ("webhooks still owed", words::count(stats.webhooks_owed)),
            ("endpoints turned off", words::count(stats.webhooks_off)),
            (
                "last gap",
                stats.gap_at.map_or_else(|| "none".to_owned(), |at| words::ago(at, stats.at)),
            ),
        ],
        promises,
        broken,
    };
    html(&page)
}

fn promises(proof: &Proof, now: chrono::DateTime<chrono::Utc>) -> (String, Vec<Broken>) {
    match proof {
        Proof::None => {
            ("Nobody has looked yet; the first look comes within seconds.".to_owned(), Vec::new())
        }
        Proof::Failed { at } => {
            (format!("The last look was cut off {}.", words::ago(*at, now)), Vec::new())
        }
        Proof::Looked { at, found } => {
            let (when, jobs) = (words::ago(*at, now), words::jobs(found.jobs as u64));
            let keys = words::count(found.keys as u64);
            let broken = found.violations.iter().map(|violation| Broken {
                rule: violation.rule,
                job: violation.id.clone(),
                detail: violation.detail.clone(),
            });
            let verdict = if found.violations.is_empty() {
                "every promise is kept".to_owned()
            } else {
                format!("{} are broken", found.violations.len())
            };
            (format!("Looked at {jobs} and {keys} keys {when}: {verdict}."), broken.collect())
        }
    }
}
