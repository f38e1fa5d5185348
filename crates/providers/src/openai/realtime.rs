//! A passage goes in, samples come out: over a socket (`GET /realtime`), one response a passage, of whose sound the
//! server tells the words.
//!
//! A model that talks may say something else than it was told to read. Speech of other words is bought again once.

mod event;
mod fidelity;
mod sockets;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use pipeline::{Answer, ProviderError, Recording, Speech, SpeechSynthesizer, Usage, Utterance};
use serde_json::{Value, json};

use self::event::{Event, limits};
use self::fidelity::{Fidelity, Reworded};
use self::sockets::{Idle, Sockets};
use super::price::tokens_of;
use super::speech::SpeechOptions;
use super::vendor::OPENAI;
use super::{PROVIDER, prompt};
use crate::ffmpeg::Ffmpeg;
use crate::http::{Account, ApiClient, HttpClient, KnownFault, Socket, booked};
use crate::recording::{Listener, MAX_BYTES, MediaType};

/// What mends a voice whose answers cannot be read.
const REMEDY: &str = "TTS_MODEL or TTS_BASE_URL";
/// What is asked for, and so what it is.
const MEDIA_TYPE: &str = "audio/pcm;rate=24000;channels=1;endian=little";
const RATE: u32 = 24_000;

/// The voice behind a model that talks.
#[derive(Clone)]
pub struct RealtimeSpeech {
    client: ApiClient,
    options: SpeechOptions,
    listener: Listener,
    sockets: Arc<Sockets>,
    reworded: Arc<Reworded>,
    known: Arc<KnownFault>,
}

/// What was said, and in which words.
struct Said {
    pcm: Vec<u8>,
    transcript: String,
}

/// Why nothing of use was said.
struct Unsaid {
    error: ProviderError,
    /// Whether the server had begun to speak, which it charges for.
    begun: bool,
    /// Whether the socket is at fault, and another one may do.
    lost: bool,
}

impl RealtimeSpeech {
    /// A voice on `account`. `http` opens sockets, [`HttpClient::for_sockets`].
    pub fn new(http: HttpClient, account: Account, options: SpeechOptions) -> Self {
        let ffmpeg = Ffmpeg { program: options.ffmpeg.clone(), provider: PROVIDER };
        Self {
            client: ApiClient::new(http, &OPENAI, account),
            listener: Listener { ffmpeg, remedy: REMEDY },
            options,
            sockets: Arc::default(),
            reworded: Arc::default(),
            known: Arc::default(),
        }
    }

    fn voice<'said>(&'said self, utterance: &'said Utterance) -> &'said str {
        utterance.voice.as_deref().unwrap_or(&self.options.voice)
    }

    /// Of no conversation, so that no passage hears of another one.
    fn request(&self, utterance: &Utterance) -> Value {
        let text = json!({ "type": "input_text", "text": utterance.text });
        let format = json!({ "type": "audio/pcm", "rate": RATE });
        let output = json!({ "format": format, "voice": self.voice(utterance) });
        json!({
            "type": "response.create",
            "response": {
                "conversation": "none",
                "output_modalities": ["audio"],
                "audio": { "output": output },
                "instructions": prompt::VERBATIM,
                "input": [{ "type": "message", "role": "user", "content": [text] }],
            },
        })
    }

    /// On a socket that is open, or else on a new one. One that was closed since it was used last has cost nothing.
    async fn say(&self, utterance: &Utterance) -> Result<Said, Unsaid> {
        let (voice, request) = (self.voice(utterance).to_owned(), self.request(utterance));
        if let Some(idle) = self.sockets.take(&voice) {
            match self.say_on(idle, &request).await {
                Err(Unsaid { begun: false, lost: true, .. }) => {}
                said => return said,
            }
        }
        let opened = self.client.connect("/realtime").await;
        let socket = opened.map_err(|error| Unsaid { error, begun: false, lost: false })?;
        self.say_on(Idle::new(socket, voice), &request).await
    }

    async fn say_on(&self, mut idle: Idle, request: &Value) -> Result<Said, Unsaid> {
        let lost = |error| Unsaid { error, begun: false, lost: true };
        idle.socket.send(request).await.map_err(lost)?;
        let said = self.listen(&mut idle.socket, request).await?;
        self.sockets.put(idle);
        Ok(said)
    }

    async fn listen(&self, socket: &mut Socket, request: &Value) -> Result<Said, Unsaid> {
        let (mut pcm, mut transcript, mut begun) = (Vec::new(), String::new(), false);
        loop {
            let event = match socket.next().await {
                Ok(Some(event)) => event,
                Ok(None) => return Err(Unsaid { error: socket.closed(), begun, lost: true }),
                Err(error) => return Err(Unsaid { error, begun, lost: true }),
            };
            match Event::of(&event) {
                Event::Sound(chunk) if pcm.len() + chunk.len() <= MAX_BYTES => {
                    begun = true;
                    pcm.extend_from_slice(&chunk);
                }
                Event::Sound(_) => return Err(self.unreadable("is larger than any such answer")),
                Event::Words(words) => transcript.push_str(words),
                Event::Begun => begun = true,
                Event::Limits => self.client.tell_limits(limits(&event)),
                Event::Expired => return Err(Unsaid { error: socket.closed(), begun, lost: true }),
                Event::Failed(error) => {
                    let error = self.client.refused_in(request, &error);
                    return Err(Unsaid { error, begun: !pcm.is_empty(), lost: false });
                }
                Event::Cut => return Err(Self::cut()),
                Event::Done if pcm.is_empty() => return Err(self.unreadable("holds no sound")),
                Event::Done => return Ok(Said { pcm, transcript }),
                Event::Other => {}
            }
        }
    }

    fn unreadable(&self, what: &str) -> Unsaid {
        Unsaid { error: self.client.unreadable(what), begun: true, lost: false }
    }

    fn cut() -> Unsaid {
        let message = "the voice stopped in the middle of the text";
        let error = ProviderError::transient(PROVIDER, "speech-cut", message);
        Unsaid { error, begun: true, lost: false }
    }

    /// Whether its words are those of the text; what is paid for and of no use is wasted.
    fn judge(&self, utterance: &Utterance, said: &Said) -> Result<(), ProviderError> {
        match self.reworded.judge(&utterance.text, &said.transcript) {
            Fidelity::Faithful => Ok(()),
            Fidelity::Reworded => {
                let message = "the voice said other words than the text's; it is bought once more";
                Err(ProviderError::transient(PROVIDER, "speech-reworded", message))
            }
            Fidelity::Unfaithful => {
                let message = "the voice said other words than the text's, and so it did the second time; set \
                               TTS_MODEL to one that reads word for word";
                Err(ProviderError::permanent(PROVIDER, "speech-unfaithful", message))
            }
        }
    }

    async fn bought(&self, utterance: &Utterance) -> Result<Said, ProviderError> {
        let usage = self.estimate(utterance);
        let said =
            self.say(utterance).await.map_err(
                |Unsaid { error, begun, .. }| {
                    if begun { booked(error, &usage) } else { error }
                },
            )?;
        self.judge(utterance, &said).map_err(|error| error.wasting(usage))?;
        Ok(said)
    }
}

#[async_trait]
impl SpeechSynthesizer for RealtimeSpeech {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn model(&self) -> Option<&str> {
        Some(self.client.model())
    }

    fn revision(&self) -> String {
        let Self { client, options, listener: _, sockets: _, reworded: _, known: _ } = self;
        let SpeechOptions { voice, format: _, price: _, ffmpeg: _ } = options;
        format!("{} realtime {} {voice}", prompt::REVISION, client.revision())
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
        let said = self.bought(utterance).await;
        self.known.learn_failure(&said);
        let (bytes, media_type) = (Bytes::from(said?.pcm), MEDIA_TYPE.to_owned());
        let usage = self.estimate(utterance);
        Ok(Answer { value: Recording { bytes, media_type, is_new: true }, usage })
    }

    async fn hear(
        &self,
        recorded: &Answer<Recording>,
        scratch: &Path,
    ) -> Result<Answer<Speech>, ProviderError> {
        let Answer { value: Recording { bytes, media_type, is_new }, usage: spent } = recorded;
        let media_type = MediaType::parse(media_type);
        let read = self.listener.speech(bytes.clone(), Some(media_type), scratch).await;
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
