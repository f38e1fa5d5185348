//! What decides how words sound: the keys of whole tracks and of single passages.

use stillcast_enqueue::{Identifier, Options};

use super::STAGE;
use crate::attempt::Attempt;
use crate::cache_key::{CacheKey, CheckpointKind, digest_of};
use crate::spoken::{Reading, Said};
use crate::{Request, Run, SpeechSynthesizer, Utterance};

/// Changes with whatever `tts` and `sound` do to speech, and with what `script` reads in words.
const REVISION: &str = "tts-2";
/// Changes with the layout of a whole sound, which its passages do not share.
const TRACK_REVISION: &str = "track-1";

/// All that decides the speech of a job, besides words and variant.
pub(crate) fn settings(run: &Run) -> String {
    let Run { request, providers, .. } = run;
    let voice = settings_of(&request.options, providers.speaker.as_ref());
    digest_of(&[&voice, reading(run).digest()])
}

/// How the words of this job are said.
pub(super) fn reading(run: &Run) -> Reading {
    let Request { tenant, options, .. } = &run.request;
    Reading::new(&run.pronunciation, tenant, options)
}

pub(super) fn utterance(options: &Options, text: String) -> Utterance {
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
pub(super) fn track_key(attempt: &Attempt<'_>, words: &str) -> CacheKey {
    let reading = reading(attempt.run);
    let opening = attempt.run.request.options.live.then_some("opening");
    let parts = [TRACK_REVISION, words, reading.digest()].into_iter().chain(opening);
    key(attempt, "tts", &digest_of(&parts.collect::<Vec<_>>()))
}

/// One spoken passage, by what the voice is told. It has no flight: whoever speaks the words it is of,
/// speaks it too.
pub(super) fn passage_key(attempt: &Attempt<'_>, said: &Said) -> CacheKey {
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
