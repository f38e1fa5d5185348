//! The bytes of a whole answer go in, cut anywhere; the JSON in it comes out, whatever it is wrapped
//! in: server-sent events, or one document. What it is, its first byte says: media types say it
//! wrongly too often.

use serde_json::{Deserializer, Value};

use super::sse::{Event, SseParser};

/// What an answer brings.
#[derive(Debug, PartialEq)]
pub(super) enum Parcel {
    /// JSON, and the type of its event; empty for the usual one, and outside of events.
    Json(String, Value),
    /// The server says that nothing follows.
    Done,
    /// Nothing of this API; the words go on behind "the answer".
    Flaw(&'static str),
}

const BOM: &[u8] = b"\xef\xbb\xbf";
const DONE: &[u8] = b"[DONE]";
const FOREIGN: &str = "holds an event that is not of this API";

/// An answer that is being unwrapped.
#[derive(Debug)]
pub(super) enum Envelope {
    /// Blanks, and perhaps a part of the mark of byte order.
    Unknown(Vec<u8>),
    /// Server-sent events.
    Events(SseParser),
    /// One document, or several without anything around them.
    Document(Vec<u8>),
    /// A page for people.
    Page,
}

impl Default for Envelope {
    fn default() -> Self {
        Self::Unknown(Vec::new())
    }
}

impl Envelope {
    /// Takes the next bytes; answers what they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Parcel> {
        match self {
            Self::Unknown(begun) => {
                begun.extend_from_slice(bytes);
                let Some(known) = known(begun) else { return Vec::new() };
                let begun = std::mem::take(begun);
                *self = known;
                self.push(begun.strip_prefix(BOM).unwrap_or(&begun))
            }
            Self::Events(parser) => parser.push(bytes).into_iter().flat_map(parcels).collect(),
            Self::Document(body) => {
                body.extend_from_slice(bytes);
                Vec::new()
            }
            Self::Page => Vec::new(),
        }
    }

    /// What the end of the answer completes.
    pub(super) fn finish(&mut self) -> Vec<Parcel> {
        match self {
            Self::Unknown(begun) if begun.trim_ascii().is_empty() => {
                vec![Parcel::Flaw("is empty")]
            }
            Self::Unknown(_) => vec![Parcel::Flaw("is not a stream of events")],
            Self::Events(parser) => parser.finish().map(parcels).unwrap_or_default(),
            Self::Document(body) => {
                let data = std::mem::take(body);
                parcels(Event { kind: String::new(), data })
            }
            Self::Page => vec![Parcel::Flaw("is a web page, not a stream")],
        }
    }
}

/// What begins like this; nobody knows before the first byte that says something.
fn known(begun: &[u8]) -> Option<Envelope> {
    if BOM.starts_with(begun) {
        return None;
    }
    let body = begun.strip_prefix(BOM).unwrap_or(begun);
    Some(match body.trim_ascii_start().first()? {
        b'<' => Envelope::Page,
        b'{' | b'[' => Envelope::Document(Vec::new()),
        _ => Envelope::Events(SseParser::default()),
    })
}

/// The JSON of an event: one value as a rule. Events of other types need not hold any.
fn parcels(event: Event) -> Vec<Parcel> {
    let Event { kind, data } = event;
    let mut parcels = Vec::new();
    let mut values = Deserializer::from_slice(&data).into_iter::<Value>();
    loop {
        let read = values.byte_offset();
        match values.next() {
            Some(Ok(value)) => parcels.push(Parcel::Json(kind.clone(), value)),
            Some(Err(_)) => {
                parcels.extend(no_json(&kind, data[read..].trim_ascii()));
                return parcels;
            }
            None => return parcels,
        }
    }
}

fn no_json(kind: &str, rest: &[u8]) -> Option<Parcel> {
    if rest.eq_ignore_ascii_case(DONE) {
        Some(Parcel::Done)
    } else if !matches!(kind, "" | "message" | "error") {
        None
    } else if std::str::from_utf8(rest).is_err() {
        Some(Parcel::Flaw("is not valid UTF-8"))
    } else {
        Some(Parcel::Flaw(FOREIGN))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn unwrapped(pieces: &[&[u8]]) -> Vec<Parcel> {
        let mut envelope = Envelope::default();
        let mut parcels: Vec<Parcel> =
            pieces.iter().flat_map(|piece| envelope.push(piece)).collect();
        parcels.extend(envelope.finish());
        parcels
    }

    fn one(value: Value) -> Parcel {
        Parcel::Json(String::new(), value)
    }

    #[test]
    fn what_it_is_its_first_bytes_say_wherever_it_is_cut() {
        let (a, b) = (|| one(json!({ "a": 1 })), || one(json!({ "b": 2 })));
        let ping = Parcel::Json("ping".to_owned(), json!({}));
        for (body, wanted) in [
            ("data: {\"a\":1}\n\ndata: [DONE]\n\n", vec![a(), Parcel::Done]),
            ("\u{feff}data: {\"a\":1}\n\n", vec![a()]),
            ("\n\n  data:{\"a\":1}\r\n\r\ndata:[done]", vec![a(), Parcel::Done]),
            (": hello\n\ndata: {\"a\":\ndata: 1}\n\n", vec![a()]),
            ("data: {\"a\":1}\ndata: {\"b\":2}\ndata: [DONE]\n", vec![a(), b(), Parcel::Done]),
            ("event: ping\ndata: {}\n\nevent: ping\ndata: still here\n\n", vec![ping]),
            ("data: \n\ndata: {\"a\":1}\n\n", vec![a()]),
            ("data: still here\n\n", vec![Parcel::Flaw(FOREIGN)]),
            ("data: {\"a\":\n\n", vec![Parcel::Flaw(FOREIGN)]),
            ("{\"a\":1}", vec![a()]),
            ("\u{feff} \n{\"a\":\n1}\n{\"b\":2}\n", vec![a(), b()]),
            ("[{\"a\":1}]", vec![one(json!([{ "a": 1 }]))]),
            ("{\"a\":1", vec![Parcel::Flaw(FOREIGN)]),
            ("<html>", vec![Parcel::Flaw("is a web page, not a stream")]),
            (" \r\n ", vec![Parcel::Flaw("is empty")]),
            ("", vec![Parcel::Flaw("is empty")]),
            ("It works!", vec![]),
        ] {
            let bytes = body.as_bytes();
            for at in 0..=bytes.len() {
                let (head, tail) = bytes.split_at(at);
                assert_eq!(unwrapped(&[head, tail]), wanted, "{body:?} cut at {at}");
            }
        }
        let broken = b"data: {\"a\":\"\xff\"}\n\n";
        assert_eq!(unwrapped(&[broken]), [Parcel::Flaw("is not valid UTF-8")]);
    }
}
