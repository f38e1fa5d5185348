//! A source text goes in; a guided meditation on its own words comes out, in English.

mod phrases;
mod walks;

use async_trait::async_trait;
use fastrand::Rng;
use futures::{StreamExt, stream};
use pipeline::{Draft, DraftPiece, Finish, Prompt, ProviderError, TranscriptWriter, Usage, WORDS};
use stillcast_enqueue::capability::offline_speaks;
use unicode_segmentation::UnicodeSegmentation;

use self::phrases::{Place, REFLECTIONS};
use super::seed::seed;
use super::words::content_words;
use super::{PROVIDER, REVISION};

/// Words of the source that are dwelt on.
const DWELT: usize = 8;
/// Rest is added until this part of the way from the least to the most words: 430 of 400 to 500, from
/// where no paragraph is long enough to pass the most.
const ENOUGH: usize = 30;

/// The offline writer.
#[derive(Clone, Copy, Debug, Default)]
pub struct OfflineWriter;

#[async_trait]
impl TranscriptWriter for OfflineWriter {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn revision(&self) -> String {
        let Self = self;
        REVISION.to_owned()
    }

    async fn write(&self, prompt: &Prompt) -> Result<Draft, ProviderError> {
        if !offline_speaks(prompt.language.as_deref()) {
            let message = "the offline writer writes English only; leave `options.language` out, \
                           or set up LLM_PROVIDER";
            return Err(ProviderError::permanent(PROVIDER, "language-unsupported", message));
        }
        let own = content_words(&prompt.text, DWELT);
        let usage = Usage::default().and_peak("content_words", own.len() as f64);
        let pieces = unsaid(compose(prompt, own), &prompt.said).into_iter().map(DraftPiece::Text);
        let end = DraftPiece::End { finish: Finish::Complete, usage };
        Ok(stream::iter(pieces.chain([end]).map(Ok)).boxed())
    }
}

/// The paragraphs behind those that are already said: equal texts give equal words.
fn unsaid(paragraphs: Vec<String>, said: &str) -> Vec<String> {
    let mut said = said;
    let whole = paragraphs.into_iter().map(|text| format!("{text}\n\n"));
    whole
        .filter_map(|text| match said.strip_prefix(text.as_str()) {
            Some(rest) => {
                said = rest;
                None
            }
            None => Some(text.strip_prefix(std::mem::take(&mut said)).unwrap_or(&text).to_owned()),
        })
        .collect()
}

/// Arrive, breathe, dwell on the words, rest in a place, come back: all parts at once.
fn compose(prompt: &Prompt, own: Vec<String>) -> Vec<String> {
    if prompt.whole != WORDS {
        return compose_to_length(prompt, own);
    }
    let mut rng = Rng::with_seed(seed("transcript", &prompt.text, prompt.variant));
    let place = Place::choose(&own, &mut rng);
    let words = dwelt(own, place, &mut rng);
    let mut rest: Vec<&str> = phrases::REST.to_vec();
    rng.shuffle(&mut rest);
    let opening = [&phrases::ARRIVALS, &phrases::BODIES, &phrases::BREATHS]
        .map(|pool| pick(&mut rng, pool).to_owned());
    let theme = fill(pick(&mut rng, &phrases::THEMES), &words);
    let mut middle = reflections(&mut rng, &words);
    middle.push(place.scene.to_owned());
    middle.push(fill(pick(&mut rng, &phrases::GATHERINGS), &words));
    let closing =
        [&phrases::RETURNS, &phrases::CLOSES].map(|pool| fill(pick(&mut rng, pool), &words));
    let count = |parts: &[String]| parts.iter().map(|part| spoken_words(part)).sum::<usize>();
    let fixed = count(&opening) + spoken_words(&theme) + count(&closing);
    while fixed + count(&middle) < enough(prompt)
        && let Some(more) = rest.pop()
    {
        middle.push(more.to_owned());
    }
    opening.into_iter().chain([theme]).chain(middle).chain(closing).collect()
}

/// The same, of as many of these as fit; a long one goes on to walks through body, sounds and colours.
fn compose_to_length(prompt: &Prompt, own: Vec<String>) -> Vec<String> {
    let mut rng = Rng::with_seed(seed("transcript", &prompt.text, prompt.variant));
    let place = Place::choose(&own, &mut rng);
    let words = dwelt(own, place, &mut rng);
    let [arrival, body, breath] = [&phrases::ARRIVALS, &phrases::BODIES, &phrases::BREATHS]
        .map(|pool| pick(&mut rng, pool).to_owned());
    let theme = fill(pick(&mut rng, &phrases::THEMES), &words);
    let gathering = fill(pick(&mut rng, &phrases::GATHERINGS), &words);
    let closing =
        [&phrases::RETURNS, &phrases::CLOSES].map(|pool| fill(pick(&mut rng, pool), &words));
    let mut rest: Vec<String> = phrases::REST.map(str::to_owned).to_vec();
    rng.shuffle(&mut rest);
    let reflections = reflections(&mut rng, &words);
    let candidates = [body].into_iter().chain(reflections).chain([place.scene.to_owned()]);
    let candidates = candidates.chain(walks::paragraphs(&mut rng)).chain(rest).chain([gathering]);
    let always = [arrival, breath, theme];
    let mut count: usize = always.iter().chain(&closing).map(|part| spoken_words(part)).sum();
    let fits = |part: &String| {
        let longer = count + spoken_words(part);
        let fits = count < enough(prompt) && longer <= *prompt.whole.end();
        count = if fits { longer } else { count };
        fits
    };
    let middle: Vec<String> = candidates.filter(fits).collect();
    always.into_iter().chain(middle).chain(closing).collect()
}

/// Where enough is said.
fn enough(prompt: &Prompt) -> usize {
    let (least, most) = (*prompt.whole.start(), *prompt.whole.end());
    least + most.saturating_sub(least) * ENOUGH / 100
}

/// The source's own words, and where they are few, words of the place.
fn dwelt(own: Vec<String>, place: &Place, rng: &mut Rng) -> Vec<String> {
    let mut words = own;
    let mut more: Vec<&str> = place.words.to_vec();
    rng.shuffle(&mut more);
    for word in more {
        if words.len() < DWELT && !words.iter().any(|own| own == word) {
            words.push(word.to_owned());
        }
    }
    words
}

/// One thought for each of the words behind the first three, no thought twice.
fn reflections(rng: &mut Rng, words: &[String]) -> Vec<String> {
    let mut thoughts: Vec<&str> = REFLECTIONS.to_vec();
    rng.shuffle(&mut thoughts);
    let later = words.iter().skip(3);
    later.zip(thoughts).map(|(word, thought)| fill(thought, std::slice::from_ref(word))).collect()
}

fn pick<'pool>(rng: &mut Rng, pool: &'pool [&'pool str]) -> &'pool str {
    pool[rng.usize(..pool.len())]
}

/// Puts words in the places of `{1}`, `{2}`, `{3}`.
fn fill(template: &str, words: &[String]) -> String {
    words.iter().enumerate().fold(template.to_owned(), |text, (index, word)| {
        text.replace(&format!("{{{}}}", index + 1), word)
    })
}

/// Words that will be heard: marks are not.
fn spoken_words(text: &str) -> usize {
    let speech = text.split('[').filter_map(|part| part.rsplit(']').next());
    speech.map(|part| part.unicode_words().count()).sum()
}

#[cfg(test)]
mod tests;
