//! A passage goes in, samples come out: `POST /audio/speech`, as PCM.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use pipeline::{Answer, ProviderError, Speech, SpeechSynthesizer, Usage, Utterance};
use serde_json::{Value, json};

use super::price::SpeechPrice;
use super::vendor::OPENAI;
use super::{PROVIDER, prompt};
use crate::ffmpeg::Ffmpeg;
use crate::http::{Account, ApiClient, HttpClient, booked};
use crate::pcm;
use crate::wav::Wav;

/// Ten minutes in stereo at 48 kHz, for servers that answer WAV.
const MAX_BYTES: usize = 128 << 20;
/// First bytes of packed sound: MP3 with and without a tag, Ogg, FLAC.
const PACKED: [&[u8]; 5] = [b"ID3", b"\xff\xfb", b"\xff\xf3", b"OggS", b"fLaC"];

/// How speech is bought.
#[derive(Clone, Debug)]
pub struct SpeechOptions {
    /// The voice of jobs that name none (`TTS_VOICE`).
    pub voice: String,
    /// What it costs.
    pub price: SpeechPrice,
    /// FFmpeg, which resamples WAV answers (`FFMPEG_PATH`).
    pub ffmpeg: PathBuf,
}

/// The voice behind a speech model.
#[derive(Clone, Debug)]
pub struct OpenAiSpeech {
    client: ApiClient,
    options: SpeechOptions,
    ffmpeg: Ffmpeg,
}

impl OpenAiSpeech {
    /// A voice on `account`.
    pub fn new(http: HttpClient, account: Account, options: SpeechOptions) -> Self {
        let ffmpeg = Ffmpeg { program: options.ffmpeg.clone(), provider: PROVIDER };
        Self { client: ApiClient::new(http, &OPENAI, account), options, ffmpeg }
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

    /// Takes raw samples, or a WAV file; both are paid for, whatever they turn out to be.
    async fn read(
        &self,
        body: &[u8],
        media_type: &str,
        scratch: &Path,
    ) -> Result<Answer<Speech>, ProviderError> {
        if body.is_empty() {
            return Err(self.client.unreadable("is empty"));
        }
        if Wav::is(body) {
            let wav = Wav::parse(body).map_err(|fault| fault.error(PROVIDER))?;
            return wav.speech(&self.ffmpeg, scratch).await;
        }
        if media_type.starts_with("text/") || media_type.ends_with("json") {
            return Err(self.client.unreadable("is text, not speech"));
        }
        if PACKED.iter().any(|head| body.starts_with(head)) {
            let message = "the server ignores `response_format` and sends packed sound; use a \
                           server or TTS_MODEL that answers PCM or WAV";
            return Err(ProviderError::misconfigured(PROVIDER, "speech-format", message));
        }
        // Half a sample at the end: the rest was lost with it.
        if body.len() % 2 == 1 || body.len() > pcm::MAX_BYTES {
            let message = "the speech was cut in the middle of a sample, or has no end";
            return Err(ProviderError::transient(PROVIDER, "speech-cut", message));
        }
        Ok(Answer::free(pcm::speech(body)))
    }
}

#[async_trait]
impl SpeechSynthesizer for OpenAiSpeech {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn revision(&self) -> String {
        let Self { client, options, ffmpeg: _ } = self;
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
        let media_type = reply.media_type().to_owned();
        let spent = self.estimate(utterance);
        let read = async {
            let body = reply.bytes(MAX_BYTES).await?;
            self.read(&body, &media_type, scratch).await
        };
        let mut answer = read.await.map_err(|error| booked(error, &spent))?;
        answer.usage.merge(&spent);
        Ok(answer)
    }
}
