//! An account's settings go in; who writes, speaks or paints for money comes out.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use pipeline::{ImageGenerator, SpeechSynthesizer, TranscriptWriter};
use providers::openai::{
    self, Account, HttpClient, ImagePrice, OpenAiPainter, OpenAiSpeech, OpenAiWriter,
    SpeechOptions, SpeechPrice, TokenPrice,
};
use stillcast_enqueue::capability::Capability;

use crate::config::AccountConfig;

/// The way to those who sell.
pub(super) struct Vendor(HttpClient);

#[expect(clippy::unnecessary_wraps, reason = "a build that leaves it out refuses")]
impl Vendor {
    /// One pool of connections for all.
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self(HttpClient::new().context("this machine has no certificates to trust")?))
    }

    /// Prices are US dollars for a million tokens of prompt and of answer.
    pub(super) fn writer(
        &self,
        account: &AccountConfig,
        (input, output): (f64, f64),
    ) -> anyhow::Result<Arc<dyn TranscriptWriter>> {
        let account = bought(Capability::Llm, account);
        Ok(Arc::new(OpenAiWriter::new(self.0.clone(), account, TokenPrice { input, output })))
    }

    /// The price is US dollars for a million characters.
    pub(super) fn speaker(
        &self,
        account: &AccountConfig,
        voice: &str,
        price: f64,
        ffmpeg: &Path,
    ) -> anyhow::Result<Arc<dyn SpeechSynthesizer>> {
        let account = bought(Capability::Tts, account);
        let (voice, price, ffmpeg) = (voice.to_owned(), SpeechPrice(price), ffmpeg.to_owned());
        let options = SpeechOptions { voice, price, ffmpeg };
        Ok(Arc::new(OpenAiSpeech::new(self.0.clone(), account, options)))
    }

    /// The price is US dollars for a picture.
    pub(super) fn painter(
        &self,
        account: &AccountConfig,
        size: &str,
        price: f64,
    ) -> anyhow::Result<Arc<dyn ImageGenerator>> {
        let account = bought(Capability::Image, account);
        Ok(Arc::new(OpenAiPainter::new(self.0.clone(), account, size, ImagePrice(price))))
    }

    /// Asks who sells, without buying anything.
    pub(super) async fn probe(
        &self,
        capability: Capability,
        account: &AccountConfig,
    ) -> anyhow::Result<String> {
        Ok(openai::probe(&self.0, &bought(capability, account)).await?)
    }
}

fn bought(capability: Capability, account: &AccountConfig) -> Account {
    let AccountConfig { base_url, key, model } = account.clone();
    Account { capability, base_url, key, model }
}
