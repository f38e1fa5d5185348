//! Servers that take other formats of speech than the one asked for first: what is asked, how often, and
//! what is said where nothing helps.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use futures::future::join_all;
use pipeline::{FailureClass, ProviderError, SpeechSynthesizer};
use providers::openai::{
    Account, Capability, HttpClient, OpenAiSpeech, SoundFormat, SpeechOptions, SpeechPrice,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::harness::{assert_private, utterance};

/// A voice that knows one format, or does not know `instructions`; asked for another it says so in
/// its own words.
#[derive(Clone, Copy)]
enum Knows {
    Wav,
    Nothing,
    NoInstructions,
}

#[derive(Clone)]
struct Voice {
    knows: Knows,
    asked: Arc<Mutex<Vec<String>>>,
}

struct Served {
    voice: Voice,
    speaker: OpenAiSpeech,
    _server: JoinSet<()>,
}

async fn speak(State(voice): State<Voice>, Json(asked): Json<Value>) -> Response {
    let format = asked["response_format"].as_str().unwrap().to_owned();
    voice.asked.lock().unwrap().push(format.clone());
    let refused = |status, body: Value| (status, Json(body)).into_response();
    match voice.knows {
        Knows::NoInstructions if !asked["instructions"].is_null() => refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            json!({ "detail": [{ "type": "extra_forbidden", "loc": ["body", "instructions"] }] }),
        ),
        Knows::Wav if format != "wav" => refused(
            StatusCode::BAD_REQUEST,
            json!({ "error": { "message": "response_format must be one of [wav]" } }),
        ),
        Knows::Nothing => refused(
            StatusCode::BAD_REQUEST,
            json!({ "error": { "message": "unknown format", "param": "response_format" } }),
        ),
        Knows::Wav | Knows::NoInstructions => {
            ([(header::CONTENT_TYPE, "audio/wav")], wav()).into_response()
        }
    }
}

/// Two seconds of a tone.
#[expect(clippy::cast_possible_truncation, reason = "far below full scale")]
fn wav() -> Vec<u8> {
    let mut file = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend(24_000_u32.to_le_bytes());
    file.extend(48_000_u32.to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(b"data\xff\xff\xff\xff");
    let sample = |at: u32| ((f64::from(at) * 0.05).sin() * 6_000.0) as i16;
    file.extend((0..48_000).flat_map(|at| sample(at).to_le_bytes()));
    file
}

impl Served {
    async fn start(knows: Knows, format: SoundFormat) -> Self {
        let voice = Voice { knows, asked: Arc::default() };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().route("/audio/speech", post(speak)).with_state(voice.clone());
        let mut server = JoinSet::new();
        server.spawn(async move {
            // Ends only with its owner.
            let _ = axum::serve(listener, app).await;
        });
        let model = "a-voice".to_owned();
        let account = Account { capability: Capability::Tts, base_url, key: None, model };
        let (voice_name, price) = ("alloy".to_owned(), SpeechPrice(10.0));
        let options = SpeechOptions { voice: voice_name, format, price, ffmpeg: "ffmpeg".into() };
        let speaker = OpenAiSpeech::new(HttpClient::new().unwrap(), account, options);
        Self { voice, speaker, _server: server }
    }

    async fn speak(&self) -> Result<usize, ProviderError> {
        let spoken = self.speaker.speak(&utterance(), Path::new("/nowhere")).await?;
        Ok(spoken.value.samples.len())
    }

    /// What was asked for since the last look.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.voice.asked.lock().unwrap())
    }
}

#[tokio::test]
async fn a_voice_that_knows_only_wav_is_asked_for_wav() {
    let served = Served::start(Knows::Wav, SoundFormat::Auto).await;
    for spoken in join_all((0..8).map(|_| served.speak())).await {
        assert_eq!(spoken.unwrap(), 48_000);
    }
    assert!(served.asked().len() <= 16, "each was refused once at most");
    served.speak().await.unwrap();
    assert_eq!(served.asked(), ["wav"], "it is remembered");
    let fixed = Served::start(Knows::Wav, SoundFormat::Only("mp3")).await;
    let error = fixed.speak().await.unwrap_err();
    assert_eq!(
        (error.failure, fixed.asked()),
        (FailureClass::Misconfigured, vec!["mp3".to_owned()])
    );
    assert!(error.message.contains("TTS_FORMAT") && error.wasted.usd() == 0.0, "{error}");
}

#[tokio::test]
async fn a_voice_that_takes_no_instructions_is_asked_without() {
    for format in [SoundFormat::Auto, SoundFormat::Only("pcm")] {
        let served = Served::start(Knows::NoInstructions, format).await;
        assert_eq!(served.speak().await.unwrap(), 48_000);
        assert_eq!(served.speak().await.unwrap(), 48_000);
        assert_eq!(served.asked(), ["pcm", "pcm", "pcm"]);
    }
}

#[tokio::test]
async fn a_voice_that_takes_no_format_is_the_set_up_s_fault() {
    let served = Served::start(Knows::Nothing, SoundFormat::Auto).await;
    for spoken in join_all((0..8).map(|_| served.speak())).await {
        let error = spoken.unwrap_err();
        assert_eq!((error.code, error.failure), ("parameter-refused", FailureClass::Misconfigured));
        assert!(error.message.contains("TTS_FORMAT"), "{error}");
        assert!(error.message.contains("response_format") && error.wasted.usd() == 0.0, "{error}");
        assert_private(&error);
    }
    let asked = served.asked();
    assert!(asked.len() <= 8 + 5, "one looks for all: {asked:?}");
    assert_eq!(served.speak().await.unwrap_err().code, "parameter-refused");
    assert_eq!(served.asked(), ["pcm", "wav", "mp3", "flac", "opus", "aac"], "it may be mended");
}
