//! Passages → sound: speaks them side by side, and hands on their sound in order.

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use stillcast_enqueue::{Identifier, StageName};

use crate::feed::{Feed, Reader};
use crate::run::{Attempt, Halted};
use crate::{Answer, Passage, ProviderError, StageError, Utterance, sound};

const STAGE: StageName = StageName::Tts;

/// Ends only when every call that had begun has ended, also after a failure: it is paid for.
pub(crate) async fn speak(
    attempt: &Attempt<'_>,
    passages: Reader<Passage>,
    sound: Feed<Bytes>,
) -> Result<(), Halted> {
    // Pauses take a place in the row but no slot: without room for them speech would starve.
    let abreast = attempt.row(STAGE).slots * 2;
    let spoken = all(passages).map(|passage| say(attempt, passage)).buffered(abreast);
    attempt
        .stage(STAGE, async {
            futures::pin_mut!(spoken);
            let mut failure = None;
            while let Some(said) = spoken.next().await {
                match said {
                    Ok(pcm) => sound.push(pcm),
                    Err(error) => {
                        attempt.halt(error.clone());
                        failure.get_or_insert(error);
                    }
                }
            }
            failure.map_or(Ok(()), Err)?;
            sound.finish();
            Ok(())
        })
        .await
}

/// The passages as they come; an error when the writer stopped before the end.
fn all(passages: Reader<Passage>) -> impl Stream<Item = Result<Passage, StageError>> {
    stream::unfold(Some(passages), async |reader| {
        let mut reader = reader?;
        match reader.next().await {
            Ok(passage) => passage.map(|passage| (Ok(passage), Some(reader))),
            Err(_) => Some((Err(StageError::halted(STAGE)), None)),
        }
    })
}

async fn say(
    attempt: &Attempt<'_>,
    passage: Result<Passage, StageError>,
) -> Result<Bytes, StageError> {
    let text = match passage? {
        Passage::Pause(length) => return Ok(sound::silence(length)),
        Passage::Speech(text) => text,
    };
    let options = &attempt.run.request.options;
    let utterance = Utterance {
        text,
        voice: options.voice.as_ref().map(Identifier::to_string),
        language: options.language.as_ref().map(Identifier::to_string),
    };
    let provider = attempt.run.providers.speaker.provider();
    attempt.call(STAGE, provider, || say_once(attempt, &utterance)).await
}

/// Speech that does not sound right counts as a failed try.
async fn say_once(
    attempt: &Attempt<'_>,
    utterance: &Utterance,
) -> Result<Answer<Bytes>, ProviderError> {
    let speaker = attempt.run.providers.speaker.as_ref();
    let spoken = speaker.speak(utterance, &attempt.run.scratch).await?;
    let characters = utterance.text.chars().count();
    let samples = spoken.value.samples;
    let finished = tokio::task::spawn_blocking(move || sound::finish(&samples, characters)).await;
    let transient =
        |code, message: String| ProviderError::transient(speaker.provider(), code, message);
    let pcm = finished
        .map_err(|panic| transient("sound-panicked", panic.to_string()))?
        .map_err(|fault| transient(fault.code(), fault.to_string()))?;
    let usage = spoken
        .usage
        .and("calls", 1.0)
        .and("characters", characters as f64)
        .and("audio_s", sound::seconds(pcm.len()));
    Ok(Answer { value: pcm, usage })
}
