//! A configuration goes in, the parts that do the work come out: the one place that names
//! concrete providers.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use pipeline::{ArtifactStore, Providers, Slots, TranscriptWriter};
use pipeline::{ImageGenerator, MediaEncoder, SpeechSynthesizer};
use providers::ffmpeg::{FfmpegEncoder, FfmpegOptions};
use providers::offline::{OfflinePainter, OfflineSpeech, OfflineWriter};
use providers::scratch::{AttemptFolder, Scratch};
use providers::store::FileStore;
use telemetry::Metrics;

use crate::attempt::{Attempts, Folder, Folders};
use crate::config::{Config, EncodingConfig, Provider, StorageConfig};

/// Makes all that an attempt needs. Blocks: it opens and sweeps folders.
pub(crate) fn attempts(
    config: &Config,
    worker: &str,
    metrics: Arc<Metrics>,
) -> anyhow::Result<Attempts> {
    let store = store(&config.storage, worker)?;
    let providers = Providers {
        writer: writer(config.providers.writer),
        speaker: speaker(config.providers.speaker, &config.encoding),
        painter: painter(config.providers.painter),
        encoder: encoder(&config.encoding),
        store: Arc::new(store) as Arc<dyn ArtifactStore>,
    };
    let scratch = &config.storage.scratch;
    let folders = Scratch::open(scratch)
        .with_context(|| format!("STILLCAST_HOME: {} cannot be used", scratch.display()))?;
    let slots = Arc::new(Slots::new(&config.policies));
    let policies = Arc::new(config.policies.clone());
    Ok(Attempts { providers, policies, slots, folders: Box::new(folders), metrics })
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

impl Folders for Scratch {
    fn folder(&self) -> std::io::Result<Box<dyn Folder>> {
        Ok(Box::new(self.attempt()?))
    }
}

impl Folder for AttemptFolder {
    fn path(&self) -> &Path {
        Self::path(self)
    }
}
