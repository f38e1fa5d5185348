//! The body of a refusal goes in; what it complains about comes out: its codes, the places that it
//! names, and the words of its prose. They are compared with lists of ours and never repeated.

use serde_json::Value;

/// Deepest nesting that is looked at: `error.metadata.raw` is a body within a body.
const MAX_DEPTH: usize = 8;
/// Fields that name a part of the request.
const NAMING: [&str; 6] = ["param", "parameter", "loc", "field", "pointer", "argument"];
/// Fields that say what is wrong. All others may echo the request, such as Pydantic's `input`.
const SAYING: [&str; 15] = [
    "error",
    "errors",
    "message",
    "msg",
    "detail",
    "details",
    "description",
    "error_description",
    "error_message",
    "reason",
    "title",
    "code",
    "type",
    "metadata",
    "raw",
];

/// What a body says, in lower case.
#[derive(Debug, Default)]
pub(super) struct Complaint {
    /// The words of fields that name a part of the request.
    named: Vec<String>,
    /// All words of its prose.
    all: Vec<String>,
    /// Those outside of quotations, in which a text of the job may be repeated.
    own: Vec<String>,
}

impl Complaint {
    /// Reads a body: JSON of whatever shape, or plain text. A page for people says nothing.
    pub(super) fn of_bytes(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(body) => Self::of(&body),
            Err(_) => Self::of_text(std::str::from_utf8(body).unwrap_or_default()),
        }
    }

    /// Reads JSON.
    pub(super) fn of(body: &Value) -> Self {
        let mut read = Self::default();
        read.walk(body, 0);
        read
    }

    fn of_text(text: &str) -> Self {
        let mut read = Self::default();
        if !text.trim_start().starts_with(['<', '{', '[']) {
            read.say(text, MAX_DEPTH);
        }
        read
    }

    fn walk(&mut self, value: &Value, depth: usize) {
        match value {
            _ if depth > MAX_DEPTH => {}
            Value::String(text) => self.say(text, depth),
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, depth + 1)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    if NAMING.contains(&name.as_str()) {
                        self.name(value);
                    } else if SAYING.contains(&name.as_str()) {
                        self.walk(value, depth + 1);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn name(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.named.extend(words(text)),
            Value::Array(items) => items.iter().for_each(|item| self.name(item)),
            _ => {}
        }
    }

    /// Takes prose, or the body of another server that a gateway has put into a string.
    fn say(&mut self, text: &str, depth: usize) {
        if text.trim_start().starts_with('{')
            && let Ok(inner) = serde_json::from_str(text)
        {
            return self.walk(&inner, depth + 1);
        }
        self.all.extend(words(text));
        self.own.extend(words(&without_quotations(text)));
    }

    /// Whether a field of the body names this part of the request.
    pub(super) fn names(&self, word: &str) -> bool {
        self.named.iter().any(|named| named == word)
    }

    /// Whether the prose holds these words, one after another; within quotations too.
    pub(super) fn quotes(&self, phrase: &str) -> bool {
        holds(&self.all, phrase)
    }

    /// Whether the prose holds these words, one after another, outside of quotations.
    pub(super) fn says(&self, phrase: &str) -> bool {
        holds(&self.own, phrase)
    }

    /// Whether one of these is said.
    pub(super) fn says_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.says(phrase))
    }

    /// Whether a `noun` is said to be missing: "model X not found", "unknown model".
    pub(super) fn misses(&self, noun: &str) -> bool {
        /// Most words between the noun and what is said of it: a name, and "was", "with ID".
        const NEAR: usize = 6;
        const BEFORE: [&str; 7] =
            ["unknown", "invalid", "unsupported", "unrecognized", "no such", "missing", "bad"];
        const BEHIND: [&str; 9] = [
            "not found",
            "not exist",
            "doesn t exist",
            "could not be found",
            "is not available",
            "is unknown",
            "is not a valid",
            "not loaded",
            "no longer",
        ];
        let is_before = BEFORE.iter().any(|adjective| self.says(&format!("{adjective} {noun}")));
        let mut places = self.own.iter().enumerate().filter(|(_, word)| *word == noun);
        is_before
            || places.any(|(at, _)| {
                let near = &self.own[at..self.own.len().min(at + NEAR)];
                BEHIND.iter().any(|phrase| holds(near, phrase))
            })
    }
}

fn holds(words: &[String], phrase: &str) -> bool {
    let phrase: Vec<_> = phrase.split(' ').collect();
    words.windows(phrase.len()).any(|window| window == phrase)
}

/// Whole words in lower case. What joins the parts of a name joins here too: `stream` is no word of
/// `stream_options`, and none of `my-stream`.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric() && !"_-/".contains(c))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// `text` without what stands in quotation marks and has more than one word.
fn without_quotations(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'', '`', '“']) {
        let (before, quoted) = rest.split_at(at);
        kept.push_str(before);
        let mark = quoted.chars().next().unwrap_or_default();
        let inner = &quoted[mark.len_utf8()..];
        let is_apostrophe = before.ends_with(char::is_alphanumeric);
        let end = (!is_apostrophe).then(|| closing(inner, mark)).flatten();
        kept.push(' ');
        rest = match end {
            Some(end) if inner[..end].contains(char::is_whitespace) => &inner[end..],
            _ => inner,
        };
    }
    kept + rest
}

/// Where the quotation ends that `mark` has begun: at a mark with no letter behind it.
fn closing(inner: &str, mark: char) -> Option<usize> {
    let mark = if mark == '“' { '”' } else { mark };
    let mut ends = inner.match_indices(mark);
    let is_end = |at: usize| !inner[at + mark.len_utf8()..].starts_with(char::is_alphanumeric);
    ends.find(|(at, _)| is_end(*at)).map(|(at, _)| at + mark.len_utf8())
}
