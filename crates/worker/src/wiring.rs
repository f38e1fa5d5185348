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
use providers::openai::{
    Account, Capability, HttpClient, ImagePrice, OpenAiPainter, OpenAiSpeech, OpenAiWriter,
    SpeechOptions, SpeechPrice, TokenPrice,
};
use providers::scratch::{AttemptFolder, Scratch};
use providers::speech_command::{CommandOptions, CommandSpeech};
use providers::store::FileStore;
use queue::WorkFolder;
use telemetry::Metrics;

use crate::attempt::{Attempts, Folder, Folders};
use crate::config::{
    AccountConfig, Config, EncodingConfig, PainterConfig, SpeakerConfig, StorageConfig,
    WriterConfig,
};
use crate::janitor::WorkFolders;

/// What the work is done with.
pub(crate) struct Parts {
    pub(crate) attempts: Attempts,
    pub(crate) work_folders: Arc<dyn WorkFolders>,
}

/// Makes all parts. Blocks: it opens and sweeps folders.
pub(crate) fn parts(config: &Config, worker: &str, metrics: Arc<Metrics>) -> anyhow::Result<Parts> {
    let store = Arc::new(store(&config.storage, worker)?);
    let http = HttpClient::new().context("this machine has no certificates to trust")?;
    let providers = Providers {
        writer: writer(&config.providers.writer, &http),
        speaker: speaker(&config.providers.speaker, &http, &config.encoding),
        painter: painter(&config.providers.painter, &http),
        encoder: encoder(&config.encoding),
        store: Arc::clone(&store) as Arc<dyn ArtifactStore>,
    };
    let scratch = &config.storage.scratch;
    let folders = Scratch::open(scratch)
        .with_context(|| format!("STILLCAST_HOME: {} cannot be used", scratch.display()))?;
    let slots = Arc::new(Slots::new(&config.policies));
    let policies = Arc::new(config.policies.clone());
    let (folders, probe_interval) = (Box::new(folders), config.queue.probe_interval);
    let attempts = Attempts { providers, policies, slots, folders, metrics, probe_interval };
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
            let (words, environment) = (words.clone(), environment.clone());
            Arc::new(CommandSpeech::new(CommandOptions { words, environment, ffmpeg }))
        }
    }
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
