//! The bytes of a writer's answer go in, cut anywhere; its words come out, and what it says about
//! them. No I/O.

use pipeline::Finish;
use serde_json::{Value, json};

use super::chunk::{Chunk, Tokens};
use super::envelope::{Envelope, Parcel};
use super::thought::{Habit, Heard, Hold, ThoughtFilter};

/// What an answer says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// Words.
    Text(String),
    /// All words before were a thought.
    Retract,
    /// An error, in the place of words or among them: the whole JSON that tells of it.
    Error(Value),
    /// Something that is not of this API; the words go on behind "the answer".
    Flaw(&'static str),
}

/// An answer that is being read.
#[derive(Debug)]
pub(super) struct AnswerParser {
    envelope: Envelope,
    filter: ThoughtFilter,
    /// Why the writer stopped, once it has said so.
    pub(super) finish: Option<Finish>,
    /// What was counted.
    pub(super) tokens: Tokens,
    /// All words, whoever has taken them.
    pub(super) text: String,
    /// Whether the server says that nothing follows.
    pub(super) is_done: bool,
    /// Bytes of all words until now, heard or not.
    pub(super) taken: usize,
    /// Pieces that held words.
    pub(super) chunks: usize,
    /// Of this API, or of none, which was said.
    is_known: bool,
}

impl AnswerParser {
    pub(super) fn new(hold: Hold) -> Self {
        Self {
            envelope: Envelope::default(),
            filter: ThoughtFilter::new(hold),
            finish: None,
            tokens: Tokens::default(),
            text: String::new(),
            is_done: false,
            taken: 0,
            chunks: 0,
            is_known: false,
        }
    }

    /// Characters of thoughts.
    pub(super) fn thought(&self) -> usize {
        self.filter.thought()
    }

    /// How the server thinks, as far as this answer tells.
    pub(super) fn habit(&self) -> Option<Habit> {
        self.filter.habit()
    }

    /// Takes the next bytes; behind the server's own word of the end nothing counts.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Said> {
        let parcels = self.envelope.push(bytes);
        self.read(parcels)
    }

    /// What the end of the answer completes.
    pub(super) fn finish(&mut self) -> Vec<Said> {
        let parcels = self.envelope.finish();
        let mut said = self.read(parcels);
        let rest = self.filter.finish(self.finish == Some(Finish::Length));
        said.extend(self.note(rest));
        if !self.is_known {
            said.push(Said::Flaw("is not a stream of events"));
        }
        said
    }

    fn read(&mut self, parcels: Vec<Parcel>) -> Vec<Said> {
        let mut said = Vec::new();
        for parcel in parcels {
            match parcel {
                _ if self.is_done => {}
                Parcel::Done => self.is_done = true,
                Parcel::Flaw(words) => {
                    self.is_known = true;
                    said.push(Said::Flaw(words));
                }
                Parcel::Json(kind, Value::Array(values)) => {
                    said.extend(values.iter().flat_map(|value| self.take(&kind, value)));
                }
                Parcel::Json(kind, value) => said.extend(self.take(&kind, &value)),
            }
        }
        said
    }

    fn take(&mut self, kind: &str, value: &Value) -> Vec<Said> {
        if let Some(error) = error(kind, value) {
            self.is_known = true;
            return vec![Said::Error(error)];
        }
        let chunk = Chunk::read(value);
        self.is_known |= chunk.is_of_api;
        self.tokens = Tokens::or_before(chunk.tokens, self.tokens);
        self.finish = self.finish.or(chunk.finish);
        let mut heard = Vec::new();
        if chunk.thought > 0 {
            heard = self.filter.set_apart(chunk.thought);
        }
        // The last piece of some streams repeats the whole.
        if !chunk.is_whole || self.taken == 0 {
            self.taken += chunk.text.len();
            self.chunks += usize::from(!chunk.text.is_empty());
            heard.extend(self.filter.push(&chunk.text));
        }
        self.note(heard)
    }

    fn note(&mut self, heard: Vec<Heard>) -> Vec<Said> {
        let say = |heard| match heard {
            Heard::Text(text) => {
                self.text.push_str(&text);
                Said::Text(text)
            }
            Heard::Retract => {
                self.text.clear();
                Said::Retract
            }
        };
        heard.into_iter().map(say).collect()
    }
}

/// The error that `value` tells of, if it is one; servers have many shapes for it.
fn error(kind: &str, value: &Value) -> Option<Value> {
    let says = |name: &str| match &value[name] {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    };
    let is_error = |name: &str| value[name] == "error";
    // What a gateway says in its own words, with nothing of this API beside it.
    let is_complaint = || {
        let tells = says("detail") || says("message") || says("msg") || says("error_msg");
        let numbers = says("detail") || says("code") || says("status") || says("error_code");
        tells && numbers && !value["choices"].is_array()
    };
    if says("error") || is_error("object") || is_error("type") || kind == "error" || is_complaint()
    {
        return Some(value.clone());
    }
    let of_choice = value.pointer("/choices/0/error").filter(|error| error.is_object());
    of_choice.map(|error| json!({ "error": error }))
}

/// What would be heard of an answer that comes in these pieces; `None` where it is not of this API,
/// or an error. For tests that make answers up.
#[cfg(test)]
pub(super) fn words_in<'piece>(pieces: impl IntoIterator<Item = &'piece [u8]>) -> Option<String> {
    let mut parser = AnswerParser::new(Hold::Beginning);
    let mut said: Vec<Said> = Vec::new();
    for piece in pieces {
        said.extend(parser.push(piece));
    }
    said.extend(parser.finish());
    let fails = said.iter().any(|said| matches!(said, Said::Error(_) | Said::Flaw(_)));
    (!fails).then_some(parser.text)
}

#[cfg(test)]
mod tests;
