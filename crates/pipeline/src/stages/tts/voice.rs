//! The voice that speaks one transcript: passages side by side, their sound in order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::{FutureExt, Stream, StreamExt, TryStreamExt, stream};
use tokio::sync::OnceCell;

use super::STAGE;
use super::hearing::{hear_again, letters, say_once};
use super::key::{passage_key, reading, track_key, utterance};
use super::opening::opening;
use super::track::pack;
use super::written::Written;
use crate::artifact::Piece;
use crate::attempt::{Attempt, Price};
use crate::cache_key::CacheKey;
use crate::feed::{Feed, Reader};
use crate::reuse::{end_flight, recall_part, share_part};
use crate::spoken::{Reading, Said};
use crate::spool::{Spool, Spooled};
use crate::{Bought, Call, Passage, StageError};

/// One voice that speaks one transcript.
pub(super) struct Voice<'run> {
    attempt: &'run Attempt<'run>,
    reading: Reading,
    pub(super) passages: Reader<Passage>,
    pub(super) sound: Feed<Piece<Spooled>>,
    spool: Spool,
    /// By name: what is said twice is bought once.
    spoken: Mutex<HashMap<String, Arc<OnceCell<Spooled>>>>,
}

impl<'run> Voice<'run> {
    pub(super) fn of(
        attempt: &'run Attempt<'run>,
        passages: Reader<Passage>,
        sound: Feed<Piece<Spooled>>,
    ) -> Self {
        let (reading, spool) = (reading(attempt.run), Spool::of(attempt.run));
        Self { attempt, reading, passages, sound, spool, spoken: Mutex::default() }
    }

    /// Speaks words that are still being written, and shares the whole once they are known.
    pub(super) async fn follow(&self, written: &mut Reader<Written>) -> Result<(), StageError> {
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
    pub(super) async fn speak(&self) -> Result<Bytes, StageError> {
        // Pauses take a place in the row but no slot: without room for them speech would starve.
        let abreast = self.attempt.limits.row(STAGE).slots * 2;
        let spoken = self.all().map(|passage| self.say(passage)).buffered(abreast);
        futures::pin_mut!(spoken);
        let (mut track, mut failure) = (Vec::new(), None);
        while let Some(said) = spoken.next().await {
            match said {
                Ok(piece) => {
                    track.push(piece.clone());
                    self.sound.push(piece);
                }
                Err(error) => {
                    self.attempt.halt(error.clone());
                    failure.get_or_insert(error);
                }
            }
        }
        match failure {
            None => pack(track).await.map_err(|error| error.at(STAGE)),
            Some(error) => Err(error),
        }
    }

    /// The passages as they come; an error when the writer stopped before the end.
    pub(super) fn all(&self) -> impl Stream<Item = Result<Passage, StageError>> + use<'_, 'run> {
        let passages = stream::unfold(Some(self.passages.again()), async |reader| {
            let mut reader = reader?;
            match reader.next().await {
                Ok(passage) => passage.map(|passage| (Ok(passage), Some(reader))),
                Err(_) => Some((Err(StageError::halted(STAGE)), None)),
            }
        });
        opening(self.attempt.run.request.options.live, passages)
    }

    async fn say(
        &self,
        passage: Result<Passage, StageError>,
    ) -> Result<Piece<Spooled>, StageError> {
        let text = match passage? {
            Passage::Pause(length) => return Ok(Piece::Pause(length)),
            Passage::Speech(text) => text,
        };
        let (key, said, cell) = self.place(&text);
        let say = async || self.spool(self.say_new(&key, said).await?).await;
        let pcm = cell.get_or_try_init(say).await?.clone();
        Ok(Piece::Speech { text, pcm })
    }

    /// What the voice is told of a text, and where its sound belongs.
    fn place(&self, text: &str) -> (CacheKey, Said, Arc<OnceCell<Spooled>>) {
        let said = self.reading.say(text);
        let key = passage_key(self.attempt, &said);
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = Arc::clone(spoken.entry(key.checkpoint.clone()).or_default());
        (key, said, cell)
    }

    async fn spool(&self, pcm: Bytes) -> Result<Spooled, StageError> {
        self.spool.keep(pcm).await.map_err(|error| error.at(STAGE))
    }

    /// Has all passages from where they are kept, ready to be spoken; whether none is missing. Buys nothing.
    pub(super) async fn recall_all(&self) -> Result<bool, StageError> {
        let abreast = self.attempt.limits.row(STAGE).slots * 2;
        let found = self.all().map(|passage| self.recall(passage)).buffer_unordered(abreast);
        found.try_all(std::future::ready).await
    }

    async fn recall(&self, passage: Result<Passage, StageError>) -> Result<bool, StageError> {
        let Passage::Speech(text) = passage? else { return Ok(true) };
        let (key, said, cell) = self.place(&text);
        if cell.initialized() {
            return Ok(true);
        }
        let utterance = utterance(&self.attempt.run.request.options, said.text);
        let price = self.attempt.run.providers.speaker.estimate(&utterance);
        let Some(pcm) = recall_part(self.attempt, &key, price.usd()).await? else {
            return Ok(false);
        };
        // Who says the same beside it has it from the same place.
        let _ = cell.set(self.spool(pcm).await?);
        Ok(true)
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
