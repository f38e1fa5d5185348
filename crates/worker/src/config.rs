//! Defaults, file and environment go in; a checked configuration comes out, or every fault at once.
//!
//! `deploy/worker.toml` names each setting, its default and its sentence; nothing else may be set.
//! One file a section: its values, and how they are read. Here they are only put together.

mod budgets;
mod caching;
mod capabilities;
mod database;
mod encoding;
mod health;
mod logging;
mod parts;
mod policies;
mod pronunciation;
mod queue;
mod signing;
mod storage;
#[cfg(test)]
mod tests;
mod traces;

use std::net::SocketAddr;

use pipeline::{Policies, Pronunciation};
use settings::{Environment, Knobs, Reader, Settled, WebhookConfig};
use telemetry::{Logging, TraceOptions};

pub(crate) use budgets::{TenantLimits, unpriced};
pub(crate) use caching::CachingConfig;
pub(crate) use capabilities::{
    AccountConfig, PainterConfig, ProviderConfig, SpeakerConfig, WordsConfig, WriterConfig,
};
pub(crate) use database::DatabaseConfig;
pub(crate) use encoding::EncodingConfig;
pub(crate) use queue::QueueConfig;
pub(crate) use settings::{Faults, Sources};
pub(crate) use signing::SigningConfig;
pub(crate) use storage::StorageConfig;

/// Every setting of the worker.
const KNOBS: Knobs = Knobs {
    owner: "the worker",
    defaults: include_str!("../../../deploy/worker.toml"),
    neighbours: include_str!("../../../deploy/ops.toml"),
    not_yet: &["max_attempts"],
    split: &[("encode_timeout", ["audio_compression_timeout", "video_encoding_timeout"])],
};

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
    /// What tenants may spend in a day.
    pub(crate) budgets: TenantLimits,
    /// How words are said.
    pub(crate) pronunciation: Pronunciation,
    /// How the file is made.
    pub(crate) encoding: EncodingConfig,
    /// With what files are signed; `None` where none is.
    pub(crate) signing: Option<SigningConfig>,
    /// Where conversations are.
    pub(crate) database: DatabaseConfig,
    /// Where finished files go.
    pub(crate) storage: StorageConfig,
    /// How the ends of jobs are told.
    pub(crate) webhooks: WebhookConfig,
    /// Where probes and scrapes are answered; `None` for nowhere.
    pub(crate) address: Option<SocketAddr>,
    /// What is logged, and how.
    pub(crate) logging: Logging,
    /// Where spans go; `None` for no traces.
    pub(crate) traces: Option<TraceOptions>,
    /// The settings as they may be shown, and what is worth saying of them.
    pub(crate) settled: Settled,
}

impl Config {
    /// Reads and checks everything.
    pub(crate) fn load(sources: &Sources) -> Result<Self, Faults> {
        Self::load_without(&parts::left_out(), sources)
    }

    /// The same, in a build that leaves parts out.
    fn load_without(left_out: &[&str], sources: &Sources) -> Result<Self, Faults> {
        let mut reader = Reader::new(KNOBS, sources);
        let config = read(&mut reader, &sources.environment);
        parts::judge(&mut reader, left_out);
        reader.finish(config)
    }
}

/// Reads every section, so that all faults are found; `None` when there is one.
fn read(
    reader: &mut Reader,
    environment: &Environment,
) -> Option<impl FnOnce(Settled) -> Config + use<>> {
    let queue = queue::read(reader);
    let policies = policies::read(reader, queue.as_ref().map_or(1, |queue| queue.slots));
    let caching = caching::read(reader, queue.as_ref());
    let providers = capabilities::read(reader, environment);
    let budgets = budgets::read(reader, providers.as_ref());
    let pronunciation = pronunciation::read(reader);
    let encoding = encoding::read(reader);
    let signing = signing::read(reader);
    let database = database::read(reader);
    let storage = storage::read(reader, environment);
    let webhooks = WebhookConfig::read(reader);
    let address = health::read(reader);
    let logging = logging::read(reader);
    let traces = traces::read(reader);
    let (queue, policies, caching) = (queue?, policies?, caching?);
    let (providers, encoding, storage) = (providers?, encoding?, storage?);
    let (pronunciation, address, logging) = (pronunciation?, address?, logging?);
    let database = database?;
    Some(move |settled| Config {
        queue,
        policies,
        caching,
        providers,
        budgets,
        pronunciation,
        encoding,
        signing,
        database,
        storage,
        webhooks,
        address,
        logging,
        traces,
        settled,
    })
}
