//! One passage: bought and kept as it came, and heard, so that only what sounds right is spoken.

use bytes::Bytes;
use tokio::time::Instant;

use crate::attempt::{Attempt, Price};
use crate::cache_key::CacheKey;
use crate::reuse::{Keeping, keep_as_it_came, recall_as_it_came, while_keeping};
use crate::spoken::Said;
use crate::{Answer, ProviderError, Recording, StageError, Utterance, arithmetic, sound};

use super::STAGE;

/// How long its sound must be: characters of English that take as long to say.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a passage has some hundreds"
)]
pub(super) fn letters(said: &Said) -> usize {
    said.letters().round() as usize
}

/// What is told to the voice, and how long its sound must be.
pub(super) type Asked<'say> = (&'say Utterance, usize);

/// What an earlier attempt has bought and kept as it came, unless it does not sound right.
pub(super) async fn hear_again(
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
pub(super) async fn say_once<'say>(
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
pub(super) type Sound = (Bytes, f64);

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
