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

/// A transcript under construction.
#[derive(Default)]
pub struct Script {
    unread: String,
    pause: Duration,
    gap: Duration,
    silence: Duration,
    words: usize,
}

/// Where the unread text can be split.
enum Border {
    Paragraph,
    Mark,
}

impl Script {
    /// An empty transcript.
    pub fn new() -> Self {
        Self::default()
    }

    /// Words seen so far.
    pub fn words(&self) -> usize {
        self.words
    }

    /// Takes the next piece of text, cut anywhere; returns the passages that are whole by now.
    pub fn push(&mut self, text: &str) -> Result<Vec<Passage>, ScriptFault> {
        self.unread.push_str(&text.replace('\r', ""));
        let mut passages = Vec::new();
        while let Some((at, border)) = self.border() {
            let (before, rest) = self.unread.split_at(at);
            let (before, rest) = (before.to_owned(), rest.to_owned());
            let length = match border {
                Border::Paragraph => 2,
                Border::Mark => match rest.find(']') {
                    Some(end) => end + 1,
                    None if rest.len() > MAX_MARK => return Err(ScriptFault::Mark),
                    None => break,
                },
            };
            self.speak(&before, &mut passages)?;
            self.note(&rest[..length], &border)?;
            rest[length..].clone_into(&mut self.unread);
        }
        Ok(passages)
    }

    /// Ends the transcript; returns the last passages.
    pub fn finish(mut self) -> Result<Vec<Passage>, ScriptFault> {
        let rest = std::mem::take(&mut self.unread);
        if rest.contains('[') {
            return Err(ScriptFault::Mark);
        }
        let mut passages = Vec::new();
        self.speak(&rest, &mut passages)?;
        self.gap = Duration::ZERO;
        self.rest(&mut passages)?;
        if self.words < *WORDS.start() {
            return Err(ScriptFault::TooShort(self.words));
        }
        Ok(passages)
    }

    fn border(&self) -> Option<(usize, Border)> {
        let paragraph = self.unread.find("\n\n").map(|at| (at, Border::Paragraph));
        let mark = self.unread.find('[').map(|at| (at, Border::Mark));
        [paragraph, mark].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Remembers the silence that a border asks for.
    fn note(&mut self, mark: &str, border: &Border) -> Result<(), ScriptFault> {
        match border {
            Border::Paragraph => self.gap = PARAGRAPH_GAP,
            Border::Mark => self.pause += pause(mark).ok_or(ScriptFault::Mark)?,
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

    fn speak(&mut self, text: &str, passages: &mut Vec<Passage>) -> Result<(), ScriptFault> {
        let text = tidy(text)?;
        if !text.contains(char::is_alphanumeric) {
            return Ok(());
        }
        self.words += text.unicode_words().count();
        if self.words > *WORDS.end() {
            return Err(ScriptFault::TooLong);
        }
        for part in parts(&text)? {
            self.rest(passages)?;
            passages.push(Passage::Speech(part));
            self.gap = SENTENCE_GAP;
        }
        self.gap = Duration::ZERO;
        Ok(())
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
