//! A worker of this machine: its own settings, who writes, speaks and paints for it, and its FFmpeg. It is
//! asked itself (`stillcast-worker --check --probe`), which buys nothing.

use std::time::Duration;

use anyhow::Context;
use child::{ChildError, Stream};
use serde::Deserialize;
use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::finding::{Finding, said};
use crate::config::Config;
use crate::embedded::worker_here;

/// What its probe may take: some parts have ten seconds each, side by side.
const LIMIT: Duration = Duration::from_secs(50);
/// Most of its answer that is read.
const MOST: u64 = 4 << 20;
/// What is looked at elsewhere, more closely.
const ELSEWHERE: [&str; 4] = ["redis", "database", "storage", "address"];

const ABSENT: &str = "run `stillcast doctor` where workers run, with their environment";
const SETTINGS: &str =
    "mend this setting of the worker; `stillcast-worker --check` says all of them";
const FFMPEG: &str = "install a full build (apt-get install -y ffmpeg), or set FFMPEG_PATH to one";
const SIGNING: &str =
    "set C2PA_CERTIFICATE_FILE and C2PA_KEY to a certificate that is good and its key";
const SCRATCH: &str = "give this user a folder in STILLCAST_HOME that it may write";
const PROVIDER: &str = "correct the key, the address or the model of this capability, such as LLM_API_KEY, \
                        LLM_BASE_URL and LLM_MODEL";

/// What `--check --json` answers.
#[derive(Deserialize)]
struct Page {
    configuration: Value,
    faults: Vec<Fault>,
    probes: Vec<Probe>,
}

#[derive(Deserialize)]
struct Fault {
    name: String,
    message: String,
}

#[derive(Deserialize)]
struct Probe {
    part: String,
    ok: bool,
    message: String,
}

pub(super) async fn ask(config: &Config) -> Vec<Finding> {
    match page(config, &["--check", "--probe", "--json"]).await {
        Ok(page) => judge(page),
        Err(error) if matches!(error.downcast_ref(), Some(ChildError::NotFound { .. })) => {
            let found = "stillcast-worker is not here: its providers and its FFmpeg were not asked";
            vec![Finding::warning("worker", found, ABSENT)]
        }
        Err(error) => vec![Finding::error("worker", said(&error), ABSENT)],
    }
}

/// Its settings as they may be shown.
pub(super) async fn settings(config: &Config) -> anyhow::Result<Value> {
    Ok(page(config, &["--check", "--json"]).await?.configuration)
}

async fn page(config: &Config, args: &[&str]) -> anyhow::Result<Page> {
    let mut running =
        worker_here(config)?.args(args).timeout(LIMIT).stdout(Stream::Piped).spawn().await?;
    let out = running.stdout.take().context("its stdout is piped")?;
    let mut said = Vec::new();
    let mut out = out.take(MOST);
    let (read, ended) = tokio::join!(out.read_to_end(&mut said), running.wait());
    read?;
    match ended {
        // Parts that are missing have an exit status of their own, and stand on the page.
        Ok(_) | Err(ChildError::Status { .. }) if !said.is_empty() => {}
        ended => drop(ended?),
    }
    serde_json::from_slice(&said).context("stillcast-worker did not answer as this version does")
}

fn judge(page: Page) -> Vec<Finding> {
    let faults = page.faults.into_iter().map(|Fault { name, message }| {
        Finding::error("worker", format!("{name}: {message}"), SETTINGS)
    });
    let probes = page.probes.into_iter().filter(|probe| !ELSEWHERE.contains(&&*probe.part));
    faults.chain(probes.map(probed)).collect()
}

fn probed(Probe { part, ok, message }: Probe) -> Finding {
    let cure = match &*part {
        "ffmpeg" | "hardware" => FFMPEG,
        "scratch" => SCRATCH,
        "c2pa" => SIGNING,
        _ => PROVIDER,
    };
    if ok { Finding::ok(&part, message) } else { Finding::error(&part, message, cure) }
}
