//! The request as it lies in Redis: JSON with a version, readable by yesterday's and tomorrow's workers.
//!
//! ```json
//! {"v":1,"source":{"text":"…"},"format":"audio","options":{"voice":"slt"}}
//! {"v":1,"source":{"conversation_id":"0191d0c4-7a3b-7c52-9e0f-3c6d2f8a1b44"},"format":"video",
//!  "webhook":"https://example.org/hook"}
//! {"v":2,"deflate":"q1Yq…"}
//! ```
//!
//! Version 2 is an envelope of version 1, packed. It is read, and not written yet: whoever reads it comes
//! before whoever writes it.
//!
//! A worker ignores fields that it does not know within its version, parks a newer version until a
//! newer worker comes, and makes a dead letter of what it cannot read, bytes kept.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::packed::unpack;
use crate::{Format, Job, Options, Source, WebhookUrl};

/// The version that this crate writes.
pub const ENVELOPE_VERSION: u32 = 1;
/// The newest version that it reads.
const NEWEST_READ: u32 = 2;

/// What a worker needs to know to make the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    v: u32,
    /// What the meditation is about.
    pub source: Source,
    /// What the finished file is.
    pub format: Format,
    /// How it should sound.
    #[serde(default)]
    pub options: Options,
    /// Where the job's end is told. `lua/enqueue.lua` reads it from here, and keeps it in the job's hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookUrl>,
}

/// Why an envelope cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Written by a newer version: wait for a newer worker.
    #[error(
        "envelope version {found} is newer than {NEWEST_READ}, the newest that this worker reads"
    )]
    Newer {
        /// The version found.
        found: u32,
    },
    /// Not an envelope at all.
    #[error("not an envelope at line {line}, column {column}")]
    Malformed {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
    },
    /// Packed, and what is in it is no envelope.
    #[error("packed, but what is in it is no envelope of version 1")]
    Packed,
}

/// What tells how to read the rest.
#[derive(Deserialize)]
struct Head {
    v: u32,
    deflate: Option<String>,
}

impl Envelope {
    /// The envelope of `job`.
    pub fn of(job: &Job) -> Self {
        Self {
            v: ENVELOPE_VERSION,
            source: job.source.clone(),
            format: job.format,
            options: job.options.clone(),
            webhook: job.webhook.clone(),
        }
    }

    /// The bytes for Redis. The same request always gives the same bytes.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and enums always serialize")
    }

    /// Reads bytes from Redis; the error names a position, never the text found there.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        serde_json::from_slice(&Self::unpacked(bytes)?).map_err(|error| malformed(&error))
    }

    /// The bytes of an envelope of any version that this crate reads as those of one of version 1.
    pub fn unpacked(bytes: &[u8]) -> Result<Cow<'_, [u8]>, DecodeError> {
        let Head { v, deflate } = Head::of(bytes)?;
        if v < 2 {
            return Ok(Cow::Borrowed(bytes));
        }
        let whole = deflate.and_then(|text| unpack(&text)).ok_or(DecodeError::Packed)?;
        match Head::of(&whole) {
            Ok(Head { v: 1, .. }) => Ok(Cow::Owned(whole)),
            _ => Err(DecodeError::Packed),
        }
    }
}

impl Head {
    fn of(bytes: &[u8]) -> Result<Self, DecodeError> {
        let head: Self = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
        let found = head.v;
        if found > NEWEST_READ { Err(DecodeError::Newer { found }) } else { Ok(head) }
    }
}

fn malformed(error: &serde_json::Error) -> DecodeError {
    DecodeError::Malformed { line: error.line(), column: error.column() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packed::tests::pack;
    use crate::{Aspect, Bed, Container, Lexicon};

    #[test]
    fn golden_envelopes_still_decode() {
        let golden = include_str!("../golden/envelopes.jsonl");
        let decoded: Vec<Envelope> =
            golden.lines().map(|line| Envelope::decode(line.as_bytes()).unwrap()).collect();
        assert_eq!(decoded.len(), 13);
        assert_eq!(decoded[0].source, Source::Text("A long day by the sea.".to_owned()));
        assert_eq!(decoded[1].format, Format::Video);
        assert_eq!(decoded[2].options.variant, 3);
        assert_eq!(decoded[3].options, Options::default());
        let conversation = Source::conversation("0191d0c4-7a3b-7c52-9e0f-3c6d2f8a1b44").unwrap();
        assert_eq!(decoded[4].source, conversation);
        assert!(matches!(&decoded[5].source, Source::Unknown(kind) if kind.as_str() == "playlist"));
        assert!(decoded[..6].iter().all(|envelope| envelope.webhook.is_none()));
        assert_eq!(decoded[6].webhook, WebhookUrl::parse("https://example.org/hook?t=1").ok());
        assert_eq!(decoded[7].options.duration, Some(600));
        assert!(decoded[..7].iter().all(|envelope| envelope.options.duration.is_none()));
        assert_eq!((decoded[8].options.bed, decoded[8].options.tail), (Bed::SingingBowls, 300));
        assert!(decoded[..8].iter().all(|envelope| envelope.options.bed == Bed::None));
        assert_eq!(decoded[9].options.container, Some(Container::Opus));
        assert_eq!(decoded[10].options.container, Some(Container::Mp4Social));
        assert_eq!((decoded[10].options.aspect, decoded[10].options.motion), (Aspect::Tall, true));
        assert_eq!(decoded[0].options.container(Format::Audio), Container::M4a);
        assert_eq!(decoded[1].options.container(Format::Video), Container::Mp4);
        let words: Vec<_> = decoded[11].options.lexicon.words().collect();
        assert_eq!(words, [("Nguyen", "/ŋwiən/"), ("qigong", "chee gung")]);
        assert!(decoded[..11].iter().all(|envelope| envelope.options.lexicon.is_empty()));
        assert!(decoded[12].options.live && decoded[..12].iter().all(|e| !e.options.live));
    }

    #[test]
    fn what_is_written_is_what_the_golden_file_holds() {
        let golden: Vec<_> = include_str!("../golden/envelopes.jsonl").lines().collect();
        let job = Job::audio(Source::Text("A long day by the sea.".to_owned()));
        assert_eq!(Envelope::of(&job).encode(), golden[0]);
        let conversation = Source::conversation("0191d0c4-7a3b-7c52-9e0f-3c6d2f8a1b44").unwrap();
        assert_eq!(Envelope::of(&Job::video(conversation)).encode(), golden[4]);
        let told = WebhookUrl::parse("https://example.org/hook?t=1").unwrap();
        assert_eq!(Envelope::of(&job.clone().with_webhook(told)).encode(), golden[6]);
        let options = Options { duration: Some(600), ..Options::default() };
        assert_eq!(Envelope::of(&job.clone().with_options(options)).encode(), golden[7]);
        let (bed, bed_level, tail) = (Bed::SingingBowls, Some(-20), 300);
        let options =
            Options { bed, bed_level, tail, bells: true, stems: true, ..Options::default() };
        assert_eq!(Envelope::of(&job.clone().with_options(options)).encode(), golden[8]);
        let options = Options { container: Some(Container::Opus), ..Options::default() };
        assert_eq!(Envelope::of(&job.clone().with_options(options)).encode(), golden[9]);
        let (container, aspect) = (Some(Container::Mp4Social), Aspect::Tall);
        let options = Options { container, aspect, motion: true, ..Options::default() };
        let film = Job { format: Format::Video, ..job.clone().with_options(options) };
        assert_eq!(Envelope::of(&film).encode(), golden[10]);
        let words = [("Nguyen", "/ŋwiən/"), ("qigong", "chee gung")];
        let words = words.map(|(word, said)| (word.to_owned(), said.to_owned()));
        let options = Options { lexicon: Lexicon::new(words), ..Options::default() };
        assert_eq!(Envelope::of(&job.clone().with_options(options)).encode(), golden[11]);
        let options = Options { live: true, ..Options::default() };
        assert_eq!(Envelope::of(&job.with_options(options)).encode(), golden[12]);
    }

    #[test]
    fn newer_and_broken_envelopes_are_told_apart() {
        let decode = |text: &str| Envelope::decode(text.as_bytes());
        assert!(matches!(decode(r#"{"v":3,"dream":{}}"#), Err(DecodeError::Newer { found: 3 })));
        for broken in ["", "{", "[]", r#"{"v":1}"#, r#"{"v":"1"}"#, "\u{0}"] {
            assert!(matches!(decode(broken), Err(DecodeError::Malformed { .. })), "{broken:?}");
        }
    }

    #[test]
    fn a_packed_envelope_is_the_one_that_was_packed() {
        for line in include_str!("../golden/envelopes.jsonl").lines() {
            let packed = format!(r#"{{"v":2,"deflate":"{}"}}"#, pack(line.as_bytes()));
            let (one, other) = (Envelope::decode(packed.as_bytes()), line.as_bytes());
            assert_eq!(one.unwrap(), Envelope::decode(other).unwrap());
            assert_eq!(*Envelope::unpacked(packed.as_bytes()).unwrap(), *other);
        }
        let nested = format!(r#"{{"v":2,"deflate":"{}"}}"#, pack(br#"{"v":2,"deflate":""}"#));
        for broken in [&nested, r#"{"v":2,"deflate":"?"}"#, r#"{"v":2}"#] {
            let error = Envelope::decode(broken.as_bytes()).unwrap_err();
            assert!(matches!(error, DecodeError::Packed), "{broken}: {error}");
        }
    }

    #[test]
    fn an_error_never_repeats_private_text() {
        let broken = r#"{"v":1,"source":{"text":"my secret"},"format":"my secret"}"#;
        let error = Envelope::decode(broken.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}
