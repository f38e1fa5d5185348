//! A configuration goes in, the parts that do the work come out: the one place that names
//! concrete providers. What a build may leave out has a file below `wiring`, and one of the same face
//! that stands in for it.

#[cfg(feature = "postgres")]
mod database;
#[cfg(not(feature = "postgres"))]
#[path = "wiring/no_database.rs"]
mod database;
mod end_of_models;
#[cfg(not(feature = "c2pa"))]
#[path = "wiring/no_signing.rs"]
mod signing;
#[cfg(feature = "c2pa")]
mod signing;
#[cfg(not(feature = "openai"))]
#[path = "wiring/no_vendor.rs"]
mod vendor;
#[cfg(feature = "openai")]
mod vendor;
#[cfg(not(feature = "webhook"))]
#[path = "wiring/no_webhooks.rs"]
mod webhooks;
#[cfg(feature = "webhook")]
mod webhooks;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use pipeline::{
    Budget, ImageGenerator, MediaEncoder, Moderator, ObjectStore, Policies, SpeechSynthesizer,
};
use pipeline::{Providers, RateLimiter, SharedCache, Slots, TranscriptWriter};
use providers::cache::{CacheEvent, RedisCache};
use providers::ffmpeg::{FfmpegEncoder, FfmpegOptions};
use providers::offline::{OfflinePainter, OfflineSpeech, OfflineWriter};
use providers::scratch::{AttemptFolder, Scratch, ScratchDisk};
use providers::speech_command::{CommandOptions, CommandSpeech};
use providers::store::{self, Credentials, Store, StoreOptions};
use queue::{AccountLimits, Endpoint, TenantBudgets};
use secrecy::ExposeSecret;
use stillcast_enqueue::capability::Capability;
use telemetry::Metrics;
use tokio::task::JoinSet;

use crate::account_limits::{Accounts, FleetLimiter};
use crate::config::{
    AccountConfig, CachingConfig, Config, EncodingConfig, PainterConfig, SpeakerConfig,
    StorageConfig, WriterConfig,
};
use crate::job_handler::{Folder, Folders, JobHandler, Watched};
use crate::tenant_budget::{self, FleetBudget};
pub(crate) use database::{probe_database, relay};
pub(crate) use end_of_models::bought_models;
use signing::signing;
use vendor::Vendor;
pub(crate) use webhooks::deliver;

/// Longest wait at the end for uploads that were given up.
const SETTLE: Duration = Duration::from_secs(5);
/// What is said of a maker that needs nobody.
const OFFLINE: &str = "offline";

/// What the work is done with.
pub(crate) struct Parts {
    pub(crate) handler: JobHandler,
    store: Arc<dyn Store>,
}

impl Parts {
    /// Where jobs keep what they remember.
    pub(crate) fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store) as _
    }

    /// Ends what the work has left behind in the store.
    pub(crate) fn settle(&self) -> impl Future<Output = ()> + use<> {
        let store = Arc::clone(&self.store);
        async move { store.settle(SETTLE).await }
    }
}

/// Makes all parts; opens and sweeps folders.
pub(crate) async fn parts(
    config: &Config,
    worker: &str,
    watched: Watched,
) -> anyhow::Result<Parts> {
    let store = store(&config.storage, worker).await?;
    sweep(store.as_ref()).await;
    let folders = scratch(config)?;
    let (policies, slots) = (config.policies.clone(), config.queue.slots);
    let handler = handler(config, worker, (policies, slots), &store, Box::new(folders), watched)?;
    Ok(Parts { handler, store })
}

/// The same for the process of a suspect: one job, its share of the slots, and the folder that the
/// worker of this name has given.
pub(crate) async fn suspect(
    config: &Config,
    worker: &str,
    folders: Box<dyn Folders>,
    watched: Watched,
) -> anyhow::Result<JobHandler> {
    let store = store(&config.storage, worker).await?;
    let policies = config.policies.clone().share_of_one(config.queue.slots);
    handler(config, worker, (policies, 1), &store, folders, watched)
}

/// What fills the cache for all tenants: its values live longer, and nobody's budget pays for them.
pub(crate) async fn warmer(
    config: &Config,
    worker: &str,
    watched: Watched,
) -> anyhow::Result<JobHandler> {
    let store = store(&config.storage, worker).await?;
    let folders = Box::new(scratch(config)?);
    let cache = cache_for(config, &watched.metrics, config.caching.warm_ttl)?;
    let made = (config.policies.clone(), config.queue.slots);
    let handler = handler(config, worker, made, &store, folders, watched)?;
    Ok(JobHandler { cache, budget: None, ..handler })
}

fn handler(
    config: &Config,
    worker: &str,
    (policies, jobs): (Policies, usize),
    store: &Arc<dyn Store>,
    folders: Box<dyn Folders>,
    watched: Watched,
) -> anyhow::Result<JobHandler> {
    let accounts = Arc::new(Accounts::of_config(&config.providers));
    let vendor =
        Vendor::new(Some((Arc::clone(&watched.metrics), Arc::clone(&accounts).hearing())))?;
    let providers = Providers {
        sources: database::sources(&config.database, worker, jobs)?,
        moderator: moderator(config.providers.moderator.as_ref(), &vendor)?,
        writer: writer(&config.providers.writer, &vendor)?,
        speaker: speaker(&config.providers.speaker, &vendor, &config.encoding)?,
        painter: painter(&config.providers.painter, &vendor, &config.encoding)?,
        encoder: encoder(config)?,
        disk: Arc::new(ScratchDisk),
        store: Arc::clone(store) as _,
    };
    Ok(JobHandler {
        providers,
        objects: Arc::clone(store) as _,
        cache: cache(config, &watched.metrics)?,
        loudness: config.encoding.loudness,
        pronunciation: Arc::new(config.pronunciation.clone()),
        slots: Arc::new(Slots::new(&policies)),
        budget: budget(config, &watched.metrics)?,
        limiter: limiter(config, accounts, &watched.metrics)?,
        policies: Arc::new(policies),
        folders,
        watched,
        queue: config.queue.name.clone(),
        probe_interval: config.queue.probe_interval,
        teller: None,
    })
}

fn scratch(config: &Config) -> anyhow::Result<Scratch> {
    let scratch = &config.storage.scratch;
    Scratch::open(scratch)
        .with_context(|| format!("STILLCAST_HOME: {} cannot be used", scratch.display()))
}

/// None where nobody limits what tenants spend.
fn budget(config: &Config, metrics: &Arc<Metrics>) -> anyhow::Result<Option<Arc<dyn Budget>>> {
    if config.budgets.is_empty() {
        return Ok(None);
    }
    let (budgets, limits) = (tenant_budgets(config)?, config.budgets.clone());
    Ok(Some(Arc::new(FleetBudget::new(budgets, limits, Arc::clone(metrics)))))
}

fn tenant_budgets(config: &Config) -> anyhow::Result<TenantBudgets> {
    let queue = &config.queue;
    Ok(TenantBudgets::new(&Endpoint::new(queue.redis_url.expose_secret(), &queue.name)?))
}

/// Lets jobs go on, until it is dropped, whose tenants have money again.
pub(crate) fn let_go_on(config: &Config) -> anyhow::Result<JoinSet<()>> {
    Ok(tenant_budget::let_go_on(tenant_budgets(config)?, &config.budgets))
}

/// None where nothing is bought.
fn limiter(
    config: &Config,
    accounts: Arc<Accounts>,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<Option<Arc<dyn RateLimiter>>> {
    if accounts.is_empty() {
        return Ok(None);
    }
    let queue = &config.queue;
    let endpoint = Endpoint::new(queue.redis_url.expose_secret(), &queue.name)?;
    let limits = AccountLimits::new(&endpoint);
    Ok(Some(Arc::new(FleetLimiter::new(limits, accounts, Arc::clone(metrics)))))
}

fn cache(config: &Config, metrics: &Arc<Metrics>) -> anyhow::Result<Option<Arc<dyn SharedCache>>> {
    cache_for(config, metrics, config.caching.ttl)
}

/// A cache whose values live for `ttl`.
fn cache_for(
    config: &Config,
    metrics: &Arc<Metrics>,
    ttl: Duration,
) -> anyhow::Result<Option<Arc<dyn SharedCache>>> {
    let CachingConfig { shares, redis_url, ttl: _, warm_ttl: _ } = &config.caching;
    if !shares {
        return Ok(None);
    }
    let metrics = Arc::clone(metrics);
    let hear = Arc::new(move |event: CacheEvent| metrics.cache_asked(event.as_str()));
    let cache = RedisCache::new(redis_url.expose_secret(), &config.queue.name, ttl, hear);
    Ok(Some(Arc::new(cache.context("CACHE_REDIS_URL")?)))
}

/// Writes something into the store and takes it away again.
pub(crate) async fn probe_store(storage: &StorageConfig) -> anyhow::Result<String> {
    Ok(store(storage, "probe").await?.probe().await?)
}

/// Has FFmpeg make a small file where those of jobs are made, before anything is bought for it.
pub(crate) async fn rehearse(config: &Config) -> anyhow::Result<()> {
    let (attempt, _scratch) = attempt_folder(config)?;
    ffmpeg(&config.encoding).rehearse(attempt.path()).await.context("FFMPEG_PATH")
}

/// Tries each hardware encoder there, whether it is asked for or not; the first that works.
pub(crate) async fn try_hardware(config: &Config) -> anyhow::Result<Option<&'static str>> {
    let (attempt, _scratch) = attempt_folder(config)?;
    Ok(ffmpeg(&config.encoding).try_hardware(attempt.path()).await)
}

/// A folder as a job gets it, and the scratch that it lies in.
fn attempt_folder(config: &Config) -> anyhow::Result<(AttemptFolder, Scratch)> {
    let scratch = &config.storage.scratch;
    let unusable = || format!("STILLCAST_HOME: {} cannot be used", scratch.display());
    let folder = Scratch::open(scratch).and_then(|scratch| Ok((scratch.attempt()?, scratch)));
    folder.with_context(unusable)
}

/// Asks who does it, without buying anything.
pub(crate) async fn probe_provider(
    config: &Config,
    capability: Capability,
) -> anyhow::Result<String> {
    match capability {
        Capability::Llm => probe_writer(&config.providers.writer).await,
        Capability::Tts => probe_speaker(config).await,
        Capability::Image => probe_painter(&config.providers.painter).await,
        Capability::Moderation => match &config.providers.moderator {
            Some(account) => probe_account(capability, account).await,
            None => Ok("nobody judges texts: MODERATION_BASE_URL is not set".to_owned()),
        },
    }
}

async fn probe_writer(config: &WriterConfig) -> anyhow::Result<String> {
    match config {
        WriterConfig::Offline => Ok(OFFLINE.to_owned()),
        WriterConfig::OpenAi { account, words } => {
            Vendor::new(None)?.probe_writer(account, *words).await
        }
    }
}

async fn probe_speaker(config: &Config) -> anyhow::Result<String> {
    match &config.providers.speaker {
        SpeakerConfig::Offline => Ok(OFFLINE.to_owned()),
        SpeakerConfig::OpenAi { account, over_sockets: true, .. } => {
            let asked = probe_account(Capability::Tts, account).await?;
            Ok(format!("{asked}; speech is bought over sockets (TTS_PROVIDER=realtime)"))
        }
        SpeakerConfig::OpenAi { account, format, .. } => {
            let asked = probe_account(Capability::Tts, account).await?;
            Ok(format!("{asked}; {}", asked_for(format)))
        }
        SpeakerConfig::Command { words, resident, environment } => {
            Ok(command((words, *resident), environment, &config.encoding).probe()?)
        }
    }
}

/// What sound is asked for. Which one a server takes shows at the first passage, which costs money.
fn asked_for(format: &str) -> String {
    match format {
        "auto" => {
            "speech is asked for as pcm, and where that is refused as wav, mp3, flac, opus or \
                   aac (TTS_FORMAT=auto)"
                .to_owned()
        }
        format => format!("speech is asked for as {format} (TTS_FORMAT)"),
    }
}

async fn probe_painter(config: &PainterConfig) -> anyhow::Result<String> {
    match config {
        PainterConfig::Offline => Ok(OFFLINE.to_owned()),
        PainterConfig::OpenAi { account, .. } => probe_account(Capability::Image, account).await,
    }
}

async fn probe_account(capability: Capability, account: &AccountConfig) -> anyhow::Result<String> {
    Vendor::new(None)?.probe(capability, account).await
}

async fn store(storage: &StorageConfig, worker: &str) -> anyhow::Result<Arc<dyn Store>> {
    let opened = store::open(&store_options(storage, worker)).await;
    opened.with_context(|| format!("STORAGE_URL: {} cannot be used", storage.url))
}

fn store_options(storage: &StorageConfig, worker: &str) -> StoreOptions {
    let bucket = &storage.bucket;
    let credentials = bucket.key.as_ref().map(|key| Credentials {
        access_key_id: key.id.clone(),
        secret_access_key: key.secret.expose_secret().to_owned(),
        session_token: key.session_token.as_ref().map(|token| token.expose_secret().to_owned()),
    });
    StoreOptions {
        url: storage.url.clone(),
        writer: worker.to_owned(),
        public_base_url: storage.public_base_url.clone(),
        endpoint: bucket.endpoint.clone(),
        region: bucket.region.clone(),
        credentials,
    }
}

/// A store that is away now may be there for the first job.
async fn sweep(store: &dyn Store) {
    match store.sweep().await {
        Ok(0) => {}
        Ok(swept) => tracing::info!(swept, "removed what writers left unfinished in the store"),
        Err(error) => tracing::warn!("what writers left unfinished in the store stays: {error}"),
    }
}

fn moderator(
    account: Option<&AccountConfig>,
    vendor: &Vendor,
) -> anyhow::Result<Option<Arc<dyn Moderator>>> {
    account.map(|account| vendor.moderator(account)).transpose()
}

fn writer(config: &WriterConfig, vendor: &Vendor) -> anyhow::Result<Arc<dyn TranscriptWriter>> {
    match config {
        WriterConfig::Offline => Ok(Arc::new(OfflineWriter)),
        WriterConfig::OpenAi { account, words } => vendor.writer(account, *words),
    }
}

fn speaker(
    config: &SpeakerConfig,
    vendor: &Vendor,
    encoding: &EncodingConfig,
) -> anyhow::Result<Arc<dyn SpeechSynthesizer>> {
    match config {
        SpeakerConfig::Offline => Ok(Arc::new(OfflineSpeech::new(encoding.ffmpeg.clone()))),
        SpeakerConfig::OpenAi { account, voice, price, over_sockets: true, .. } => {
            vendor.talker(account, voice, *price, &encoding.ffmpeg)
        }
        SpeakerConfig::OpenAi { account, voice, format, price, .. } => {
            vendor.speaker(account, (voice, format), *price, &encoding.ffmpeg)
        }
        SpeakerConfig::Command { words, resident, environment } => {
            Ok(Arc::new(command((words, *resident), environment, encoding)))
        }
    }
}

fn command(
    (words, resident): (&[String], bool),
    environment: &[(String, String)],
    encoding: &EncodingConfig,
) -> CommandSpeech {
    let (words, environment) = (words.to_owned(), environment.to_owned());
    let ffmpeg = encoding.ffmpeg.clone();
    CommandSpeech::new(CommandOptions { words, environment, resident, ffmpeg })
}

fn painter(
    config: &PainterConfig,
    vendor: &Vendor,
    encoding: &EncodingConfig,
) -> anyhow::Result<Arc<dyn ImageGenerator>> {
    match config {
        PainterConfig::Offline => Ok(Arc::new(OfflinePainter)),
        PainterConfig::OpenAi { account, size, link_hosts, price } => {
            vendor.painter(account, (size, link_hosts), *price, &encoding.ffmpeg)
        }
    }
}

fn encoder(config: &Config) -> anyhow::Result<Arc<dyn MediaEncoder>> {
    let encoder = Arc::new(ffmpeg(&config.encoding));
    signing(encoder, config.signing.as_ref(), &config.storage.scratch)
}

/// Who signs files; `None` for nobody.
pub(crate) fn probe_signer(config: &Config) -> anyhow::Result<Option<String>> {
    signing::probe_signer(config.signing.as_ref(), &config.storage.scratch)
}

fn ffmpeg(encoding: &EncodingConfig) -> FfmpegEncoder {
    FfmpegEncoder::new(FfmpegOptions {
        program: encoding.ffmpeg.clone(),
        speed: encoding.speed,
        audio_bitrate: encoding.audio_bitrate.clone(),
        hardware: encoding.hardware,
    })
}

impl Folders for Scratch {
    fn folder(&self) -> io::Result<Box<dyn Folder>> {
        Ok(Box::new(self.attempt()?))
    }
}

impl Folder for AttemptFolder {
    fn path(&self) -> &Path {
        Self::path(self)
    }
}
