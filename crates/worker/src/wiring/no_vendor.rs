//! In place of those who sell, in a build that leaves them out: the configuration has refused them.

use std::future::{Future, ready};
use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;
use pipeline::{ImageGenerator, Moderator, SpeechSynthesizer, TranscriptWriter};
use stillcast_enqueue::capability::Capability;
use telemetry::Metrics;

use crate::account_limits::account::Hearing;
use crate::config::{AccountConfig, WordsConfig};

/// The way to nobody.
pub(super) struct Vendor;

#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the face of those who sell")]
impl Vendor {
    pub(super) fn new(_: Option<(Arc<Metrics>, Hearing)>) -> anyhow::Result<Self> {
        Ok(Self)
    }

    pub(super) fn moderator(&self, _: &AccountConfig) -> anyhow::Result<Arc<dyn Moderator>> {
        Err(left_out())
    }

    pub(super) fn writer(
        &self,
        _: &AccountConfig,
        _: WordsConfig,
    ) -> anyhow::Result<Arc<dyn TranscriptWriter>> {
        Err(left_out())
    }

    pub(super) fn speaker(
        &self,
        _: &AccountConfig,
        _: (&str, &str),
        _: f64,
        _: &Path,
    ) -> anyhow::Result<Arc<dyn SpeechSynthesizer>> {
        Err(left_out())
    }

    pub(super) fn talker(
        &self,
        _: &AccountConfig,
        _: &str,
        _: f64,
        _: &Path,
    ) -> anyhow::Result<Arc<dyn SpeechSynthesizer>> {
        Err(left_out())
    }

    pub(super) fn painter(
        &self,
        _: &AccountConfig,
        _: (&str, &[String]),
        _: f64,
        _: &Path,
    ) -> anyhow::Result<Arc<dyn ImageGenerator>> {
        Err(left_out())
    }

    pub(super) fn probe(
        &self,
        _: Capability,
        _: &AccountConfig,
    ) -> impl Future<Output = anyhow::Result<String>> + use<> {
        ready(Err(left_out()))
    }

    pub(super) fn shutdown_date(
        &self,
        _: Capability,
        _: &AccountConfig,
    ) -> impl Future<Output = anyhow::Result<Option<String>>> + use<> {
        ready(Err(left_out()))
    }

    pub(super) fn probe_writer(
        &self,
        _: &AccountConfig,
        _: WordsConfig,
    ) -> impl Future<Output = anyhow::Result<String>> + use<> {
        ready(Err(left_out()))
    }
}

fn left_out() -> anyhow::Error {
    anyhow!(settings::left_out("openai"))
}
