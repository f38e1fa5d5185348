//! A worker of this machine is asked for a price, or to buy; what it says line by line comes out.

use std::path::Path;

use anyhow::Context;
use child::{ChildError, Finished, Running, Spec, Stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};

use crate::cli_error::CliError;
use crate::config::Config;
use crate::embedded::worker_here;
use crate::render::Screen;

/// What the worker puts in front of what it has to say at its end.
const PREFIX: &str = "stillcast-worker: ";

/// What is missing.
#[derive(Debug, Deserialize)]
pub(super) struct Price {
    pub(super) requests: usize,
    pub(super) warm: usize,
    /// US dollars, as all of these.
    pub(super) usd: f64,
    pub(super) spent_usd: f64,
}

impl Price {
    pub(super) fn is_nothing(&self) -> bool {
        self.warm == self.requests
    }
}

/// What became of all requests.
#[derive(Debug, Deserialize, Serialize)]
struct Summary {
    requests: usize,
    warm: usize,
    made: usize,
    failed: usize,
    left: usize,
    usd: f64,
    spent_usd: f64,
    stopped: Option<String>,
}

/// What became of one.
#[derive(Debug, Deserialize)]
struct Outcome {
    line: usize,
    state: String,
    error: Option<Value>,
}

/// What the worker says: of one request, or of all at the end.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Said {
    One(Outcome),
    All(Summary),
}

/// Asks what `file` costs; buys nothing.
pub(super) async fn price(config: &Config, file: &Path) -> anyhow::Result<Price> {
    let spec = worker(config, file)?.arg("--price");
    let (mut running, mut lines) = start(spec).await?;
    let line = lines.next_line().await?;
    ended(running.wait().await)?;
    let line = line.context("stillcast-worker has named no price")?;
    serde_json::from_str(&line).context("stillcast-worker did not answer as this version does")
}

/// Buys what `file` needs, for at most so many US dollars; shows how far it is.
pub(super) async fn buy(
    config: &Config,
    screen: &Screen,
    (file, most): (&Path, f64),
    requests: usize,
) -> anyhow::Result<()> {
    let spec = worker(config, file)?.arg("--max-cost").arg(most.to_string());
    let (mut running, mut lines) = start(spec).await?;
    let (mut done, mut summary) = (0, None);
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line).context("stillcast-worker said something else")? {
            Said::One(outcome) => {
                done += 1;
                tell(screen, &outcome, (done, requests));
            }
            Said::All(all) => summary = Some(all),
        }
    }
    screen.live_status("");
    let ended = ended(running.wait().await);
    if let Some(summary) = &summary {
        screen.answer(summary, || sentence(summary))?;
    }
    ended
}

fn worker(config: &Config, file: &Path) -> anyhow::Result<Spec> {
    let spec = worker_here(config)?.arg("--warm").arg(file);
    Ok(spec.stdout(Stream::Piped).without_timeout())
}

async fn start(spec: Spec) -> anyhow::Result<(Running, Lines<BufReader<impl AsyncRead + Unpin>>)> {
    let mut running = spec.spawn().await?;
    let stdout = running.stdout.take().context("its stdout is piped")?;
    Ok((running, BufReader::new(stdout).lines()))
}

/// Its exit code and its last words are ours.
fn ended(ended: Result<Finished, ChildError>) -> anyhow::Result<()> {
    match ended {
        Ok(_) => Ok(()),
        Err(ChildError::Status { code, stderr, .. }) => {
            let words = stderr.split_once(PREFIX).map_or(&*stderr, |(_, words)| words);
            Err(CliError::of_child(code, words.trim()))
        }
        Err(error) => Err(error.into()),
    }
}

fn tell(screen: &Screen, outcome: &Outcome, (done, requests): (usize, usize)) {
    let Outcome { line, state, error } = outcome;
    if let Some(error) = error {
        let text = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
        screen.note(&format!("line {line}: {} ({})", text("message"), text("code")));
    }
    screen.live_status(&format!("{done} of {requests}: line {line} {state}"));
}

fn sentence(summary: &Summary) -> String {
    let Summary { requests: _, warm, made, failed, left, usd, spent_usd, stopped: _ } = summary;
    format!(
        "{made} bought, {warm} warm before, {failed} failed, {left} left; {usd:.6} US dollars, {spent_usd:.6} in \
         the last two days"
    )
}
