//! A passage goes in, samples come out: `POST /audio/speech`. PCM is asked for, and whatever comes is
//! read as what it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use pipeline::{Answer, ProviderError, Recording, Speech, SpeechSynthesizer, Usage, Utterance};
use serde_json::{Value, json};

use super::price::{SpeechPrice, tokens_of};
use super::sound_format::{Dialect, SoundFormat, Wish};
use super::vendor::OPENAI;
use super::{PROVIDER, prompt};
use crate::ffmpeg::Ffmpeg;
use crate::http::{Account, ApiClient, HttpClient, KnownFault, Reply, booked};
use crate::recording::{Container, Listener, MAX_BYTES, MediaType};

/// What mends a voice whose answers cannot be read.
const REMEDY: &str = "TTS_FORMAT, TTS_MODEL or TTS_BASE_URL";

/// How speech is bought.
#[derive(Clone, Debug)]
pub struct SpeechOptions {
    /// The voice of jobs that name none (`TTS_VOICE`).
    pub voice: String,
    /// What sound is asked for (`TTS_FORMAT`).
    pub format: SoundFormat,
    /// What it costs.
    pub price: SpeechPrice,
    /// FFmpeg, which decodes and resamples answers (`FFMPEG_PATH`).
    pub ffmpeg: PathBuf,
}

/// The voice behind a speech model.
#[derive(Clone, Debug)]
pub struct OpenAiSpeech {
    client: ApiClient,
    options: SpeechOptions,
    dialect: Arc<Dialect>,
    listener: Listener,
    known: Arc<KnownFault>,
}

impl OpenAiSpeech {
    /// A voice on `account`.
    pub fn new(http: HttpClient, account: Account, options: SpeechOptions) -> Self {
        let ffmpeg = Ffmpeg { program: options.ffmpeg.clone(), provider: PROVIDER };
        let listener = Listener { ffmpeg, remedy: REMEDY };
        // These refuse to be told how to sound.
        let instructs = !account.model.starts_with("tts-1");
        let dialect = Arc::new(Dialect::new(options.format, instructs));
        Self {
            client: ApiClient::new(http, &OPENAI, account),
            options,
            dialect,
            listener,
            known: Arc::default(),
        }
    }

    fn body(&self, utterance: &Utterance, wish: Wish) -> Value {
        let mut body = json!({
            "model": self.client.model(),
            "input": utterance.text,
            "voice": utterance.voice.as_deref().unwrap_or(&self.options.voice),
            "response_format": wish.format,
        });
        if wish.instructs {
            body["instructions"] = prompt::VOICE.into();
        }
        body
    }

    /// Asks until the server takes the way of asking. A refusal buys nothing.
    async fn ask(&self, utterance: &Utterance) -> Result<Reply, ProviderError> {
        let (mut wish, exhausted) = self.dialect.wish();
        let mut refused = match self.ask_as(utterance, wish).await {
            Err(error) if self.dialect.next(wish, &error).is_some() => error,
            answered => return answered.map_err(|error| self.dialect.refused(error)),
        };
        let _searching = self.dialect.search.lock().await;
        let (found, exhausted_since) = self.dialect.wish();
        if exhausted_since != exhausted && self.dialect.is_searched(&refused) {
            return Err(self.dialect.refused(refused));
        }
        // Another call may have found the way meanwhile.
        let mut next = if found == wish { self.dialect.next(wish, &refused) } else { Some(found) };
        while let Some(asked) = next {
            wish = asked;
            match self.ask_as(utterance, wish).await {
                Ok(reply) => {
                    self.dialect.found(wish);
                    return Ok(reply);
                }
                Err(error) => refused = error,
            }
            next = self.dialect.next(wish, &refused);
        }
        if self.dialect.is_searched(&refused) {
            self.dialect.exhausted();
        }
        Err(self.dialect.refused(refused))
    }

    async fn ask_as(&self, utterance: &Utterance, wish: Wish) -> Result<Reply, ProviderError> {
        self.client.post("/audio/speech", &self.body(utterance, wish)).await
    }

    /// Takes whatever the bytes are; they are paid for, whatever they turn out to be.
    async fn read(
        &self,
        body: Bytes,
        media_type: MediaType,
        scratch: &Path,
    ) -> Result<Answer<Speech>, ProviderError> {
        if body.is_empty() {
            return Err(self.client.unreadable("is empty"));
        }
        if Container::of(&body).is_none() && media_type.is_text() {
            return Err(self.client.unreadable("is text, not speech"));
        }
        self.listener.speech(body, Some(media_type), scratch).await
    }
}

#[async_trait]
impl SpeechSynthesizer for OpenAiSpeech {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn model(&self) -> Option<&str> {
        Some(self.client.model())
    }

    fn revision(&self) -> String {
        let Self { client, options, dialect: _, listener: _, known: _ } = self;
        // How the same words of the same voice are packed on the way is no part of them.
        let SpeechOptions { voice, format: _, price: _, ffmpeg: _ } = options;
        format!("{} {} {voice}", prompt::REVISION, client.revision())
    }

    fn tokens(&self, utterance: &Utterance) -> u64 {
        tokens_of(utterance.text.chars().count())
    }

    fn estimate(&self, utterance: &Utterance) -> Usage {
        self.options.price.usage(utterance.text.chars().count())
    }

    async fn record(
        &self,
        utterance: &Utterance,
        _scratch: &Path,
    ) -> Result<Answer<Recording>, ProviderError> {
        self.known.check()?;
        let reply = self.ask(utterance).await?;
        let media_type = reply.content_type().to_owned();
        let usage = self.estimate(utterance);
        let body = reply.bytes(MAX_BYTES).await.map_err(|error| booked(error, &usage));
        self.known.learn_failure(&body);
        Ok(Answer { value: Recording { bytes: body?, media_type, is_new: true }, usage })
    }

    async fn hear(
        &self,
        recorded: &Answer<Recording>,
        scratch: &Path,
    ) -> Result<Answer<Speech>, ProviderError> {
        let Answer { value: Recording { bytes, media_type, is_new }, usage: spent } = recorded;
        let read = self.read(bytes.clone(), MediaType::parse(media_type), scratch).await;
        let read = read.map_err(|error| booked(error, spent));
        // What an earlier attempt has bought says nothing of what is sold now.
        if *is_new {
            self.known.learn(&read);
        }
        let mut answer = read?;
        answer.usage.merge(spent);
        Ok(answer)
    }
}
