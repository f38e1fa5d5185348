//! Passages → sound: speaks them side by side, and hands on their sound in order.
//!
//! Words that are known as a whole have a flight: another job may have spoken them, or be at it.
//! Words that are still being written are spoken as they come.

mod hearing;
mod key;
mod opening;
mod quoted;
mod track;
mod voice;
mod written;

use bytes::Bytes;
use futures::TryStreamExt;
use stillcast_enqueue::StageName;

pub(crate) use self::key::settings;
use self::key::track_key;
pub(crate) use self::quoted::{Words, quote};
use self::track::{is_in_passages, unpack};
use self::voice::Voice;
pub(crate) use self::written::Written;
use crate::artifact::Piece;
use crate::attempt::Attempt;
use crate::cache_key::CacheKey;
use crate::feed::{Feed, Reader};
use crate::reuse::{OnConflict, Reusable, WhileWaiting, recall_or_make};
use crate::spool::Spooled;
use crate::{Passage, StageError};

const STAGE: StageName = StageName::Tts;

pub(crate) async fn speak(
    attempt: &Attempt<'_>,
    passages: Reader<Passage>,
    mut written: Reader<Written>,
    sound: Feed<Piece<Spooled>>,
) -> Result<(), StageError> {
    let voice = Voice::of(attempt, passages, sound);
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
        if is_in_passages(&track) {
            return self.accept_passages().await;
        }
        let passages: Vec<Passage> = self.voice.all().try_collect().await?;
        let Some(pieces) = unpack(&track, &passages) else { return Ok(None) };
        for piece in pieces {
            self.voice.sound.push(piece.held());
        }
        Ok(Some(()))
    }

    async fn make(&self) -> Result<((), Bytes), StageError> {
        self.voice.speak().await.map(|track| ((), track))
    }
}

impl Track<'_> {
    /// A long sound is kept in its passages alone. Where one of them has gone, nobody speaks it outside of
    /// the flight.
    async fn accept_passages(&self) -> Result<Option<()>, StageError> {
        if !self.voice.recall_all().await? {
            return Ok(None);
        }
        self.voice.speak().await.map(|_| Some(()))
    }
}
