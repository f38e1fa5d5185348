//! A configuration goes in, the parts that do the work come out: the one place that names
//! concrete providers.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use pipeline::{ImageGenerator, MediaEncoder, ObjectKey, SpeechSynthesizer};
use pipeline::{Providers, Slots, SourceStore, TranscriptWriter};
use providers::ffmpeg::{FfmpegEncoder, FfmpegOptions};
use providers::offline::{OfflinePainter, OfflineSpeech, OfflineWriter};
use providers::postgres::{Database, PostgresSources, Queries};
use providers::scratch::{AttemptFolder, Scratch};
use providers::store::{BucketOptions, Credentials, FileStore, S3Store, Store};
use queue::WorkFolder;
use secrecy::ExposeSecret;
use telemetry::Metrics;

use crate::attempt::{Attempts, Folder, Folders};
use crate::config::{Config, DatabaseConfig, EncodingConfig, Provider, StorageConfig};
use crate::janitor::WorkFolders;

/// Longest wait at the end for uploads that were given up.
const SETTLE: Duration = Duration::from_secs(5);

/// What the work is done with.
pub(crate) struct Parts {
    pub(crate) attempts: Attempts,
    pub(crate) work_folders: Arc<dyn WorkFolders>,
    store: Arc<dyn Store>,
}

impl Parts {
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
    let providers = Providers {
        sources: sources(&config.database, worker, config.queue.slots)?,
        writer: writer(config.providers.writer),
        speaker: speaker(config.providers.speaker, &config.encoding),
        painter: painter(config.providers.painter),
        encoder: encoder(&config.encoding),
        store: Arc::clone(&store) as _,
    };
    let scratch = &config.storage.scratch;
    let folders = Scratch::open(scratch)
        .with_context(|| format!("STILLCAST_HOME: {} cannot be used", scratch.display()))?;
    let slots = Arc::new(Slots::new(&config.policies));
    let policies = Arc::new(config.policies.clone());
    let attempts = Attempts { providers, policies, slots, folders: Box::new(folders), metrics };
    let work_folders = Arc::new(Trashed(Arc::clone(&store)));
    Ok(Parts { attempts, work_folders, store })
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

async fn store(storage: &StorageConfig, worker: &str) -> anyhow::Result<Arc<dyn Store>> {
    let unusable = || format!("STORAGE_URL: {} cannot be used", storage.url);
    if storage.url.starts_with("s3://") {
        let store = S3Store::open(&bucket(storage)).await.with_context(unusable)?;
        return Ok(Arc::new(store));
    }
    let store = FileStore::open(&storage.url, worker).with_context(unusable)?;
    Ok(match &storage.public_base_url {
        Some(base) => Arc::new(store.with_public_base_url(base)),
        None => Arc::new(store),
    })
}

fn bucket(storage: &StorageConfig) -> BucketOptions {
    let key = storage.bucket.key.as_ref();
    let credentials = key.map(|key| Credentials {
        access_key_id: key.id.clone(),
        secret_access_key: key.secret.expose_secret().to_owned(),
        session_token: key.session_token.as_ref().map(|token| token.expose_secret().to_owned()),
    });
    BucketOptions {
        url: storage.url.clone(),
        endpoint: storage.bucket.endpoint.clone(),
        region: storage.bucket.region.clone(),
        credentials,
        public_base_url: storage.public_base_url.clone(),
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

fn writer(provider: Provider) -> Arc<dyn TranscriptWriter> {
    match provider {
        Provider::Offline => Arc::new(OfflineWriter),
    }
}

fn speaker(provider: Provider, encoding: &EncodingConfig) -> Arc<dyn SpeechSynthesizer> {
    match provider {
        Provider::Offline => Arc::new(OfflineSpeech::new(&encoding.ffmpeg)),
    }
}

fn painter(provider: Provider) -> Arc<dyn ImageGenerator> {
    match provider {
        Provider::Offline => Arc::new(OfflinePainter),
    }
}

fn encoder(encoding: &EncodingConfig) -> Arc<dyn MediaEncoder> {
    Arc::new(FfmpegEncoder::new(FfmpegOptions {
        program: encoding.ffmpeg.clone(),
        speed: encoding.speed,
        audio_bitrate: encoding.audio_bitrate.clone(),
        hardware: encoding.hardware,
    }))
}

/// Work folders in the store.
struct Trashed(Arc<dyn Store>);

#[async_trait]
impl WorkFolders for Trashed {
    async fn delete(&self, folder: &WorkFolder) -> io::Result<()> {
        let key = ObjectKey::work(folder.tenant.as_str(), &folder.job);
        let key = key.map_err(io::Error::other)?;
        let Self(store) = self;
        store.delete_prefix(&key).await.map(drop).map_err(io::Error::other)
    }
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
