//! Words as they are written go in; checked passages, spoken or silent, come out as soon as each
//! is whole.
//!
//! The grammar: plain text; an empty line ends a paragraph; `[pause]` is 2 s of silence,
//! `[pause 3s]`, `[pause 1.5 s]`, `[pause: 500ms]` say how long. Adjacent pauses add up, to 30 s at
//! most. The offline writer and a paid one pass the same check, and each passage is checked before
//! anybody pays for speaking it.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use unicode_segmentation::UnicodeSegmentation;

/// Words of a whole transcript: three to four minutes of calm speech.
pub const WORDS: RangeInclusive<usize> = 400..=500;
/// Most characters of one passage, so that a voice neither drifts nor is cut short.
pub const MAX_PASSAGE: usize = 400;

/// A `[pause]` without a length.
const PAUSE: Duration = Duration::from_secs(2);
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// Most silence of a whole transcript.
const MAX_SILENCE: Duration = Duration::from_mins(5);
/// The gap between paragraphs where no pause is asked for.
const PARAGRAPH_GAP: Duration = Duration::from_millis(900);
/// The gap between the halves of a paragraph that is longer than a passage may be.
const SENTENCE_GAP: Duration = Duration::from_millis(450);
/// Longest mark, in bytes; a bracket that stays open longer is not a mark.
const MAX_MARK: usize = 24;

/// A part of the sound.
#[derive(Clone, PartialEq, Eq)]
pub enum Passage {
    /// Plain text to speak, at most [`MAX_PASSAGE`] characters.
    Speech(String),
    /// Exact silence.
    Pause(Duration),
}

/// Private text never reaches a log, not even through `{:?}`.
impl fmt::Debug for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Speech(text) => write!(f, "Speech({} bytes)", text.len()),
            Self::Pause(length) => write!(f, "Pause({length:?})"),
        }
    }
}

/// What is wrong with a transcript; never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptFault {
    /// Fewer words than [`WORDS`].
    #[error("the transcript has {0} words, too few for {WORDS:?}")]
    TooShort(usize),
    /// More words than [`WORDS`].
    #[error("the transcript has more words than {WORDS:?} allows")]
    TooLong,
    /// A sentence longer than a passage.
    #[error("a sentence of {0} characters is longer than the {MAX_PASSAGE} of a passage")]
    LongSentence(usize),
    /// A bracket that is not a pause.
    #[error("a bracket in the transcript is not a pause such as [pause 3s]")]
    Mark,
    /// Mark-up, a link or a control character.
    #[error("the transcript holds {0:?}, which is not plain text")]
    NotPlain(char),
    /// A link.
    #[error("the transcript holds a link")]
    Link,
    /// More than 300 s of pauses.
    #[error("the transcript's pauses are longer than {MAX_SILENCE:?} together")]
    TooSilent,
}

impl ScriptFault {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooShort(_) => "transcript-too-short",
            Self::TooLong => "transcript-too-long",
            Self::LongSentence(_) => "transcript-long-sentence",
            Self::Mark => "transcript-bad-pause",
            Self::NotPlain(_) | Self::Link => "transcript-not-plain",
            Self::TooSilent => "transcript-too-silent",
        }
    }
}

/// A transcript under construction: what is said stays, what is unread can still be dropped.
#[derive(Default)]
pub struct Script {
    said: String,
    unread: String,
    tally: Tally,
}

/// What was said so far, in numbers.
#[derive(Clone, Copy, Default)]
struct Tally {
    /// Silence asked for, and not yet handed on.
    pause: Duration,
    /// Silence for want of a pause.
    gap: Duration,
    /// All silence handed on.
    silence: Duration,
    words: usize,
}

impl Script {
    /// An empty transcript.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says `text` again, which was said before; returns its passages too. What is left behind the
    /// last border is dropped.
    pub fn resume(text: &str) -> Result<(Self, Vec<Passage>), ScriptFault> {
        let (mut script, mut passages) = (Self::new(), Vec::new());
        script.push(text);
        while let Some(said) = script.step()? {
            passages.extend(said);
        }
        script.trim();
        Ok((script, passages))
    }

    /// All passages of a transcript that was whole before.
    pub fn read(text: &str) -> Result<Vec<Passage>, ScriptFault> {
        let (script, mut passages) = Self::resume(text)?;
        passages.extend(script.finish()?);
        Ok(passages)
    }

    /// Words said so far.
    pub fn words(&self) -> usize {
        self.tally.words
    }

    /// The text behind all passages handed on, word for word; ends at a border.
    pub fn said(&self) -> &str {
        &self.said
    }

    /// Takes the next piece of text, cut anywhere.
    pub fn push(&mut self, text: &str) {
        self.unread.extend(text.chars().filter(|c| *c != '\r'));
    }

    /// The passages up to the next border; none while the unread text has no border. An error
    /// changes nothing: the text that it is about is still unread.
    pub fn step(&mut self) -> Result<Option<Vec<Passage>>, ScriptFault> {
        let border = self.border()?;
        border.map(|(at, end)| self.take(at, end)).transpose()
    }

    /// Takes the unread text as the last paragraph of a draft.
    pub fn close(&mut self) -> Result<Vec<Passage>, ScriptFault> {
        if self.unread.contains('[') {
            return Err(ScriptFault::Mark);
        }
        if self.unread.trim().is_empty() {
            self.trim();
            return Ok(Vec::new());
        }
        let before = self.unread.len();
        self.unread.push_str("\n\n");
        self.take(before, before + 2)
    }

    /// Drops the text that is not said yet.
    pub fn trim(&mut self) {
        self.unread.clear();
    }

    /// Ends the transcript with the pause that it may end with.
    pub fn finish(mut self) -> Result<Vec<Passage>, ScriptFault> {
        if self.words() < *WORDS.start() {
            return Err(ScriptFault::TooShort(self.words()));
        }
        self.tally.gap = Duration::ZERO;
        let mut passages = Vec::new();
        self.tally.rest(&mut passages)?;
        Ok(passages)
    }

    /// Where the first border begins and ends: an empty line, or a whole mark.
    fn border(&self) -> Result<Option<(usize, usize)>, ScriptFault> {
        let paragraph = self.unread.find("\n\n").map(|at| (at, at + 2));
        let Some(at) = self.unread.find('[') else { return Ok(paragraph) };
        if paragraph.is_some_and(|(border, _)| border < at) {
            return Ok(paragraph);
        }
        match self.unread[at..].find(']') {
            Some(length) => Ok(Some((at, at + length + 1))),
            None if self.unread.len() - at > MAX_MARK => Err(ScriptFault::Mark),
            None => Ok(None),
        }
    }

    /// Says the text before `at`, and remembers the silence that the border up to `end` asks for.
    fn take(&mut self, at: usize, end: usize) -> Result<Vec<Passage>, ScriptFault> {
        let mut tally = self.tally;
        let passages = tally.speak(&self.unread[..at])?;
        tally.note(&self.unread[at..end])?;
        self.tally = tally;
        self.said.extend(self.unread.drain(..end));
        Ok(passages)
    }
}

impl Tally {
    fn note(&mut self, border: &str) -> Result<(), ScriptFault> {
        if border.starts_with('[') {
            self.pause += pause(border).ok_or(ScriptFault::Mark)?;
        } else {
            self.gap = PARAGRAPH_GAP;
        }
        Ok(())
    }

    /// Emits the silence remembered: the pauses asked for, or else the gap.
    fn rest(&mut self, passages: &mut Vec<Passage>) -> Result<(), ScriptFault> {
        let gap = std::mem::take(&mut self.gap);
        let pause = std::mem::take(&mut self.pause).min(MAX_PAUSE);
        let rest = if pause.is_zero() { gap } else { pause };
        self.silence += rest;
        if self.silence > MAX_SILENCE {
            return Err(ScriptFault::TooSilent);
        }
        if !rest.is_zero() {
            passages.push(Passage::Pause(rest));
        }
        Ok(())
    }

    fn speak(&mut self, text: &str) -> Result<Vec<Passage>, ScriptFault> {
        let mut passages = Vec::new();
        let text = tidy(text)?;
        if !text.contains(char::is_alphanumeric) {
            return Ok(passages);
        }
        self.words += text.unicode_words().count();
        if self.words > *WORDS.end() {
            return Err(ScriptFault::TooLong);
        }
        for part in parts(&text)? {
            self.rest(&mut passages)?;
            passages.push(Passage::Speech(part));
            self.gap = SENTENCE_GAP;
        }
        self.gap = Duration::ZERO;
        Ok(passages)
    }
}

/// The length that `[pause …]` asks for.
fn pause(mark: &str) -> Option<Duration> {
    let inner = mark.strip_prefix('[')?.strip_suffix(']')?.trim().to_ascii_lowercase();
    let length = inner.strip_prefix("pause")?.trim_start_matches([' ', ':']);
    if length.is_empty() {
        return Some(PAUSE);
    }
    let unit = length.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(length.len());
    let (number, unit) = length.split_at(unit);
    let number: f64 = number.trim().parse().ok()?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "" | "s" | "sec" | "second" | "seconds" => number,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds.min(MAX_PAUSE.as_secs_f64())).ok()
}

/// Drops emphasis and pictograms, which nobody should hear, joins lines, refuses other mark-up.
fn tidy(text: &str) -> Result<String, ScriptFault> {
    let kept: String = text.chars().filter(|c| !is_ornament(*c)).collect();
    let joined = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    let foreign = |c: &char| c.is_control() || "[]{}<>|\\^=~".contains(*c);
    if let Some(found) = joined.chars().find(foreign) {
        return Err(ScriptFault::NotPlain(found));
    }
    if joined.contains("://") || joined.contains("www.") {
        return Err(ScriptFault::Link);
    }
    Ok(joined)
}

fn is_ornament(c: char) -> bool {
    "*_`#".contains(c)
        || matches!(c, '\u{2600}'..='\u{27bf}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

/// Splits at sentences into as few parts of at most [`MAX_PASSAGE`] characters as possible.
fn parts(text: &str) -> Result<Vec<String>, ScriptFault> {
    let mut parts: Vec<String> = Vec::new();
    for sentence in text.split_sentence_bounds() {
        let length = sentence.trim().chars().count();
        if length > MAX_PASSAGE {
            return Err(ScriptFault::LongSentence(length));
        }
        match parts.last_mut() {
            Some(part) if part.chars().count() + length <= MAX_PASSAGE => part.push_str(sentence),
            _ => parts.push(sentence.to_owned()),
        }
    }
    Ok(parts.into_iter().map(|part| part.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests;
