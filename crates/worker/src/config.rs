//! Defaults, file and environment go in; a checked configuration comes out, or every fault at once.
//!
//! `deploy/worker.toml` names each setting, its default and its sentence; nothing else may be set.

mod caching;
mod capabilities;
mod fault;
mod knobs;
mod layers;
mod reader;
mod redact;
mod sections;
mod storage;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pipeline::Policies;
use secrecy::SecretString;
use serde_json::Value;
use telemetry::Logging;

pub(crate) use caching::CachingConfig;
pub(crate) use capabilities::{
    AccountConfig, PainterConfig, ProviderConfig, SpeakerConfig, WriterConfig,
};
pub(crate) use fault::Faults;
use layers::Layers;
use reader::{Reader, Settled};

/// Everything that a worker may be told.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where jobs come from.
    pub(crate) queue: QueueConfig,
    /// The policy table.
    pub(crate) policies: Policies,
    /// What jobs share.
    pub(crate) caching: CachingConfig,
    /// Who makes the parts.
    pub(crate) providers: ProviderConfig,
    /// How the file is made.
    pub(crate) encoding: EncodingConfig,
    /// Where conversations are.
    pub(crate) database: DatabaseConfig,
    /// Where finished files go.
    pub(crate) storage: StorageConfig,
    /// Where probes and scrapes are answered; `None` for nowhere.
    pub(crate) address: Option<SocketAddr>,
    /// What is logged, and how.
    pub(crate) logging: Logging,
    /// Worth saying, but no fault.
    pub(crate) notes: Vec<String>,
    shown: BTreeMap<&'static str, String>,
}

/// Where jobs come from, and how many at once.
#[derive(Debug)]
pub(crate) struct QueueConfig {
    /// Its Redis; may hold a password.
    pub(crate) redis_url: SecretString,
    /// Whom to trust at any Redis with TLS, when not the system's authorities.
    pub(crate) ca_file: Option<PathBuf>,
    /// Its name.
    pub(crate) name: String,
    /// Jobs at once.
    pub(crate) slots: usize,
    /// The length of a lease.
    pub(crate) lease_ttl: Duration,
    /// How long running jobs may go on after the first signal.
    pub(crate) drain_timeout: Duration,
    /// Between two probes of a provider that refuses this worker.
    pub(crate) probe_interval: Duration,
}

/// How the file is made.
#[derive(Clone, Debug)]
pub(crate) struct EncodingConfig {
    /// FFmpeg, a path or a name in PATH.
    pub(crate) ffmpeg: PathBuf,
    /// Such as `96k`.
    pub(crate) audio_bitrate: String,
    /// Fewer CPU seconds before a finer picture.
    pub(crate) speed: bool,
    /// Whether to look for a hardware encoder.
    pub(crate) hardware: bool,
}

/// Where conversations are, and how they are found.
#[derive(Debug)]
pub(crate) struct DatabaseConfig {
    /// Its address; may hold a password. `None` without a database.
    pub(crate) url: Option<SecretString>,
    /// The query for what was said; `None` for that of the sample schema.
    pub(crate) messages: Option<String>,
    /// The query for what the conversation refers to.
    pub(crate) sources: Option<String>,
}

/// Where files go.
#[derive(Debug)]
pub(crate) struct StorageConfig {
    /// The store's address.
    pub(crate) url: String,
    /// What people fetch from instead.
    pub(crate) public_base_url: Option<String>,
    /// How a bucket is reached.
    pub(crate) bucket: BucketConfig,
    /// The folder for unfinished files.
    pub(crate) scratch: PathBuf,
}

/// How a bucket is reached; unset parts are the machine's AWS settings.
#[derive(Debug)]
pub(crate) struct BucketConfig {
    /// Another S3 than Amazon's.
    pub(crate) endpoint: Option<String>,
    /// The bucket's region.
    pub(crate) region: Option<String>,
    /// The account's key.
    pub(crate) key: Option<BucketKey>,
}

/// A key of an account.
#[derive(Debug)]
pub(crate) struct BucketKey {
    /// Its name.
    pub(crate) id: String,
    /// The secret.
    pub(crate) secret: SecretString,
    /// Given with temporary keys.
    pub(crate) session_token: Option<SecretString>,
}

/// Where the settings come from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// The file of `--config`.
    pub(crate) file: Option<PathBuf>,
    /// The environment.
    pub(crate) variables: BTreeMap<String, String>,
}

impl Sources {
    /// `file`, and this process's environment. Names or values that are no text are nobody's
    /// settings.
    pub(crate) fn of_process(file: Option<&Path>) -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let variables = std::env::vars_os().filter_map(text).collect();
        Self { file: file.map(Path::to_owned), variables }
    }
}

impl Config {
    /// Reads and checks everything.
    pub(crate) fn load(sources: &Sources) -> Result<Self, Faults> {
        let mut layers = Layers::defaults();
        if let Some(file) = &sources.file {
            layers.add_file(file);
        }
        layers.add_environment(&sources.variables);
        let mut reader = Reader::new(layers);
        let config = sections::read(&mut reader, &sources.variables);
        let (config, settled) = reader.finish(config)?;
        let Settled { shown, notes, .. } = settled;
        Ok(Self { notes, shown, ..config })
    }

    /// The file of defaults with this configuration's values, secrets hidden.
    pub(crate) fn to_toml(&self) -> String {
        let line = |line: &'static str| match knobs::setting_of(line) {
            Some(name) => format!("{name} = {}\n", self.shown_value(name)),
            None => format!("{line}\n"),
        };
        knobs::DEFAULTS.lines().map(line).collect()
    }

    /// Every setting by its name, secrets hidden.
    pub(crate) fn to_json(&self) -> Value {
        let pair = |name: &'static str| (name.to_owned(), self.shown_value(name));
        Value::Object(knobs::names().map(pair).collect())
    }

    /// Numbers and truths as such, all else as text; TOML and JSON write these alike.
    fn shown_value(&self, name: &str) -> Value {
        let text = self.shown.get(name).map(String::as_str).unwrap_or_default();
        match (text.parse::<u64>(), text.parse::<bool>()) {
            (Ok(number), _) => number.into(),
            (_, Ok(truth)) => truth.into(),
            _ => text.into(),
        }
    }
}
