//! The sound goes in, piece by piece, as it is heard; what is said when comes out, to be read along.
//!
//! A passage begins and ends where its samples do. Of the sentences within one it is looked where the
//! voice rests (`place`), and words within a sentence are spread evenly: no voice of ours tells them.
//! `chapter` finds arriving, body and closing, `text` writes it all for players and people.

mod chapter;
mod clock;
mod line;
mod place;
mod text;
mod title;

use std::fmt;

use bytes::Bytes;

pub use self::chapter::Chapter;
use self::chapter::{Border, chapters};
pub use self::clock::clock;
use self::place::place;
use self::title::titles;
use crate::artifact::Piece;
use crate::script::phrases;
use crate::sound;

/// What is said when. Its content never reaches a log.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Captions {
    cues: Vec<Cue>,
    chapters: Vec<Chapter>,
}

/// A sentence, or a part of a long one, and when it is said, in samples from the beginning.
#[derive(Clone, PartialEq, Eq)]
struct Cue {
    begin: usize,
    end: usize,
    text: String,
}

impl fmt::Debug for Captions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Captions({} cues, {} chapters)", self.cues.len(), self.chapters.len())
    }
}

impl Captions {
    /// One short caption and one chapter, for those who try whether they can write them.
    pub fn sample() -> Self {
        let (begin, end) = (0, sound::RATE as usize / 4);
        let cues = vec![Cue { begin, end, text: "Breathe.".to_owned() }];
        Self { cues, chapters: vec![Chapter { begin, end, title: "Arriving" }] }
    }

    /// Arriving, body and closing; none where the sound is too short for them, or nobody knows what they are
    /// called in its language.
    pub fn chapters(&self) -> &[Chapter] {
        &self.chapters
    }
}

/// Whoever listens while the sound goes by.
#[derive(Default)]
pub(crate) struct Listener {
    /// How many samples have gone by.
    at: usize,
    /// How many of them were silent since the last word.
    silence: usize,
    cues: Vec<Cue>,
    borders: Vec<Border>,
    /// What the job calls its language.
    language: Option<String>,
}

impl Listener {
    /// To words in `language`; in whatever they are in where nobody names it.
    pub(crate) fn new(language: Option<String>) -> Self {
        Self { language, ..Self::default() }
    }

    /// Hears the next piece.
    pub(crate) fn hear(&mut self, piece: &Piece<Bytes>) {
        match piece {
            Piece::Pause(length) => {
                let samples = sound::sample_count(*length);
                self.at += samples;
                self.silence += samples;
            }
            Piece::Speech { text, pcm } => self.hear_speech(text, pcm),
        }
    }

    fn hear_speech(&mut self, text: &str, pcm: &[u8]) {
        if self.silence > 0 {
            let pause = std::mem::take(&mut self.silence);
            self.borders.push(Border { at: self.at, pause });
        }
        let phrases = phrases(text);
        let places = place(&phrases, pcm);
        let cues = phrases.into_iter().zip(places).map(|(text, place)| Cue {
            begin: self.at + place.start,
            end: self.at + place.end,
            text,
        });
        self.cues.extend(cues);
        self.at += pcm.len() / 2;
    }

    /// All that was heard.
    pub(crate) fn finish(self) -> Captions {
        let said: Vec<&str> = self.cues.iter().map(|cue| cue.text.as_str()).collect();
        let titles = titles(self.language.as_deref(), &said.join(" "));
        let chapters = titles.map(|titles| chapters(&self.borders, self.at, titles));
        Captions { cues: self.cues, chapters: chapters.unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests;
