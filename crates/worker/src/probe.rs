//! Outside parts are asked whether they are there and fit; what is missing comes out with the
//! command or the setting that mends it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use child::Spec;
use futures::future::join_all;
use queue::Endpoint;
use secrecy::ExposeSecret;
use serde::Serialize;
use stillcast_enqueue::capability::Capability;
use tokio::time::timeout;

use crate::config::{Config, DatabaseConfig, SpeakerConfig, StorageConfig};
use crate::{health, wiring};

/// What is said of a Redis that does not do.
pub(crate) const REDIS: &str = "REDIS_URL: Redis cannot be used; start one of version 7.0 or newer \
    with `maxmemory-policy noeviction`, or correct the address";
const INSTALL_FFMPEG: &str = "install it with: apt-get install -y ffmpeg, or set FFMPEG_PATH";
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// FFmpeg's lists are some 100 KiB.
const MAX_OUTPUT: usize = 4 << 20;
/// The filters of the offline voice.
const VOICE: [&str; 2] = ["flite", "atempo"];

/// What was found out about one outside part.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// `redis`, `database`, the word of a stage that asks a provider, `ffmpeg`, `hardware`, `c2pa`,
    /// `storage`, `scratch` or `address`.
    pub(crate) part: &'static str,
    /// Whether it will do.
    pub(crate) ok: bool,
    /// What it is, or what to do.
    pub(crate) message: String,
}

/// Asks every outside part.
pub(crate) async fn all(config: &Config) -> Vec<Finding> {
    let providers = Capability::ALL.map(|capability| provider(config, capability));
    let (redis, database, providers, encoder, hardware, storage, address) = tokio::join!(
        redis(config),
        database(&config.database),
        join_all(providers),
        ffmpeg(config),
        hardware(config),
        storage(&config.storage),
        address(config),
    );
    let mut findings = vec![finding("redis", redis), finding("database", database)];
    findings.extend(providers);
    findings.extend([
        finding("ffmpeg", encoder),
        finding("hardware", hardware),
        finding("c2pa", signer(config)),
        finding("storage", storage),
        finding("scratch", writable(&config.storage.scratch).context("STILLCAST_HOME")),
        finding("address", address),
    ]);
    findings
}

fn finding(part: &'static str, asked: anyhow::Result<String>) -> Finding {
    let ok = asked.is_ok();
    Finding { part, ok, message: asked.unwrap_or_else(|error| format!("{error:#}")) }
}

async fn in_time<T>(asking: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let asked = timeout(PROBE_TIMEOUT, asking).await;
    asked.unwrap_or_else(|_| Err(anyhow!("no answer within {} s", PROBE_TIMEOUT.as_secs())))
}

/// Asks who does it for the stage that needs it.
async fn provider(config: &Config, capability: Capability) -> Finding {
    let asked = in_time(wiring::probe_provider(config, capability)).await;
    finding(capability.stage().as_str(), asked)
}

async fn redis(config: &Config) -> anyhow::Result<String> {
    let asking = async {
        let url = config.queue.redis_url.expose_secret();
        let endpoint = Endpoint::new(url, &config.queue.name)?;
        let mut connection =
            endpoint.shared(PROBE_TIMEOUT / 2).await.map_err(queue::QueueError::from)?;
        anyhow::Ok(endpoint.examine(&mut connection).await?)
    };
    let report = in_time(asking).await.context(REDIS)?;
    let mut said = vec![format!("Redis {}", report.version).trim_end().to_owned()];
    said.extend(report.warnings);
    Ok(said.join("; "))
}

/// Looks for FFmpeg and for what the offline voice asks of it, and has it make a file.
pub(crate) async fn ffmpeg(config: &Config) -> anyhow::Result<String> {
    let program = &config.encoding.ffmpeg;
    if matches!(config.providers.speaker, SpeakerConfig::Offline) {
        lists_all(program, "-filters", &VOICE).await.context("FFMPEG_PATH")?;
    }
    wiring::rehearse(config).await?;
    Ok(program.display().to_string())
}

/// Which encoder of this machine's hardware works. None is no fault: a still needs none.
async fn hardware(config: &Config) -> anyhow::Result<String> {
    let asked = if config.encoding.hardware { "set" } else { "not set" };
    let works = match wiring::try_hardware(config).await? {
        Some(encoder) => format!("{encoder} works"),
        None => "no hardware encoder works here, and libx264 encodes".to_owned(),
    };
    Ok(format!("{works}; ENABLE_HARDWARE_ACCELERATION is {asked}"))
}

/// Who signs files. Nobody is no fault.
fn signer(config: &Config) -> anyhow::Result<String> {
    let signer = wiring::probe_signer(config)?;
    Ok(signer
        .unwrap_or_else(|| "files are not signed: C2PA_CERTIFICATE_FILE is not set".to_owned()))
}

async fn lists_all(program: &Path, list: &str, abilities: &[&str]) -> anyhow::Result<()> {
    let asking = Spec::new(program)
        .args(["-hide_banner", "-loglevel", "error", list])
        .hint(INSTALL_FFMPEG)
        .env_clear()
        .timeout(PROBE_TIMEOUT);
    let (listed, _) = asking.output(MAX_OUTPUT).await?;
    let listed = String::from_utf8_lossy(&listed);
    let has = |ability: &str| listed.split_whitespace().any(|word| word == ability);
    match abilities.iter().find(|ability| !has(ability)) {
        Some(lacks) => bail!("{} lacks {lacks}; {INSTALL_FFMPEG}", program.display()),
        None => Ok(()),
    }
}

async fn storage(storage: &StorageConfig) -> anyhow::Result<String> {
    in_time(wiring::probe_store(storage)).await.context("STORAGE_URL")
}

async fn database(database: &DatabaseConfig) -> anyhow::Result<String> {
    let found = in_time(wiring::probe_database(database)).await.context("DATABASE_URL")?;
    Ok(found.unwrap_or_else(|| "none; only jobs that bring their text can run".to_owned()))
}

fn writable(folder: &Path) -> anyhow::Result<String> {
    let shown = folder.display().to_string();
    let written = std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
    written.with_context(|| format!("{shown} cannot be written; give this user the right to"))?;
    Ok(shown)
}

async fn address(config: &Config) -> anyhow::Result<String> {
    let Some(address) = config.address else { return Ok("off".to_owned()) };
    health::bind(address).await.context("WORKER_ADDR")?;
    Ok(address.to_string())
}
