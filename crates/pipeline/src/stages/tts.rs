//! Passages → sound: speaks them side by side, and hands on their sound in order.
//!
//! Words that are known as a whole have a flight: another job may have spoken them, or be at it.
//! Words that are still being written are spoken as they come.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::{FutureExt, Stream, StreamExt, stream};
use stillcast_enqueue::{Identifier, StageName};
use tokio::sync::OnceCell;

use crate::cache_key::CacheKey;
use crate::feed::{Feed, Reader};
use crate::reuse::Reusable;
use crate::run::{Attempt, Halted};
use crate::{Answer, JoinAnswer, Passage, ProviderError, StageError, Utterance, sound};

const STAGE: StageName = StageName::Tts;
/// Changes with whatever this file and `sound` do to speech.
pub(crate) const REVISION: &str = "tts-1";
/// A sound that is there already goes to the encoder in pieces of this many bytes, some 20 s.
const PIECE: usize = 1 << 20;

/// A whole transcript.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// Of its words.
    pub(crate) digest: String,
    /// What joining the flight of its sound has answered; `None` when it was not written just now,
    /// so that nobody speaks it yet.
    pub(crate) flight: Option<JoinAnswer>,
}

pub(crate) async fn speak(
    attempt: &Attempt<'_>,
    passages: Reader<Passage>,
    mut written: Reader<Written>,
    sound: Feed<Bytes>,
) -> Result<(), Halted> {
    let voice = Voice { attempt, passages, sound, spoken: Mutex::default() };
    let body = async {
        let (mut whole, mut first) = (written.again(), voice.passages.again());
        let known = tokio::select! {
            biased;
            known = whole.next() => known.map_err(|_| StageError::halted(STAGE))?,
            _ = first.next() => None,
        };
        match known {
            Some(Written { digest, flight: None }) => {
                let item = attempt.recipe().track(&digest);
                attempt.reuse(&Track { voice: &voice, item }).await?;
            }
            _ => voice.follow(&mut written).await?,
        }
        voice.sound.finish();
        Ok(())
    };
    attempt.stage(STAGE, body).await
}

/// One voice that speaks one transcript.
struct Voice<'run> {
    attempt: &'run Attempt<'run>,
    passages: Reader<Passage>,
    sound: Feed<Bytes>,
    /// By name: what is said twice is bought once.
    spoken: Mutex<HashMap<String, Arc<OnceCell<Bytes>>>>,
}

/// A whole sound that one job of the fleet buys.
struct Track<'run> {
    voice: &'run Voice<'run>,
    item: CacheKey,
}

impl Reusable for Track<'_> {
    type Value = ();
    // The encoder has it already.
    const ADOPTS: bool = false;
    const ALONE: bool = false;

    fn item(&self) -> &CacheKey {
        &self.item
    }

    async fn accept(&self, pcm: Bytes) -> Result<Option<()>, StageError> {
        if pcm.is_empty() || !pcm.len().is_multiple_of(2) {
            return Ok(None);
        }
        let pieces = (0..pcm.len()).step_by(PIECE);
        pieces.for_each(|at| self.voice.sound.push(pcm.slice(at..pcm.len().min(at + PIECE))));
        Ok(Some(()))
    }

    async fn pay(&self) -> Result<((), Bytes), StageError> {
        self.voice.speak().await.map(|pcm| ((), pcm))
    }
}

impl Voice<'_> {
    /// Speaks words that are still being written, and shares the whole once they are known.
    async fn follow(&self, written: &mut Reader<Written>) -> Result<(), StageError> {
        let made = self.speak().await;
        let known = match &made {
            Ok(_) => written.next().await,
            // Its writer may not be at the end yet, and has then joined nothing.
            Err(_) => written.next().now_or_never().unwrap_or(Ok(None)),
        };
        let Ok(Some(Written { digest, flight: Some(flight) })) = known else {
            return made.map(drop);
        };
        let item = self.attempt.recipe().track(&digest);
        self.attempt.end_flight(&item, &flight, made).await
    }

    /// Ends only when every call that had begun has ended, also after a failure: it is paid for.
    async fn speak(&self) -> Result<Bytes, StageError> {
        // Pauses take a place in the row but no slot: without room for them speech would starve.
        let abreast = self.attempt.row(STAGE).slots * 2;
        let spoken = self.all().map(|passage| self.say(passage)).buffered(abreast);
        futures::pin_mut!(spoken);
        let (mut whole, mut failure) = (BytesMut::new(), None);
        while let Some(said) = spoken.next().await {
            match said {
                Ok(pcm) => {
                    whole.extend_from_slice(&pcm);
                    self.sound.push(pcm);
                }
                Err(error) => {
                    self.attempt.halt(error.clone());
                    failure.get_or_insert(error);
                }
            }
        }
        failure.map_or(Ok(whole.freeze()), Err)
    }

    /// The passages as they come; an error when the writer stopped before the end.
    fn all(&self) -> impl Stream<Item = Result<Passage, StageError>> + use<'_> {
        stream::unfold(Some(self.passages.again()), async |reader| {
            let mut reader = reader?;
            match reader.next().await {
                Ok(passage) => passage.map(|passage| (Ok(passage), Some(reader))),
                Err(_) => Some((Err(StageError::halted(STAGE)), None)),
            }
        })
    }

    async fn say(&self, passage: Result<Passage, StageError>) -> Result<Bytes, StageError> {
        let text = match passage? {
            Passage::Pause(length) => return Ok(sound::silence(length)),
            Passage::Speech(text) => text,
        };
        let item = self.attempt.recipe().passage(&text);
        let cell = {
            let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(spoken.entry(item.name.clone()).or_default())
        };
        let pcm = cell.get_or_try_init(|| self.say_new(&item, text)).await?;
        Ok(pcm.clone())
    }

    /// From an earlier attempt, or another job that never came to the end, or else the provider.
    async fn say_new(&self, item: &CacheKey, text: String) -> Result<Bytes, StageError> {
        let attempt = self.attempt;
        let _busy = attempt.activity.work();
        let options = &attempt.run.request.options;
        let utterance = Utterance {
            text,
            voice: options.voice.as_ref().map(Identifier::to_string),
            language: options.language.as_ref().map(Identifier::to_string),
        };
        let speaker = &attempt.run.providers.speaker;
        let price = speaker.estimate(&utterance);
        if let Some(pcm) = attempt.recall_part(item, price.usd()).await? {
            return Ok(pcm);
        }
        let say = || say_once(attempt, &utterance);
        let called = attempt.call_priced(STAGE, speaker.provider(), &price, say);
        let (pcm, usd) = called.await?;
        attempt.keep_part(item, &pcm, usd).await;
        Ok(pcm)
    }
}

/// Speech that does not sound right counts as a failed try.
async fn say_once(
    attempt: &Attempt<'_>,
    utterance: &Utterance,
) -> Result<Answer<(Bytes, f64)>, ProviderError> {
    let speaker = attempt.run.providers.speaker.as_ref();
    let spoken = speaker.speak(utterance, &attempt.run.scratch).await?;
    let characters = utterance.text.chars().count();
    let samples = spoken.value.samples;
    let finished = tokio::task::spawn_blocking(move || sound::finish(&samples, characters)).await;
    let transient = |code, message: String| {
        ProviderError::transient(speaker.provider(), code, message).wasting(spoken.usage.clone())
    };
    let pcm = finished
        .map_err(|panic| transient("sound-panicked", panic.to_string()))?
        .map_err(|fault| transient(fault.code(), fault.to_string()))?;
    let usage = spoken
        .usage
        .and("calls", 1.0)
        .and("characters", characters as f64)
        .and("audio_s", sound::seconds(pcm.len()));
    Ok(Answer { value: (pcm, usage.usd()), usage })
}
