//! What speech costs where nobody has spoken it.

use super::key::{passage_key, reading, settings, track_key, utterance};
use crate::attempt::Attempt;
use crate::reuse::is_shared;
use crate::{Passage, Quote};

/// The words of a sound, as far as they are known.
pub(crate) enum Words {
    /// They are written.
    Known {
        /// Of the whole.
        digest: String,
        /// What is spoken, and the pauses.
        passages: Vec<Passage>,
    },
    /// They are not.
    Unknown {
        /// Their name in the cache.
        name: String,
        /// How many there are at most, as near as can be told.
        characters: usize,
    },
}

/// What of the sound of `words` is missing.
pub(crate) async fn quote(attempt: &Attempt<'_>, words: Words, quote: &mut Quote) {
    match words {
        Words::Unknown { name, characters } => {
            let usd = price(attempt, "x".repeat(characters));
            quote.add(format!("{name} said {}", settings(attempt.run)), usd);
        }
        Words::Known { digest, passages } => {
            if !is_shared(attempt.run, &track_key(attempt, &digest)).await {
                quote_passages(attempt, passages, quote).await;
            }
        }
    }
}

/// The whole has its name in any case: passages that are all there are still to be put together.
async fn quote_passages(attempt: &Attempt<'_>, passages: Vec<Passage>, quote: &mut Quote) {
    let reading = reading(attempt.run);
    for passage in passages {
        let Passage::Speech(text) = passage else { continue };
        let said = reading.say(&text);
        let key = passage_key(attempt, &said);
        let is_there = is_shared(attempt.run, &key).await;
        let usd = if is_there { 0.0 } else { price(attempt, said.text) };
        quote.add(key.shared, usd);
    }
}

fn price(attempt: &Attempt<'_>, text: String) -> f64 {
    let run = attempt.run;
    run.providers.speaker.estimate(&utterance(&run.request.options, text)).usd()
}
