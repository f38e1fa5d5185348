//! A configuration goes in, the parts that do the work come out: the one place that names
//! concrete providers.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use pipeline::{ImageGenerator, MediaEncoder, ObjectStore, SpeechSynthesizer};
use pipeline::{Providers, SharedCache, Slots, SourceStore, TranscriptWriter};
use providers::cache::{CacheEvent, RedisCache};
use providers::ffmpeg::{FfmpegEncoder, FfmpegOptions};
use providers::offline::{OfflinePainter, OfflineSpeech, OfflineWriter};
use providers::openai::{
    self, Account, HttpClient, ImagePrice, OpenAiPainter, OpenAiSpeech, OpenAiWriter,
    SpeechOptions, SpeechPrice, TokenPrice,
};
use providers::postgres::{Database, PostgresSources, Queries};
use providers::scratch::{AttemptFolder, Scratch};
use providers::speech_command::{CommandOptions, CommandSpeech};
use providers::store::{self, Credentials, Store, StoreOptions};
use secrecy::ExposeSecret;
use stillcast_enqueue::capability::Capability;
use telemetry::Metrics;

use crate::config::{
    AccountConfig, CachingConfig, Config, DatabaseConfig, EncodingConfig, PainterConfig,
    SpeakerConfig, StorageConfig, WriterConfig,
};
use crate::job_handler::{Folder, Folders, JobHandler};

/// Longest wait at the end for uploads that were given up.
const SETTLE: Duration = Duration::from_secs(5);
const NO_CERTIFICATES: &str = "this machine has no certificates to trust";
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
    metrics: Arc<Metrics>,
) -> anyhow::Result<Parts> {
    let store = store(&config.storage, worker).await?;
    sweep(store.as_ref()).await;
    let http = HttpClient::new().context(NO_CERTIFICATES)?;
    let providers = Providers {
        sources: sources(&config.database, worker, config.queue.slots)?,
        writer: writer(&config.providers.writer, &http),
        speaker: speaker(&config.providers.speaker, &http, &config.encoding),
        painter: painter(&config.providers.painter, &http),
        encoder: encoder(&config.encoding),
        store: Arc::clone(&store) as _,
    };
    let scratch = &config.storage.scratch;
    let folders = Scratch::open(scratch)
        .with_context(|| format!("STILLCAST_HOME: {} cannot be used", scratch.display()))?;
    let slots = Arc::new(Slots::new(&config.policies));
    let policies = Arc::new(config.policies.clone());
    let handler = JobHandler {
        providers,
        objects: Arc::clone(&store) as _,
        cache: cache(config, &metrics)?,
        policies,
        slots,
        folders: Box::new(folders),
        metrics,
        probe_interval: config.queue.probe_interval,
    };
    Ok(Parts { handler, store })
}

fn cache(config: &Config, metrics: &Arc<Metrics>) -> anyhow::Result<Option<Arc<dyn SharedCache>>> {
    let CachingConfig { shares, redis_url, ttl } = &config.caching;
    if !shares {
        return Ok(None);
    }
    let metrics = Arc::clone(metrics);
    let hear = Arc::new(move |event: CacheEvent| metrics.cache_asked(event.as_str()));
    let cache = RedisCache::new(redis_url.expose_secret(), &config.queue.name, *ttl, hear);
    Ok(Some(Arc::new(cache.context("CACHE_REDIS_URL")?)))
}

/// Writes something into the store and takes it away again.
pub(crate) async fn probe_store(storage: &StorageConfig) -> anyhow::Result<String> {
    Ok(store(storage, "probe").await?.probe().await?)
}

/// Asks the database who it is; `None` where there is none.
pub(crate) async fn probe_database(config: &DatabaseConfig) -> anyhow::Result<Option<String>> {
    let Some(database) = database(config, "stillcast probe", 1)? else { return Ok(None) };
    let asked = database.probe().await;
    database.close().await;
    Ok(Some(asked?))
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
    }
}

async fn probe_writer(config: &WriterConfig) -> anyhow::Result<String> {
    match config {
        WriterConfig::Offline => Ok(OFFLINE.to_owned()),
        WriterConfig::OpenAi { account, .. } => probe_account(Capability::Llm, account).await,
    }
}

async fn probe_speaker(config: &Config) -> anyhow::Result<String> {
    match &config.providers.speaker {
        SpeakerConfig::Offline => Ok(OFFLINE.to_owned()),
        SpeakerConfig::OpenAi { account, .. } => probe_account(Capability::Tts, account).await,
        SpeakerConfig::Command { words, environment } => {
            Ok(command(words, environment, &config.encoding).probe()?)
        }
    }
}

async fn probe_painter(config: &PainterConfig) -> anyhow::Result<String> {
    match config {
        PainterConfig::Offline => Ok(OFFLINE.to_owned()),
        PainterConfig::OpenAi { account, .. } => probe_account(Capability::Image, account).await,
    }
}

async fn probe_account(capability: Capability, account: &AccountConfig) -> anyhow::Result<String> {
    let http = HttpClient::new().context(NO_CERTIFICATES)?;
    Ok(openai::probe(&http, &bought(capability, account)).await?)
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

fn sources(
    config: &DatabaseConfig,
    worker: &str,
    tasks: usize,
) -> anyhow::Result<Option<Arc<dyn SourceStore>>> {
    let Some(database) = database(config, worker, tasks)? else { return Ok(None) };
    let queries = match &config.messages {
        Some(messages) => Queries::of(messages, config.sources.as_deref())
            .context("MESSAGES_QUERY and SOURCES_QUERY")?,
        None => Queries::default(),
    };
    Ok(Some(Arc::new(PostgresSources::new(database, queries))))
}

fn database(config: &DatabaseConfig, name: &str, tasks: usize) -> anyhow::Result<Option<Database>> {
    let open = |url: &secrecy::SecretString| Database::open(url.expose_secret(), name, tasks);
    Ok(config.url.as_ref().map(open).transpose()?)
}

fn writer(config: &WriterConfig, http: &HttpClient) -> Arc<dyn TranscriptWriter> {
    match config {
        WriterConfig::Offline => Arc::new(OfflineWriter),
        WriterConfig::OpenAi { account, prices: (input, output) } => {
            let price = TokenPrice { input: *input, output: *output };
            Arc::new(OpenAiWriter::new(http.clone(), bought(Capability::Llm, account), price))
        }
    }
}

fn speaker(
    config: &SpeakerConfig,
    http: &HttpClient,
    encoding: &EncodingConfig,
) -> Arc<dyn SpeechSynthesizer> {
    let ffmpeg = encoding.ffmpeg.clone();
    match config {
        SpeakerConfig::Offline => Arc::new(OfflineSpeech::new(ffmpeg)),
        SpeakerConfig::OpenAi { account, voice, price } => {
            let (voice, price) = (voice.clone(), SpeechPrice(*price));
            let options = SpeechOptions { voice, price, ffmpeg };
            Arc::new(OpenAiSpeech::new(http.clone(), bought(Capability::Tts, account), options))
        }
        SpeakerConfig::Command { words, environment } => {
            Arc::new(command(words, environment, encoding))
        }
    }
}

fn command(
    words: &[String],
    environment: &[(String, String)],
    encoding: &EncodingConfig,
) -> CommandSpeech {
    let (words, environment) = (words.to_owned(), environment.to_owned());
    CommandSpeech::new(CommandOptions { words, environment, ffmpeg: encoding.ffmpeg.clone() })
}

fn painter(config: &PainterConfig, http: &HttpClient) -> Arc<dyn ImageGenerator> {
    match config {
        PainterConfig::Offline => Arc::new(OfflinePainter),
        PainterConfig::OpenAi { account, size, price } => {
            let (account, price) = (bought(Capability::Image, account), ImagePrice(*price));
            Arc::new(OpenAiPainter::new(http.clone(), account, size, price))
        }
    }
}

fn bought(capability: Capability, account: &AccountConfig) -> Account {
    let AccountConfig { base_url, key, model } = account.clone();
    Account { capability, base_url, key, model }
}

fn encoder(encoding: &EncodingConfig) -> Arc<dyn MediaEncoder> {
    Arc::new(FfmpegEncoder::new(FfmpegOptions {
        program: encoding.ffmpeg.clone(),
        speed: encoding.speed,
        audio_bitrate: encoding.audio_bitrate.clone(),
        hardware: encoding.hardware,
    }))
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
