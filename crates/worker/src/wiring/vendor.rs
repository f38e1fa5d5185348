//! An account's settings go in; who writes, speaks or paints for money comes out.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use pipeline::{ImageGenerator, Moderator, SpeechSynthesizer, TranscriptWriter};
use providers::openai::{
    self, Account, Ear, HttpClient, ImagePrice, OpenAiModerator, OpenAiPainter, OpenAiSpeech,
    OpenAiWriter, PictureOptions, RateLimit, RateLimits, RealtimeSpeech, SoundFormat,
    SpeechOptions, SpeechPrice, TokenPrice, WireEvent, WireFact, WriterOptions,
};
use queue::Told;
use stillcast_enqueue::capability::Capability;
use telemetry::Metrics;

use crate::account_limits::account::{Hearing, News};
use crate::config::{AccountConfig, WordsConfig};
use crate::models::asked_of;

/// The way to those who sell.
pub(super) struct Vendor(HttpClient);

#[expect(clippy::unnecessary_wraps, reason = "a build that leaves it out refuses")]
impl Vendor {
    /// One pool of connections for all; metrics count what passes on it, and accounts hear of their limits.
    pub(super) fn new(hears: Option<(Arc<Metrics>, Hearing)>) -> anyhow::Result<Self> {
        let client = HttpClient::new().context("this machine has no certificates to trust")?;
        let ear = hears.map(|(metrics, hearing)| {
            Ear::new(move |event| {
                count(&metrics, event);
                hear(&hearing, event);
            })
        });
        Ok(Self(client.heard_by(ear.unwrap_or_default())))
    }

    pub(super) fn moderator(&self, account: &AccountConfig) -> anyhow::Result<Arc<dyn Moderator>> {
        let account = bought(Capability::Moderation, account);
        Ok(Arc::new(OpenAiModerator::new(self.0.clone(), account)))
    }

    pub(super) fn writer(
        &self,
        account: &AccountConfig,
        words: WordsConfig,
    ) -> anyhow::Result<Arc<dyn TranscriptWriter>> {
        Ok(Arc::new(self.openai_writer(account, words)))
    }

    fn openai_writer(&self, account: &AccountConfig, words: WordsConfig) -> OpenAiWriter {
        let account = bought(Capability::Llm, account);
        let WordsConfig { prices: (input, output), max_tokens, stall_timeout } = words;
        let price = TokenPrice { input, output };
        let options = WriterOptions { price, max_tokens, stall_timeout };
        OpenAiWriter::new(self.0.clone(), account, options)
    }

    /// The price is US dollars for a million characters.
    pub(super) fn speaker(
        &self,
        account: &AccountConfig,
        (voice, format): (&str, &str),
        price: f64,
        ffmpeg: &Path,
    ) -> anyhow::Result<Arc<dyn SpeechSynthesizer>> {
        let account = bought(Capability::Tts, account);
        let (voice, price, ffmpeg) = (voice.to_owned(), SpeechPrice(price), ffmpeg.to_owned());
        let format = SoundFormat::parse(format).unwrap_or_default();
        let options = SpeechOptions { voice, format, price, ffmpeg };
        Ok(Arc::new(OpenAiSpeech::new(self.0.clone(), account, options)))
    }

    /// The same over sockets.
    pub(super) fn talker(
        &self,
        account: &AccountConfig,
        voice: &str,
        price: f64,
        ffmpeg: &Path,
    ) -> anyhow::Result<Arc<dyn SpeechSynthesizer>> {
        let http =
            HttpClient::for_sockets().context("this machine has no certificates to trust")?;
        let (voice, price, ffmpeg) = (voice.to_owned(), SpeechPrice(price), ffmpeg.to_owned());
        let options = SpeechOptions { voice, format: SoundFormat::default(), price, ffmpeg };
        let account = bought(Capability::Tts, account);
        Ok(Arc::new(RealtimeSpeech::new(http.heard_as(&self.0), account, options)))
    }

    /// The price is US dollars for a picture.
    pub(super) fn painter(
        &self,
        account: &AccountConfig,
        (size, link_hosts): (&str, &[String]),
        price: f64,
        ffmpeg: &Path,
    ) -> anyhow::Result<Arc<dyn ImageGenerator>> {
        let account = bought(Capability::Image, account);
        let options = PictureOptions {
            size: size.to_owned(),
            price: ImagePrice(price),
            link_hosts: link_hosts.to_owned(),
            ffmpeg: ffmpeg.to_owned(),
        };
        Ok(Arc::new(OpenAiPainter::new(self.0.clone(), account, options)))
    }

    /// Asks who sells, without buying anything.
    pub(super) async fn probe(
        &self,
        capability: Capability,
        account: &AccountConfig,
    ) -> anyhow::Result<String> {
        Ok(openai::probe(&self.0, &bought(capability, account)).await?)
    }

    /// The day on which the account's model is shut down, where it is told; without buying anything.
    pub(super) async fn shutdown_date(
        &self,
        capability: Capability,
        account: &AccountConfig,
    ) -> anyhow::Result<Option<String>> {
        Ok(openai::shutdown_date(&self.0, &bought(capability, account)).await?)
    }

    /// The same of who writes, and how it will be asked.
    pub(super) async fn probe_writer(
        &self,
        account: &AccountConfig,
        words: WordsConfig,
    ) -> anyhow::Result<String> {
        let found = self.probe(Capability::Llm, account).await?;
        Ok(format!("{found}; {}", self.openai_writer(account, words).manner()))
    }
}

fn count(metrics: &Metrics, event: &WireEvent<'_>) {
    let stage = event.capability.stage();
    let call = || asked_of(stage).map(|asked| asked.call(event.provider, event.model));
    match event.what {
        WireFact::Answered(status) => {
            metrics.provider_answered((stage.as_str(), event.provider), status);
        }
        WireFact::FirstChunk(after) => {
            if let Some(call) = call() {
                metrics.first_chunk(&call, after);
            }
        }
        WireFact::NextChunk(after) => {
            if let Some(call) = call() {
                metrics.next_chunk(&call, after);
            }
        }
        WireFact::Limited(_) => {}
    }
}

fn hear(hearing: &Hearing, event: &WireEvent<'_>) {
    if let WireFact::Limited(limits) = event.what {
        let RateLimits { asked, requests, tokens } = limits;
        let told = |limit: RateLimit| {
            let RateLimit { limit, remaining: left, reset: full_after } = limit;
            Told { limit, left, full_after }
        };
        let news = News { asked, requests: told(requests), tokens: told(tokens) };
        hearing(event.capability.stage(), &news);
    }
}

fn bought(capability: Capability, account: &AccountConfig) -> Account {
    let AccountConfig { base_url, key, model, allowance: _ } = account.clone();
    Account { capability, base_url, key, model }
}
