//! Words as a model writes them go in, cut anywhere; those that are meant to be heard come out, and
//! its thoughts do not.
//!
//! Thoughts stand between marks such as `<think>` and `</think>`. Some servers give the first mark to
//! the model themselves and never send it: then a thought looks like words until its end. So words
//! are held back as long as they may turn out to be one.

mod mark;

use mark::{Found, find};

/// How much of the first draft of a server is held back: a thought has given itself away by then.
const BEGINNING: usize = 400;
/// What thoughts say, and meditations do not.
const GIVEAWAYS: [&str; 16] = [
    "the user",
    "user wants",
    "let me ",
    "let's ",
    "i need to ",
    "i should ",
    "i have to ",
    "i'll ",
    "we need to ",
    "we should ",
    "okay, ",
    "ok, ",
    "alright, ",
    "用户",
    "我需要",
    "我应该",
];

/// What comes of the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// To be heard.
    Text(String),
    /// All before was a thought.
    Retract,
}

/// Which words wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Hold {
    /// Those of the beginning: nobody knows how this server thinks.
    #[default]
    Beginning,
    /// All of them, until a thought or the draft has ended.
    All,
    /// None: this server marks its thoughts, sets them apart, or has none.
    Nothing,
}

/// What a whole draft says about how its server thinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    /// Thoughts begin unmarked.
    Unmarked,
    /// Thoughts are marked, or set apart, or there are none.
    Plain,
}

/// The words of one draft.
#[derive(Debug, Default)]
pub(super) struct ThoughtFilter {
    hold: Hold,
    /// What may be the beginning of a mark.
    unread: String,
    held: String,
    is_thinking: bool,
    /// Blanks that follow a thought belong to it.
    is_behind_thought: bool,
    /// The end of a thought has come behind words that were heard.
    has_come_too_late: bool,
    /// Characters heard, and characters of thoughts.
    heard: usize,
    thought: usize,
    habit: Option<Habit>,
}

impl ThoughtFilter {
    pub(super) fn new(hold: Hold) -> Self {
        Self { hold, ..Self::default() }
    }

    /// Characters of thoughts until now.
    pub(super) fn thought(&self) -> usize {
        self.thought
    }

    /// What the draft says about its server; none where it says nothing.
    pub(super) fn habit(&self) -> Option<Habit> {
        self.habit
    }

    /// The server sets thoughts apart: what it calls words are words.
    pub(super) fn set_apart(&mut self, characters: usize) -> Vec<Heard> {
        self.thought += characters;
        self.habit.get_or_insert(Habit::Plain);
        self.release()
    }

    pub(super) fn push(&mut self, text: &str) -> Vec<Heard> {
        self.unread.push_str(text);
        let mut heard = Vec::new();
        loop {
            let (at, found) = find(&self.unread);
            let words: String = self.unread.drain(..at).collect();
            heard.extend(self.words(&words));
            match found {
                Found::Nothing | Found::Unfinished => return heard,
                Found::Begin(length) => {
                    self.unread.drain(..length);
                    self.is_thinking = true;
                }
                Found::End(length) => {
                    self.unread.drain(..length);
                    self.end_thought();
                }
            }
        }
    }

    /// The rest, at the end of the draft; `is_cut` when it ran into its limit: then what was held
    /// as a thought was one.
    pub(super) fn finish(&mut self, is_cut: bool) -> Vec<Heard> {
        let rest = std::mem::take(&mut self.unread);
        let mut heard = self.words(&rest);
        if is_cut && self.hold == Hold::All {
            self.thought += self.held.chars().count();
            self.held.clear();
        }
        heard.extend(self.release());
        if self.heard > 0 {
            self.habit.get_or_insert(Habit::Plain);
        }
        heard
    }

    fn words(&mut self, text: &str) -> Vec<Heard> {
        if self.is_thinking {
            self.thought += text.chars().count();
            return Vec::new();
        }
        let text = if self.is_behind_thought { text.trim_start() } else { text };
        if text.is_empty() {
            return Vec::new();
        }
        self.is_behind_thought = false;
        let mut heard = Vec::new();
        if std::mem::take(&mut self.has_come_too_late) {
            self.thought += std::mem::take(&mut self.heard);
            self.habit = Some(Habit::Unmarked);
            heard.push(Heard::Retract);
        }
        self.held.push_str(text);
        if self.hold == Hold::Beginning && self.held.chars().count() > BEGINNING {
            let held = self.held.to_lowercase();
            let is_thought = GIVEAWAYS.iter().any(|giveaway| held.contains(giveaway));
            self.hold = if is_thought { Hold::All } else { Hold::Nothing };
        }
        if self.hold == Hold::Nothing {
            heard.extend(self.release());
        }
        heard
    }

    fn end_thought(&mut self) {
        self.is_behind_thought = true;
        if std::mem::take(&mut self.is_thinking) {
            self.habit.get_or_insert(Habit::Plain);
        } else if self.heard > 0 {
            self.has_come_too_late = true;
        } else {
            self.thought += self.held.chars().count();
            self.held.clear();
            self.habit = Some(Habit::Unmarked);
        }
        self.hold = Hold::Nothing;
    }

    /// Lets the held words be heard, and all that follow.
    fn release(&mut self) -> Vec<Heard> {
        self.hold = Hold::Nothing;
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return Vec::new();
        }
        self.heard += held.chars().count();
        vec![Heard::Text(held)]
    }
}

#[cfg(test)]
mod tests;
