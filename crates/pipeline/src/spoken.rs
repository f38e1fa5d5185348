//! A passage as it is written goes in; as it is said comes out. Captions and the transcript keep what is
//! written.
//!
//! A lexicon comes first, word by word. Around its words numbers, times, dates and abbreviations are read
//! as people read them, in English and German; a text in another language passes as it is. What no rule
//! knows is left to the voice.

mod english;
mod form;
mod german;
mod lexicon;
mod number;
mod saying;
mod token;
mod tongue;

use std::collections::BTreeMap;
use std::fmt;

use stillcast_enqueue::{Lexicon, Options};

use self::lexicon::Index;
use self::tongue::Tongue;
use crate::cache_key::digest_of;
use crate::pace;

/// Changes with whatever is made of a text here.
const REVISION: &str = "spoken-1";
/// Stands for all tenants that have no lexicon of their own, and below those of the others.
const ALL_TENANTS: &str = "*";

/// How words are said on this worker.
#[derive(Clone, Debug, Default)]
pub struct Pronunciation {
    /// By tenant; `*` is for all of them, below their own.
    pub lexicons: BTreeMap<String, Lexicon>,
    /// How the voice is told a word's sounds; unset where it knows none.
    pub ipa: Option<IpaForm>,
}

/// How a voice is told the sounds of a word: a text in which `{ipa}` stands for them, and `{word}` for the
/// word as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpaForm(String);

impl IpaForm {
    /// Reads such a text; an error says what it should be.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains("{ipa}") {
            Ok(Self(text.to_owned()))
        } else {
            Err("is a text that holds {ipa}, such as [{word}](/{ipa}/)".to_owned())
        }
    }

    fn of(&self, word: &str, ipa: &str) -> String {
        self.0.replace("{word}", word).replace("{ipa}", ipa)
    }
}

/// How the words of one job are said.
pub(crate) struct Reading {
    index: Index,
    ipa: Option<IpaForm>,
    language: Option<String>,
    digest: String,
}

/// What a voice is told.
#[derive(PartialEq, Eq)]
pub(crate) struct Said {
    /// The text for the voice.
    pub(crate) text: String,
    /// The same for people, by whose length the sound is judged.
    plain: String,
}

impl Said {
    /// How many characters of English take as long to say.
    pub(crate) fn letters(&self) -> f64 {
        pace::letters(&self.plain)
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.plain.push_str(text);
    }
}

/// Private text never reaches a log, not even through `{:?}`.
impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Said({} bytes)", self.text.len())
    }
}

impl Reading {
    /// Of a job of `tenant`: its own words go over the tenant's, and those over the ones for all.
    pub(crate) fn new(pronunciation: &Pronunciation, tenant: &str, options: &Options) -> Self {
        let Pronunciation { lexicons, ipa } = pronunciation;
        let layers = [lexicons.get(ALL_TENANTS), lexicons.get(tenant), Some(&options.lexicon)];
        let words: BTreeMap<&str, &str> =
            layers.into_iter().flatten().flat_map(Lexicon::words).collect();
        let form = ipa.as_ref().map_or("", |form| form.0.as_str());
        let parts = [REVISION, form].into_iter();
        let parts: Vec<&str> =
            parts.chain(words.iter().flat_map(|(word, say)| [*word, *say])).collect();
        Self {
            digest: digest_of(&parts),
            index: Index::new(words),
            ipa: ipa.clone(),
            language: options.language.as_ref().map(ToString::to_string),
        }
    }

    /// Of all that decides how any text is said, but for the language.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    /// What the voice is told instead of `text`.
    pub(crate) fn say(&self, text: &str) -> Said {
        let tongue = Tongue::of(self.language.as_deref(), text);
        let mut said = Said { text: String::new(), plain: String::new() };
        let mut from = 0;
        for found in self.index.find(text) {
            said.push(&read(tongue, &text[from..found.at.start]));
            let word = &text[found.at.clone()];
            match (found.ipa(), &self.ipa) {
                (None, _) => said.push(found.say),
                (Some(_), None) => said.push(word),
                (Some(ipa), Some(form)) => {
                    said.text.push_str(&form.of(word, ipa));
                    said.plain.push_str(word);
                }
            }
            from = found.at.end;
        }
        said.push(&read(tongue, &text[from..]));
        said
    }
}

/// The language of `text`, where its words or its script tell it.
pub(crate) fn prevailing_language(text: &str) -> Option<&'static str> {
    Tongue::of(None, text).map(Tongue::tag).or_else(|| pace::only_language(text))
}

/// Whether a sentence that seems to end behind `before` goes on with `behind`: it ends with what is only cut
/// short, such as "Dr.", or is a date, such as "3. Mai".
pub(crate) fn goes_on(before: &str, behind: &str) -> bool {
    let last = token::tokens(before).pop().filter(token::Token::has_dot);
    let next = token::tokens(behind).into_iter().next();
    let (Some(last), Some(next)) = (last, next) else { return false };
    english::is_title(last.core)
        || german::is_cut_short(last.core)
        || (number::whole(last.core, 2).is_some() && german::month(next.core).is_some())
}

fn read(tongue: Option<Tongue>, text: &str) -> String {
    tongue.map_or_else(|| text.to_owned(), |tongue| tongue.read(text))
}

#[cfg(test)]
mod tests;
