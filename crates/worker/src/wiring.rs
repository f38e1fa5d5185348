//! A configuration goes in, the parts that do the work come out: the one place that names
//! concrete providers.

use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use pipeline::{ArtifactStore, Providers, Slots, TranscriptWriter};
use pipeline::{ImageGenerator, MediaEncoder, SpeechSynthesizer};
use providers::ffmpeg::{FfmpegEncoder, FfmpegOptions};
use providers::offline::{OfflinePainter, OfflineSpeech, OfflineWriter};
use providers::scratch::{AttemptFolder, Scratch};
use providers::store::FileStore;
use queue::WorkFolder;
use telemetry::Metrics;

use crate::attempt::{Attempts, Folder, Folders};
use crate::config::{Config, EncodingConfig, Provider, StorageConfig};
use crate::janitor::WorkFolders;

/// What the work is done with.
pub(crate) struct Parts {
    pub(crate) attempts: Attempts,
    pub(crate) work_folders: Arc<dyn WorkFolders>,
}

/// Makes all parts. Blocks: it opens and sweeps folders.
pub(crate) fn parts(config: &Config, worker: &str, metrics: Arc<Metrics>) -> anyhow::Result<Parts> {
    let store = Arc::new(store(&config.storage, worker)?);
    let providers = Providers {
        sources: None,
        writer: writer(config.providers.writer),
        speaker: speaker(config.providers.speaker, &config.encoding),
        painter: painter(config.providers.painter),
        encoder: encoder(&config.encoding),
        store: Arc::clone(&store) as Arc<dyn ArtifactStore>,
    };
    let scratch = &config.storage.scratch;
    let folders = Scratch::open(scratch)
        .with_context(|| format!("STILLCAST_HOME: {} cannot be used", scratch.display()))?;
    let slots = Arc::new(Slots::new(&config.policies));
    let policies = Arc::new(config.policies.clone());
    let attempts = Attempts { providers, policies, slots, folders: Box::new(folders), metrics };
    Ok(Parts { attempts, work_folders: store })
}

fn store(storage: &StorageConfig, worker: &str) -> anyhow::Result<FileStore> {
    let store = FileStore::open(&storage.url, worker)
        .with_context(|| format!("STORAGE_URL: {} cannot be used", storage.url))?;
    let swept = store.sweep().context("STORAGE_URL: its unfinished files cannot be looked at")?;
    if swept > 0 {
        tracing::info!(swept, "removed unfinished files that writers left in the store");
    }
    Ok(match &storage.public_base_url {
        Some(base) => store.with_public_base_url(base),
        None => store,
    })
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

#[async_trait]
impl WorkFolders for FileStore {
    async fn delete(&self, folder: &WorkFolder) -> io::Result<()> {
        let path = self.path(&format!("work/{}/{}", folder.tenant, folder.job));
        match tokio::fs::remove_dir_all(path).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
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
