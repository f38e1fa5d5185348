//! A passage goes in, samples come out: `POST /audio/speech`. PCM is asked for, and whatever comes is
//! read as what it is.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use pipeline::{Answer, ProviderError, Speech, SpeechSynthesizer, Usage, Utterance};
use serde_json::{Value, json};

use super::price::SpeechPrice;
use super::vendor::OPENAI;
use super::{PROVIDER, prompt};
use crate::ffmpeg::Ffmpeg;
use crate::http::{Account, ApiClient, HttpClient, booked};
use crate::recording::{Container, Listener, MAX_BYTES, MediaType};

/// What mends a voice whose answers cannot be read.
const REMEDY: &str = "TTS_FORMAT, TTS_MODEL or TTS_BASE_URL";

/// How speech is bought.
#[derive(Clone, Debug)]
pub struct SpeechOptions {
    /// The voice of jobs that name none (`TTS_VOICE`).
    pub voice: String,
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
    listener: Listener,
}

impl OpenAiSpeech {
    /// A voice on `account`.
    pub fn new(http: HttpClient, account: Account, options: SpeechOptions) -> Self {
        let ffmpeg = Ffmpeg { program: options.ffmpeg.clone(), provider: PROVIDER };
        let listener = Listener { ffmpeg, remedy: REMEDY };
        Self { client: ApiClient::new(http, &OPENAI, account), options, listener }
    }

    fn body(&self, utterance: &Utterance) -> Value {
        let model = self.client.model();
        let mut body = json!({
            "model": model,
            "input": utterance.text,
            "voice": utterance.voice.as_deref().unwrap_or(&self.options.voice),
            "response_format": "pcm",
        });
        // These refuse it.
        if !model.starts_with("tts-1") {
            body["instructions"] = prompt::VOICE.into();
        }
        body
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

    fn revision(&self) -> String {
        let Self { client, options, listener: _ } = self;
        let SpeechOptions { voice, price: _, ffmpeg: _ } = options;
        format!("{} {} {voice}", prompt::REVISION, client.revision())
    }

    fn estimate(&self, utterance: &Utterance) -> Usage {
        self.options.price.usage(utterance.text.chars().count())
    }

    async fn speak(
        &self,
        utterance: &Utterance,
        scratch: &Path,
    ) -> Result<Answer<Speech>, ProviderError> {
        let reply = self.client.post("/audio/speech", &self.body(utterance)).await?;
        let media_type = MediaType::parse(reply.content_type());
        let spent = self.estimate(utterance);
        let read = async {
            let body = reply.bytes(MAX_BYTES).await?;
            self.read(body, media_type, scratch).await
        };
        let mut answer = read.await.map_err(|error| booked(error, &spent))?;
        answer.usage.merge(&spent);
        Ok(answer)
    }
}
