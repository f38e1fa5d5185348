//! The findings go in; an archive for whoever helps comes out: findings, versions, settings with their
//! secrets hidden, numbers of the queue, and the errors of its newest dead jobs.
//!
//! Nothing that a job was told or has made is in it: no text, no metadata, no tenant, and no sentence of an
//! error, which may quote one.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use child::{Spec, Stream};
use chrono::{DateTime, Utc};
use queue::{Inspector, Verb};
use serde::Serialize;
use serde_json::{Value, json};
use stillcast_enqueue::{ErrorReport, Format, JobRecord, StageName, State};

use super::finding::{Finding, said};
use super::worker;
use crate::config::Config;
use crate::connect;

/// The folder in the archive.
const FOLDER: &str = "stillcast-incident";
/// Newest dead jobs that are told of.
const DEAD: usize = 100;
/// How far back the numbers reach.
const SPAN: Duration = Duration::from_hours(6);
const TAR: Duration = Duration::from_secs(30);
const HINT: &str = "install it with: apt-get install -y tar gzip";

/// What may be known of a job that has died.
#[derive(Serialize)]
struct DeadJob {
    id: String,
    format: Option<Format>,
    attempt: u32,
    interruptions: u32,
    crashes: u32,
    enqueued_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    stage: Option<StageName>,
    provider: Option<String>,
    code: String,
}

/// Writes the archive to `path`, readable by its owner alone.
pub(crate) async fn write(
    path: &Path,
    config: &Config,
    findings: &[Finding],
) -> anyhow::Result<()> {
    let parts = [
        ("findings.json", json!(findings)),
        ("versions.json", versions()),
        ("settings.json", settings(config).await),
        ("queue.json", or_why(queue(config).await)),
    ];
    let room = tempfile::tempdir().context("a folder for the bundle")?;
    let folder = room.path().join(FOLDER);
    fs::create_dir(&folder)?;
    for (name, part) in parts {
        fs::write(folder.join(name), format!("{part:#}\n"))?;
    }
    pack(room.path(), create(path)?).await
}

fn create(path: &Path) -> anyhow::Result<File> {
    let created = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    created.with_context(|| format!("{} cannot be written", path.display()))
}

async fn pack(room: &Path, out: File) -> anyhow::Result<()> {
    let tar = Spec::new("tar").args(["--create", "--gzip", "--directory"]).arg(room).arg(FOLDER);
    tar.stdout(Stream::File(out)).hint(HINT).timeout(TAR).run().await?;
    Ok(())
}

fn versions() -> Value {
    let system = fs::read_to_string("/proc/version").unwrap_or_default();
    json!({
        "stillcast": env!("CARGO_PKG_VERSION"),
        "queue_verbs": Verb::all().len(),
        "system": system.trim(),
        "at": Utc::now(),
    })
}

/// Both programs' settings, as each shows its own.
async fn settings(config: &Config) -> Value {
    let worker = or_why(worker::settings(config).await);
    json!({ "stillcast": config.settled.to_json(), "stillcast-worker": worker })
}

async fn queue(config: &Config) -> anyhow::Result<Value> {
    let inspector = connect::patient_inspector(config).await?;
    Ok(json!({
        "stats": inspector.stats().await?,
        "history": inspector.history(SPAN).await?,
        "workers": inspector.workers().await?,
        "dead": dead(&inspector).await?,
    }))
}

async fn dead(inspector: &Inspector) -> anyhow::Result<Vec<DeadJob>> {
    let page = inspector.list(Some(State::Dead), DEAD, None).await?;
    Ok(page.jobs.into_iter().map(DeadJob::of).collect())
}

impl DeadJob {
    fn of(record: JobRecord) -> Self {
        let error = record.error.unwrap_or_else(|| ErrorReport::new("unknown", ""));
        Self {
            id: record.id,
            format: record.format,
            attempt: record.attempt,
            interruptions: record.interruptions,
            crashes: record.crashes,
            enqueued_at: record.enqueued_at,
            finished_at: record.finished_at,
            stage: error.stage,
            provider: error.provider,
            code: error.code,
        }
    }
}

/// What is out of reach is told in its place, so that the rest can be had.
fn or_why(part: anyhow::Result<Value>) -> Value {
    part.unwrap_or_else(|error| json!({ "unknown": said(&error) }))
}
