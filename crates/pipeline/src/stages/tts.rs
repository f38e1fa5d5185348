//! Passages → sound: speaks them side by side, and hands on their sound in order.
//!
//! Words that are known as a whole have a flight: another job may have spoken them, or be at it.
//! Words that are still being written are spoken as they come.

mod opening;
mod track;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::{FutureExt, Stream, StreamExt, TryStreamExt, stream};
use stillcast_enqueue::{Identifier, Options, StageName};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use self::opening::opening;
use self::track::{TrackWriter, unpack};
use crate::artifact::Piece;
use crate::attempt::{Attempt, Price};
use crate::cache_key::{CacheKey, CheckpointKind, digest_of};
use crate::feed::{Feed, Reader};
use crate::reuse::{
    Keeping, OnConflict, Reusable, WhileWaiting, end_flight, join_flight, keep_as_it_came,
    recall_as_it_came, recall_or_make, recall_part, share_part, while_keeping,
};
use crate::spoken::{Reading, Said};
use crate::{
    Answer, Bought, Call, JoinAnswer, Passage, ProviderError, Recording, Request, Run,
    SpeechSynthesizer, StageError, Utterance, arithmetic, sound,
};

const STAGE: StageName = StageName::Tts;
/// Changes with whatever this file and `sound` do to speech, and with what `script` reads in words.
const REVISION: &str = "tts-2";
/// Changes with the layout of a whole sound, which its passages do not share.
const TRACK_REVISION: &str = "track-1";

/// A whole transcript.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// Of its words.
    digest: String,
    /// What joining the flight of its sound has answered; `None` when it was not written just now,
    /// so that nobody speaks it yet.
    flight: Option<JoinAnswer>,
}

impl Written {
    /// Words with this digest that were there already.
    pub(crate) fn before(digest: String) -> Self {
        Self { digest, flight: None }
    }

    /// Words with this digest that are spoken while they are written. The flight of their sound is
    /// joined before anybody else can know them.
    pub(crate) async fn just_now(attempt: &Attempt<'_>, digest: String) -> Self {
        let joined = join_flight(attempt, &track_key(attempt, &digest)).await;
        // A halted attempt joins nothing any more, and yet its finished words are kept.
        Self { digest, flight: Some(joined.unwrap_or(JoinAnswer::Unshared)) }
    }
}

/// All that decides the speech of a job, besides words and variant.
pub(crate) fn settings(run: &Run) -> String {
    let Run { request, providers, .. } = run;
    let voice = settings_of(&request.options, providers.speaker.as_ref());
    digest_of(&[&voice, reading(run).digest()])
}

/// How the words of this job are said.
fn reading(run: &Run) -> Reading {
    let Request { tenant, options, .. } = &run.request;
    Reading::new(&run.pronunciation, tenant, options)
}

fn utterance(options: &Options, text: String) -> Utterance {
    // The variant counts in the keys: a provider is not told.
    // How long the file shall be decides the words and the pauses, not how any of them is said.
    // A bed lies under the finished sound. The text is said as the lexicon has it already.
    let Options {
        voice,
        language,
        variant: _,
        duration: _,
        bed: _,
        bed_level: _,
        bells: _,
        tail: _,
        stems: _,
        container: _,
        aspect: _,
        motion: _,
        lexicon: _,
        // It decides which passages there are, not how any of them is said.
        live: _,
    } = options;
    let name = |name: &Option<Identifier>| name.as_ref().map(Identifier::to_string);
    Utterance { text, voice: name(voice), language: name(language) }
}

/// Of what is told to the voice, besides the text.
fn settings_of(options: &Options, speaker: &dyn SpeechSynthesizer) -> String {
    let Utterance { text: _, voice, language } = utterance(options, String::new());
    let (voice, language) = (voice.as_deref(), language.as_deref());
    let (voice, language) = (voice.unwrap_or_default(), language.unwrap_or_default());
    digest_of(&[REVISION, speaker.provider(), &speaker.revision(), voice, language])
}

/// The whole sound of the words with this digest. It is packed anew where any of them is said otherwise;
/// its passages are bought anew only where they are.
fn track_key(attempt: &Attempt<'_>, words: &str) -> CacheKey {
    let reading = reading(attempt.run);
    let opening = attempt.run.request.options.live.then_some("opening");
    let parts = [TRACK_REVISION, words, reading.digest()].into_iter().chain(opening);
    key(attempt, "tts", &digest_of(&parts.collect::<Vec<_>>()))
}

/// One spoken passage, by what the voice is told. It has no flight: whoever speaks the words it is of,
/// speaks it too.
fn passage_key(attempt: &Attempt<'_>, said: &Said) -> CacheKey {
    let key = key(attempt, "passage", &said.text);
    let digest = key.shared.rsplit('/').next().unwrap_or_default();
    CacheKey { checkpoint: format!("passage-{}", &digest[..32]), ..key }
}

fn key(attempt: &Attempt<'_>, name: &str, spoken: &str) -> CacheKey {
    let Request { options, tenant, .. } = &attempt.run.request;
    let Options {
        voice: _,
        language: _,
        variant,
        duration: _,
        bed: _,
        bed_level: _,
        bells: _,
        tail: _,
        stems: _,
        container: _,
        aspect: _,
        motion: _,
        lexicon: _,
        live: _,
    } = options;
    let settings = settings_of(options, attempt.run.providers.speaker.as_ref());
    let digest = digest_of(&[&settings, &variant.to_string(), spoken]);
    CacheKey::new(STAGE, CheckpointKind::Object, (tenant, name), &digest)
}

pub(crate) async fn speak(
    attempt: &Attempt<'_>,
    passages: Reader<Passage>,
    mut written: Reader<Written>,
    sound: Feed<Piece>,
) -> Result<(), StageError> {
    let reading = reading(attempt.run);
    let voice = Voice { attempt, reading, passages, sound, spoken: Mutex::default() };
    let body = async {
        let (mut whole, mut first) = (written.again(), voice.passages.again());
        let known = tokio::select! {
            biased;
            known = whole.next() => known.map_err(|_| StageError::halted(STAGE))?,
            _ = first.next() => None,
        };
        match known {
            Some(Written { digest, flight: None }) => {
                let key = track_key(attempt, &digest);
                recall_or_make(attempt, &Track { voice: &voice, key }).await?;
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
    reading: Reading,
    passages: Reader<Passage>,
    sound: Feed<Piece>,
    /// By name: what is said twice is bought once.
    spoken: Mutex<HashMap<String, Arc<OnceCell<Bytes>>>>,
}

/// A whole sound that one job of the fleet buys.
struct Track<'run> {
    voice: &'run Voice<'run>,
    key: CacheKey,
}

impl Reusable for Track<'_> {
    type Value = ();
    // The encoder has it already.
    const ON_CONFLICT: OnConflict = OnConflict::KeepOwn;
    const WHILE_WAITING: WhileWaiting = WhileWaiting::OthersGoOn;

    fn key(&self) -> &CacheKey {
        &self.key
    }

    async fn accept(&self, track: Bytes) -> Result<Option<()>, StageError> {
        let passages: Vec<Passage> = self.voice.all().try_collect().await?;
        let Some(pieces) = unpack(&track, &passages) else { return Ok(None) };
        for piece in pieces {
            self.voice.sound.push(piece);
        }
        Ok(Some(()))
    }

    async fn make(&self) -> Result<((), Bytes), StageError> {
        self.voice.speak().await.map(|track| ((), track))
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
        end_flight(self.attempt, &track_key(self.attempt, &digest), &flight, made).await
    }

    /// Ends only when every call that had begun has ended, also after a failure: it is paid for.
    async fn speak(&self) -> Result<Bytes, StageError> {
        // Pauses take a place in the row but no slot: without room for them speech would starve.
        let abreast = self.attempt.limits.row(STAGE).slots * 2;
        let spoken = self.all().map(|passage| self.say(passage)).buffered(abreast);
        futures::pin_mut!(spoken);
        let (mut track, mut failure) = (TrackWriter::default(), None);
        while let Some(said) = spoken.next().await {
            match said {
                Ok(piece) => {
                    track.push(&piece);
                    self.sound.push(piece);
                }
                Err(error) => {
                    self.attempt.halt(error.clone());
                    failure.get_or_insert(error);
                }
            }
        }
        failure.map_or_else(|| Ok(track.pack()), Err)
    }

    /// The passages as they come; an error when the writer stopped before the end.
    fn all(&self) -> impl Stream<Item = Result<Passage, StageError>> + use<'_> {
        let passages = stream::unfold(Some(self.passages.again()), async |reader| {
            let mut reader = reader?;
            match reader.next().await {
                Ok(passage) => passage.map(|passage| (Ok(passage), Some(reader))),
                Err(_) => Some((Err(StageError::halted(STAGE)), None)),
            }
        });
        opening(self.attempt.run.request.options.live, passages)
    }

    async fn say(&self, passage: Result<Passage, StageError>) -> Result<Piece, StageError> {
        let text = match passage? {
            Passage::Pause(length) => return Ok(Piece::Pause(length)),
            Passage::Speech(text) => text,
        };
        let said = self.reading.say(&text);
        let key = passage_key(self.attempt, &said);
        let cell = {
            let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(spoken.entry(key.checkpoint.clone()).or_default())
        };
        let pcm = cell.get_or_try_init(|| self.say_new(&key, said)).await?;
        Ok(Piece::Speech { pcm: pcm.clone(), text })
    }

    /// From an earlier attempt, or another job that never came to the end, or else the provider.
    async fn say_new(&self, key: &CacheKey, said: Said) -> Result<Bytes, StageError> {
        let attempt = self.attempt;
        let _busy = attempt.activity.work();
        let letters = letters(&said);
        let utterance = utterance(&attempt.run.request.options, said.text);
        let speaker = &attempt.run.providers.speaker;
        let price = speaker.estimate(&utterance);
        if let Some(pcm) = hear_again(attempt, (&utterance, letters), key, price.usd()).await? {
            return Ok(pcm);
        }
        if let Some(pcm) = recall_part(attempt, key, price.usd()).await? {
            return Ok(pcm);
        }
        let bought = Some(Bought { tokens: speaker.tokens(&utterance), usd: price.usd() });
        let price = Price::of(price);
        let say = || say_once(attempt, (&utterance, letters), (key, &price));
        let (provider, model) = (speaker.provider(), speaker.model());
        let call = Call { stage: STAGE, provider, model, operation: "speak", bought };
        let called = attempt.call_priced(call, &price, say);
        // At once, since the passages in front of this one may take long: nothing more is bought.
        let called = called.await.inspect_err(|error| drop(attempt.halt(error.clone())));
        let ((pcm, usd), keeping) = called?;
        if let Some(keeping) = keeping {
            keeping.await;
        }
        share_part(attempt, key, &pcm, usd).await;
        Ok(pcm)
    }
}

/// How long its sound must be: characters of English that take as long to say.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a passage has some hundreds"
)]
fn letters(said: &Said) -> usize {
    said.letters().round() as usize
}

/// What is told to the voice, and how long its sound must be.
type Asked<'say> = (&'say Utterance, usize);

/// What an earlier attempt has bought and kept as it came, unless it does not sound right.
async fn hear_again(
    attempt: &Attempt<'_>,
    asked: Asked<'_>,
    key: &CacheKey,
    usd: f64,
) -> Result<Option<Bytes>, StageError> {
    for number in 0.. {
        let Some(kept) = recall_as_it_came(attempt, key, number).await? else { break };
        let Some(recording) = kept.as_ref().and_then(Recording::unpack) else { continue };
        if let Ok(heard) = hear(attempt, asked, &Answer::free(recording)).await {
            attempt.recalled(STAGE, 0.0);
            attempt.ledger.paid_before(STAGE, usd);
            return Ok(Some(heard.value.0));
        }
    }
    Ok(None)
}

/// Keeps what comes as it comes, and meanwhile makes sound of it. Speech that does not sound right counts
/// as a failed try.
async fn say_once<'say>(
    attempt: &'say Attempt<'_>,
    asked: Asked<'_>,
    (key, price): (&'say CacheKey, &'say Price),
) -> Result<Answer<(Sound, Option<Keeping<'say>>)>, ProviderError> {
    let speaker = attempt.run.providers.speaker.as_ref();
    let recorded = speaker.record(asked.0, &attempt.run.scratch).await?;
    let bought = (price, Instant::now());
    let keeping = Box::pin(keep_as_it_came(attempt, key, recorded.value.pack(), bought));
    let heard = while_keeping(keeping, hear(attempt, asked, &recorded));
    let (Answer { value, usage }, keeping) = heard.await?;
    Ok(Answer { value: (value, keeping), usage })
}

/// Finished sound, and what it has cost in US dollars.
type Sound = (Bytes, f64);

async fn hear(
    attempt: &Attempt<'_>,
    (utterance, letters): Asked<'_>,
    recorded: &Answer<Recording>,
) -> Result<Answer<Sound>, ProviderError> {
    let speaker = attempt.run.providers.speaker.as_ref();
    let spoken = speaker.hear(recorded, &attempt.run.scratch).await?;
    let characters = utterance.text.chars().count();
    let samples = spoken.value.samples;
    let finished = arithmetic(move || sound::finish(&samples, letters)).await;
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
