//! Words as they are written go in; checked passages, spoken or silent, come out as soon as each
//! is whole.
//!
//! The grammar that is asked for: plain text; an empty line ends a paragraph; `[pause]` is 2 s of
//! silence, `[pause 3s]`, `[pause 1.5 s]`, `[pause: 500ms]` say how long. Adjacent pauses add up, to
//! 30 s at most. What models write besides is understood or dropped, never spoken, and nothing is
//! refused that can be mended: `pause` says what is a pause, `mark` what is never spoken, `plain`
//! what is left of a line, `habits` what stands around a draft, `passage` what is said in one go.
//!
//! The offline writer and a paid one pass the same check, and each passage is checked before
//! anybody pays for speaking it. How a text was cut while it came decides nothing.

mod fault;
mod habits;
mod length;
mod mark;
mod passage;
mod pause;
mod phrase;
mod plain;

use std::time::Duration;

use self::mark::Border;
use self::plain::Piece;
use crate::pace;

pub use self::fault::ScriptFault;
pub use self::length::ScriptLength;
pub(crate) use self::passage::first_apart;
pub use self::passage::{MAX_PASSAGE, Passage};
pub(crate) use self::phrase::{ends_sentence, may_end_sentence, phrases};

/// Longest mark, in characters; a bracket that stays open longer encloses no mark.
const MAX_MARK: usize = 300;
/// The gap between paragraphs where no pause is asked for.
const PARAGRAPH_GAP: Duration = Duration::from_millis(900);
/// The gap between the halves of a paragraph that is longer than a passage may be.
pub(crate) const SENTENCE_GAP: Duration = Duration::from_millis(450);

/// A transcript under construction: what is said stays, what is unread can still be dropped.
pub struct Script {
    length: ScriptLength,
    said: String,
    unread: String,
    tally: Tally,
    /// Nothing of this draft was spoken yet: what stands here may introduce it.
    is_opening: bool,
}

/// What was said so far, in numbers.
#[derive(Clone, Copy, Default)]
struct Tally {
    /// Silence asked for, and not yet handed on.
    pause: Duration,
    /// Silence for want of a pause.
    gap: Duration,
    /// Silence that may still be handed on.
    silence_left: Duration,
    /// Most words.
    most: usize,
    /// Words, or what takes as long in other scripts.
    words: f64,
}

/// What came of a text that may be said.
struct Spoken {
    /// Bytes at its beginning that are not said.
    introduction: usize,
    tally: Tally,
    passages: Vec<Passage>,
}

impl Default for Script {
    fn default() -> Self {
        Self::of(ScriptLength::default())
    }
}

impl Script {
    /// An empty transcript of an ordinary length.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty transcript that shall be so long.
    pub fn of(length: ScriptLength) -> Self {
        let tally =
            Tally { silence_left: length.silence, most: *length.words.end(), ..Tally::default() };
        Self { length, said: String::new(), unread: String::new(), tally, is_opening: true }
    }

    /// Says `text` again, which was said before; returns its passages too. What is left behind the
    /// last border is dropped.
    pub fn resume(text: &str, length: ScriptLength) -> Result<(Self, Vec<Passage>), ScriptFault> {
        let (mut script, mut passages) = (Self::of(length), Vec::new());
        script.push(text);
        while let Some(said) = script.step()? {
            passages.extend(said);
        }
        script.trim();
        Ok((script, passages))
    }

    /// All passages of a transcript that was whole before.
    pub fn read(text: &str, length: ScriptLength) -> Result<Vec<Passage>, ScriptFault> {
        let (script, mut passages) = Self::resume(text, length)?;
        passages.extend(script.finish()?);
        Ok(passages)
    }

    /// Words said so far; in scripts that do not count by words, what takes as long.
    pub fn words(&self) -> usize {
        whole(self.tally.words)
    }

    /// The text behind all passages handed on, word for word; ends at a border.
    pub fn said(&self) -> &str {
        &self.said
    }

    /// Takes the next piece of text, cut anywhere.
    pub fn push(&mut self, text: &str) {
        let is_text = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
        self.unread.extend(text.chars().filter(is_text));
    }

    /// The passages up to the next border; none while the unread text has no border. An error
    /// changes nothing: the text that it is about is still unread.
    pub fn step(&mut self) -> Result<Option<Vec<Passage>>, ScriptFault> {
        let border = mark::border(&self.unread)?;
        border.map(|border| self.take(border)).transpose()
    }

    /// Takes the unread text as the last paragraph of a draft. What is too much of it stays unread.
    pub fn close(&mut self) -> Result<Vec<Passage>, ScriptFault> {
        if self.unread.trim().is_empty() {
            self.trim();
            return Ok(Vec::new());
        }
        self.unread.push_str("\n\n");
        let mut passages = self.step()?.unwrap_or_default();
        // A mark that was left open may have parted the rest.
        while let Ok(Some(more)) = self.step() {
            passages.extend(more);
        }
        Ok(passages)
    }

    /// Whether text was pushed that is not said.
    pub fn has_unread(&self) -> bool {
        !self.unread.trim().is_empty()
    }

    /// Drops the text that is not said yet. What comes next is another draft, which may be
    /// introduced like the first.
    pub fn trim(&mut self) {
        self.unread.clear();
        self.is_opening = true;
    }

    /// Ends the transcript with the pause that it may end with.
    pub fn finish(mut self) -> Result<Vec<Passage>, ScriptFault> {
        if self.words() < *self.length.words.start() {
            return Err(ScriptFault::TooShort(self.words()));
        }
        self.tally.gap = Duration::ZERO;
        let mut passages = Vec::new();
        self.tally.rest(&mut passages);
        Ok(passages)
    }

    /// Says the text before `border`, and remembers the silence that the border asks for. Of a
    /// paragraph that is too much, where too little is said without it, as much as may be.
    fn take(&mut self, border: Border) -> Result<Vec<Passage>, ScriptFault> {
        if self.repeats(border.at) {
            self.unread.drain(..border.end);
            return Ok(Vec::new());
        }
        match self.speak(&self.unread[..border.at]) {
            Ok(spoken) => Ok(self.keep(border, spoken)),
            Err(ScriptFault::TooLong) if self.words() < *self.length.words.start() => {
                let (at, spoken) = self.shortened(border.at).ok_or(ScriptFault::TooLong)?;
                self.unread.insert_str(at, "\n\n");
                Ok(self.keep(Border { at, end: at + 2, pause: None }, spoken))
            }
            Err(fault) => Err(fault),
        }
    }

    /// Whether the unread text before `end` was said before, word for word: who writes in parts forgets
    /// at times what the last one held. A short one may be a refrain.
    fn repeats(&self, end: usize) -> bool {
        const REFRAIN: usize = 8;
        let text = self.unread[..end].trim();
        self.length.parts() > 1 && whole(pace::words(text)) >= REFRAIN && self.said.contains(text)
    }

    /// What comes of `text` when it is said now.
    fn speak(&self, text: &str) -> Result<Spoken, ScriptFault> {
        let introduction = self.introduction(text)?;
        let is_begun = !self.said.is_empty() && !self.said.ends_with('\n');
        let mut tally = self.tally;
        let passages = tally.speak(&text[introduction..], is_begun)?;
        Ok(Spoken { introduction, tally, passages })
    }

    /// The longest beginning of the unread text before `end` that is not too much, and enough; up to
    /// a sentence's end if there is such a one.
    fn shortened(&self, end: usize) -> Option<(usize, Spoken)> {
        let text = &self.unread[..end];
        let speak = |at: usize| self.speak(&text[..at]).ok();
        passage::beginnings(text).find_map(|ends| {
            let fitting = ends.partition_point(|at| speak(*at).is_some());
            let at = *ends[..fitting].last()?;
            // Read again, it must part where it is parted now.
            let alike = Border { at, end: at + 2, pause: None };
            let again = mark::border(&format!("{}\n\n", &text[..at]));
            let is_enough =
                |spoken: &Spoken| whole(spoken.tally.words) >= *self.length.words.start();
            let spoken = speak(at).filter(is_enough)?;
            (again == Ok(Some(alike))).then_some((at, spoken))
        })
    }

    fn keep(&mut self, border: Border, spoken: Spoken) -> Vec<Passage> {
        let Spoken { introduction, tally, passages } = spoken;
        self.tally = tally;
        // A paragraph that only introduces leaves no trace, so that nobody introduces it again.
        let is_gone = introduction > 0 && introduction == border.at && border.pause.is_none();
        if !is_gone {
            self.tally.note(border.pause);
        }
        self.is_opening &= passages.is_empty();
        self.unread.drain(..if is_gone { border.end } else { introduction });
        if !is_gone {
            self.said.extend(self.unread.drain(..border.end - introduction));
        }
        passages
    }

    /// Bytes of `text` that only introduce the draft.
    fn introduction(&self, text: &str) -> Result<usize, ScriptFault> {
        if !self.is_opening {
            return Ok(0);
        }
        // Until nothing is left to drop: what is said must be read alike when it is read again.
        let mut bytes = 0;
        loop {
            match habits::introduction(&text[bytes..], self.said.is_empty()) {
                0 if habits::refuses(&text[bytes..]) => return Err(ScriptFault::Refusal),
                0 => return Ok(bytes),
                more => bytes += more,
            }
        }
    }
}

impl Tally {
    fn note(&mut self, pause: Option<Duration>) {
        match pause {
            Some(length) => self.pause += length,
            None => self.gap = PARAGRAPH_GAP,
        }
    }

    /// Emits the silence remembered: the pauses asked for, as far as there is silence left, or else
    /// the gap. There is no gap before the first word.
    fn rest(&mut self, passages: &mut Vec<Passage>) {
        let gap = std::mem::take(&mut self.gap);
        let gap = if self.words > 0.0 { gap } else { Duration::ZERO };
        let pause = std::mem::take(&mut self.pause).min(pause::MAX_PAUSE);
        let least = gap.max(SENTENCE_GAP).min(pause);
        let rest = if pause.is_zero() { gap } else { pause.min(self.silence_left).max(least) };
        self.silence_left = self.silence_left.saturating_sub(rest);
        if !rest.is_zero() {
            passages.push(Passage::Pause(rest));
        }
    }

    fn speak(&mut self, text: &str, is_begun: bool) -> Result<Vec<Passage>, ScriptFault> {
        let mut passages = Vec::new();
        for piece in plain::pieces(text, is_begun)? {
            match piece {
                Piece::Pause(length) => self.pause += length,
                Piece::Words(words) => self.say(&words, &mut passages)?,
            }
        }
        Ok(passages)
    }

    fn say(&mut self, text: &str, passages: &mut Vec<Passage>) -> Result<(), ScriptFault> {
        if !text.contains(char::is_alphanumeric) {
            return Ok(());
        }
        let words = self.words + pace::words(text);
        if whole(words) > self.most {
            return Err(ScriptFault::TooLong);
        }
        for part in passage::split(text) {
            self.rest(passages);
            passages.push(Passage::Speech(part));
            self.words = words;
            self.gap = SENTENCE_GAP;
        }
        self.gap = Duration::ZERO;
        Ok(())
    }
}

/// Words are counted when they are whole.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some hundreds, never negative"
)]
fn whole(words: f64) -> usize {
    words as usize
}

#[cfg(test)]
mod tests;
