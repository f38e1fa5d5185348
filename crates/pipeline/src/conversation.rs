//! A conversation as a database holds it goes in; the text that a meditation is made of comes out.

use std::fmt;

use stillcast_enqueue::{has_visible, readable};

use crate::source_text::{MAX_CHARACTERS, SourceText, clip};

/// What is known of a conversation. Holds at least what fits the text's cap; the rest may have been
/// left where it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Conversation {
    /// Its title; may be empty.
    pub title: String,
    /// What was said, the latest first.
    pub messages: Vec<Excerpt>,
    /// What it refers to, the most important first.
    pub sources: Vec<Excerpt>,
    /// Rows that held no text where one was expected, and were skipped.
    pub empty_rows: usize,
}

/// A message or a source, perhaps not to its end.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// Who said it, or what it is called; may be empty.
    pub label: String,
    /// Its text, from its beginning on.
    pub text: String,
    /// How many characters it has as a whole.
    pub characters: usize,
}

/// Private text never reaches a log, not even through `{:?}`.
impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Conversation({} messages, {} sources)", self.messages.len(), self.sources.len())
    }
}

impl Conversation {
    /// The latest of what was said, in the order in which it was said, then of the sources what
    /// still fits; at most 2,000 characters that can be read. `None` when there is no text at all.
    pub fn text(&self) -> Option<SourceText> {
        let mut page = Page::default();
        page.open(&self.title);
        let mut said: Vec<String> =
            self.messages.iter().filter_map(|message| page.take(message, ": ")).collect();
        said.reverse();
        let sources: Vec<String> =
            self.sources.iter().filter_map(|source| page.take(source, "\n")).collect();
        let title = (!page.title.is_empty()).then(|| page.title.clone());
        let parts: Vec<String> = title.into_iter().chain(said).chain(sources).collect();
        let (cut, dropped) = (page.cut, page.dropped);
        (page.is_told).then(|| SourceText { text: parts.join(GAP), cut, dropped })
    }
}

/// Most characters of a title: it shall not crowd out what was said.
const MAX_TITLE: usize = 200;
/// What stands between two parts.
const GAP: &str = "\n\n";

/// A text under construction: what still fits, and what did not.
struct Page {
    left: usize,
    cut: usize,
    dropped: usize,
    title: String,
    is_told: bool,
}

impl Default for Page {
    fn default() -> Self {
        Self { left: MAX_CHARACTERS, cut: 0, dropped: 0, title: String::new(), is_told: false }
    }
}

impl Page {
    fn open(&mut self, title: &str) {
        let title = self.readable(title);
        let (title, cut) = clip(&title, MAX_TITLE);
        title.clone_into(&mut self.title);
        self.left -= title.chars().count();
        self.cut += cut;
    }

    /// What can be read of `text`; nothing where nothing is to be seen.
    fn readable(&mut self, text: &str) -> String {
        let read = readable(text);
        self.dropped += read.dropped;
        if has_visible(&read.text) { read.text.trim().to_owned() } else { String::new() }
    }

    /// As much of `excerpt` as fits; `None` when that is nothing.
    fn take(&mut self, excerpt: &Excerpt, between: &str) -> Option<String> {
        let text = self.readable(&excerpt.text);
        if text.is_empty() {
            return None;
        }
        let label = self.readable(&excerpt.label);
        let head = if label.is_empty() { String::new() } else { format!("{label}{between}") };
        let overhead = head.chars().count() + GAP.len();
        let (kept, cut) = clip(&text, self.left.saturating_sub(overhead));
        let unread = excerpt.characters.saturating_sub(excerpt.text.chars().count());
        self.cut += cut + unread;
        if kept.is_empty() {
            // A later, shorter one must not slip in: the text would have a hole.
            self.left = 0;
            return None;
        }
        self.is_told = true;
        let rest = self.left - overhead - kept.chars().count();
        self.left = if cut + unread > 0 { 0 } else { rest };
        Some(format!("{head}{kept}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(label: &str, text: &str) -> Excerpt {
        let characters = text.chars().count();
        Excerpt { label: label.to_owned(), text: text.to_owned(), characters }
    }

    #[test]
    fn the_latest_messages_are_told_in_their_order_and_then_the_sources() {
        let conversation = Conversation {
            title: "By the sea".to_owned(),
            messages: vec![excerpt("assistant", "Rest."), excerpt("user", "I am tired.")],
            sources: vec![excerpt("Tides", "They come and go.")],
            empty_rows: 0,
        };
        let text = conversation.text().unwrap();
        let whole =
            "By the sea\n\nuser: I am tired.\n\nassistant: Rest.\n\nTides\nThey come and go.";
        assert_eq!((text.text.as_str(), text.cut), (whole, 0));
    }

    #[test]
    fn what_is_older_than_the_cap_is_cut_and_noted() {
        let long = "x".repeat(900);
        let messages = vec![excerpt("", &long), excerpt("", &long), excerpt("", &long)];
        let sources = vec![excerpt("", "short")];
        let conversation = Conversation { messages, sources, ..Conversation::default() };
        let text = conversation.text().unwrap();
        assert!(text.text.chars().count() <= MAX_CHARACTERS, "{}", text.text.len());
        assert_eq!(text.text.matches('x').count(), 1_994, "three gaps were kept free");
        assert_eq!(text.cut, 2_700 - 1_994 + 5);
        assert!(!text.text.contains("short"), "nothing slips past what was cut");
    }

    #[test]
    fn a_family_is_never_torn_apart() {
        let family = "👨‍👩‍👧‍👦"; // one grapheme of seven characters
        let conversation = Conversation {
            messages: vec![excerpt("", &family.repeat(400))],
            ..Conversation::default()
        };
        let text = conversation.text().unwrap();
        assert_eq!(text.text.chars().count() % 7, 0);
        assert_eq!(text.text.chars().count() + text.cut, 2_800);
    }

    #[test]
    fn what_was_not_even_read_counts_as_cut() {
        let mut message = excerpt("", "begin");
        message.characters = 1_000_000;
        let conversation = Conversation { messages: vec![message], ..Conversation::default() };
        assert_eq!(conversation.text().unwrap().cut, 999_995);
    }

    #[test]
    fn a_title_alone_is_nothing_to_speak_of() {
        let conversation = Conversation { title: "Empty".to_owned(), ..Conversation::default() };
        assert_eq!(conversation.text(), None);
        let blank = Conversation { messages: vec![excerpt("user", " \n")], ..conversation };
        assert_eq!(blank.text(), None);
    }

    #[test]
    fn what_nobody_can_read_is_dropped_from_every_part() {
        let conversation = Conversation {
            title: "By\u{200b} the sea".to_owned(),
            messages: vec![
                excerpt("user\u{202e}", "I am\0 tired."),
                excerpt("x", "\u{feff}\u{3164}"),
            ],
            sources: vec![excerpt("Tides", "\u{1b}[1mThey\u{1b}[0m go.")],
            empty_rows: 0,
        };
        let text = conversation.text().unwrap();
        assert_eq!(text.text, "By the sea\n\nuser: I am tired.\n\nTides\nThey go.");
        assert_eq!((text.cut, text.dropped), (0, 13));
    }

    #[test]
    fn debug_output_holds_no_text() {
        let messages = vec![excerpt("user", "my secret")];
        let conversation = Conversation { messages, ..Conversation::default() };
        assert_eq!(format!("{conversation:?}"), "Conversation(1 messages, 0 sources)");
    }
}
