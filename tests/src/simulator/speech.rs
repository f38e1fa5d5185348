//! A text goes in, a voice that says it comes out, as PCM of its true length.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use child::Spec;
use futures::{StreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use super::Shared;
use super::admin::{answer, refusal};
use super::bill::{Bill, Call};
use super::faults::{Endpoint, Fault};

/// The media type of samples.
const PCM: &str = "audio/pcm";
/// Samples a second.
pub(super) const RATE: u32 = 24_000;
/// Characters a second of calm speech; exact for [`Voice::Tone`].
pub const PACE: f64 = 13.5;
/// Of hurried speech.
const HURRIED: f64 = 27.0;
/// What [`Voice::Paragraph`] reads.
const PARAGRAPH: &str = "Close your eyes, and let the day come to rest. Breathe in slowly, through the \
    nose, and let your shoulders sink as you breathe out. There is nothing to be done now, nowhere to go, \
    and nobody to be. Notice the sounds of the room, one after the other, and let each of them pass like a \
    cloud across a wide sky. If thoughts arise, greet them kindly, and return to your breath.";
/// Samples of half a minute, longer than most passages.
const LONG_TONE: usize = 720_000;
/// As real servers limit it.
const MAX_CHARACTERS: usize = 4_096;
const FLUSHED: Duration = Duration::from_millis(40);

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// FFmpeg's flite: words that can be heard.
    Flite,
    /// A tone as long as the words would be: costs no CPU.
    Tone,
    /// Flite's reading of one paragraph, again and again, as long as the words would be: costs no CPU to say,
    /// and its listeners what a voice does, which no tone shows.
    Paragraph,
    /// A tone half as long, of a voice in a hurry: costs its listeners less, too.
    Hurried,
}

/// Speaks each text once.
pub(super) struct Studio {
    voice: Voice,
    spoken: Mutex<HashMap<String, Bytes>>,
    /// The longest tone until now: a shorter one is how it begins.
    tone: Mutex<Bytes>,
}

impl Studio {
    pub(super) fn new(voice: Voice) -> Self {
        Self { voice, spoken: Mutex::default(), tone: Mutex::default() }
    }

    pub(super) async fn say(&self, text: &str) -> anyhow::Result<Bytes> {
        let characters = text.chars().count() as f64;
        match self.voice {
            Voice::Tone => return Ok(signed(&self.tone(characters / PACE), text)),
            Voice::Hurried => return Ok(signed(&self.tone(characters / HURRIED), text)),
            Voice::Paragraph => {
                let paragraph = self.words(PARAGRAPH).await?;
                return Ok(signed(&repeated(&paragraph, samples(characters / PACE)), text));
            }
            Voice::Flite => {}
        }
        self.words(text).await
    }

    /// What flite says of a text.
    async fn words(&self, text: &str) -> anyhow::Result<Bytes> {
        let known = self.spoken().get(text).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let said = flite(text).await?;
        self.spoken().insert(text.to_owned(), said.clone());
        Ok(said)
    }

    fn tone(&self, seconds: f64) -> Bytes {
        let count = samples(seconds);
        let mut longest = self.tone.lock().unwrap_or_else(PoisonError::into_inner);
        if longest.len() < count * 2 {
            *longest = tone(count.max(LONG_TONE));
        }
        longest.slice(..count * 2)
    }

    fn spoken(&self) -> std::sync::MutexGuard<'_, HashMap<String, Bytes>> {
        self.spoken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lengths are positive and far below an hour"
)]
fn samples(seconds: f64) -> usize {
    (seconds * f64::from(RATE)) as usize
}

/// As many samples, from the first on and then again from it.
fn repeated(sound: &[u8], count: usize) -> Vec<u8> {
    sound.iter().copied().cycle().take(2 * count).collect()
}

async fn flite(text: &str) -> anyhow::Result<Bytes> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("text"), text)?;
    let spoken = Spec::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "flite=textfile=text:voice=slt"])
        .args(["-af", "atempo=0.88", "-ar", &RATE.to_string(), "-ac", "1", "-f", "s16le", "pipe:1"])
        .folder(folder.path())
        .hint("install it with: apt-get install ffmpeg")
        .timeout(Duration::from_mins(1));
    Ok(spoken.output(64 << 20).await?.0.into())
}

/// No two texts sound alike, as of a real voice: a digest in the first samples, too soft to be heard.
fn signed(tone: &[u8], text: &str) -> Bytes {
    let mut sound = tone.to_vec();
    let digest = Sha256::digest(text);
    let bits = digest.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
    for (sample, bit) in sound.chunks_exact_mut(2).zip(bits) {
        sample[0] ^= bit;
    }
    sound.into()
}

/// A tone that swells as syllables do.
#[expect(clippy::cast_possible_truncation, reason = "levels are far below full scale")]
fn tone(count: usize) -> Bytes {
    let sample = |n: usize| {
        let time = n as f64 / f64::from(RATE);
        let level = 0.6 + 0.4 * (time * 20.0).sin();
        ((time * 1382.0).sin() * level * 9_000.0) as i16
    };
    (0..count).flat_map(|n| sample(n).to_le_bytes()).collect()
}

pub(super) async fn speak(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut call = match shared.open(Endpoint::Speech, &headers, &body) {
        Ok(call) => call,
        Err(refused) => return *refused,
    };
    let text = call.asked["input"].as_str().unwrap_or_default().to_owned();
    let characters = text.chars().count();
    let is_pcm = call.asked["response_format"] == "pcm";
    if !(1..=MAX_CHARACTERS).contains(&characters) || !is_pcm {
        call.bill.set("refused", 400, 0.0);
        return refusal(&Fault::status(400, "invalid_value"), &text);
    }
    // From here on it is being made, and is paid for, whoever still listens.
    let usd = characters as f64 * shared.options.prices.characters / 1e6;
    call.bill.set("left", 0, usd);
    let Ok(pcm) = shared.speech.say(&text).await else {
        call.bill.set("broken", 500, 0.0);
        return refusal(&Fault::status(500, "server_error"), "");
    };
    let seconds = pcm.len() as f64 / 2.0 / f64::from(RATE);
    sleep(shared.options.latency.speech(seconds, &mut call.rng)).await;
    shared.holds.pass(Endpoint::Speech).await;
    call.bill.set("done", 200, usd);
    sound(pcm, call)
}

fn sound(pcm: Bytes, call: Call) -> Response {
    let half = pcm.len() / 4 * 2;
    match call.fault {
        Some(Fault::Short) => call.deliver(PCM, pcm.slice(..pcm.len() / 8 * 2)),
        Some(Fault::Truncate) => call.deliver(PCM, pcm.slice(..=half)),
        Some(Fault::Silent) => call.deliver(PCM, silence(&pcm)),
        Some(Fault::Wav) => call.deliver("audio/wav", [wav_header(), pcm.to_vec()].concat()),
        Some(Fault::Reset) => broken(pcm.slice(..half), call.bill, async {
            sleep(FLUSHED).await;
        }),
        Some(Fault::Stall) => broken(pcm.slice(..half), call.bill, async {
            std::future::pending::<Infallible>().await;
        }),
        _ => call.deliver(PCM, pcm),
    }
}

/// As long, without a voice.
pub(super) fn silence(pcm: &[u8]) -> Vec<u8> {
    vec![0; pcm.len()]
}

/// A body that begins, waits, and breaks. It carries its bill, which is written when it ends.
fn broken(begin: Bytes, bill: Bill, wait: impl Future<Output = ()> + Send + 'static) -> Response {
    let end = stream::once(async move {
        wait.await;
        drop(bill);
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    let body = stream::iter([Ok(begin)]).chain(end);
    answer(200, PCM, Body::from_stream(body))
}

/// The head of a WAV file whose length nobody knows yet.
fn wav_header() -> Vec<u8> {
    let mut head = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    head.extend(RATE.to_le_bytes());
    head.extend((RATE * 2).to_le_bytes());
    head.extend([2, 0, 16, 0]);
    head.extend(b"data\xff\xff\xff\xff");
    head
}
