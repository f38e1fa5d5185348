//! The same request as JSON, for callers without this crate: checked field by field.
//!
//! ```json
//! {"source": {"text": "A long day by the sea."}, "format": "video", "options": {"voice": "slt"},
//!  "idempotency_key": "user7-evening9", "priority": 7, "run_at": "2030-01-01T06:00:00Z",
//!  "deadline": "2030-01-01T09:00:00Z", "max_attempts": 3, "tenant": "acme",
//!  "metadata": {"episode": "9"}, "webhook": "https://example.org/hook"}
//! ```
//!
//! `source`, either `text` or `conversation_id` (a UUID), and `format` are required. A field that is
//! not known is refused by name. Each fault names its field by the
//! path, what it takes and what it got, and all faults of a request are told at once.

mod fields;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use self::fields::Fields;
use crate::validate::{BED_LEVEL, DURATION, MAX_ATTEMPTS, PRIORITY, TAIL, VARIANT};
use crate::{
    Aspect, Bed, Container, Format, InvalidField, InvalidJob, Job, Lexicon, Options, Source,
    TraceParent, WebhookUrl,
};

/// What a file may begin with that was saved on Windows.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// Stands in for a source that cannot be read.
const NO_SOURCE: Source = Source::Text(String::new());

impl Job {
    /// Reads and checks a request as JSON; the job has a new identifier.
    ///
    /// ```
    /// let faults = stillcast_enqueue::Job::from_json(br#"{"format":"film","priority":10}"#);
    /// assert_eq!(faults.unwrap_err().fields().len(), 3);
    /// ```
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidJob> {
        let json = json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json);
        let json: &RawValue = serde_json::from_slice(json).map_err(|error| not_json(&error))?;
        let mut fields = Fields::of("", json)?;
        let job = read(&mut fields);
        let mut faults = fields.into_faults();
        let judged = job.validate().err();
        let judged = judged.iter().flat_map(InvalidJob::fields);
        // Of what could not be read, nothing more can be said.
        let new = judged.filter(|fault| !faults.iter().any(|unread| unread.is_beside(fault)));
        let new: Vec<InvalidField> = new.cloned().collect();
        faults.extend(new);
        InvalidJob::unless_empty(faults).map(|()| job)
    }
}

/// The job as far as it can be read. Compiles only while every field of [`Job`] but the identifier
/// is either read or left as it is by name.
fn read(fields: &mut Fields<'_>) -> Job {
    fields.require("source", Source::KINDS);
    fields.require("format", Format::WORDS);
    let source = fields.object("source", source).flatten().unwrap_or(NO_SOURCE);
    let format = fields.read("format", Format::WORDS, |json| serde_json::from_str(json).ok());
    let Job { id, priority, max_attempts, tenant, .. } =
        Job::new(source.clone(), format.unwrap_or(Format::Audio));
    Job {
        id,
        source,
        format: format.unwrap_or(Format::Audio),
        options: fields.object("options", options).unwrap_or_default(),
        idempotency_key: fields.identifier("idempotency_key").map(String::from),
        priority: fields.number("priority", &PRIORITY).unwrap_or(priority),
        run_at: fields.time("run_at"),
        deadline: fields.time("deadline"),
        max_attempts: fields.number("max_attempts", &MAX_ATTEMPTS).unwrap_or(max_attempts),
        tenant: fields.identifier("tenant").map_or(tenant, String::from),
        metadata: fields.object("metadata", metadata).unwrap_or_default(),
        webhook: fields.parse("webhook", WebhookUrl::GRAMMAR, WebhookUrl::parse),
        traceparent: fields.parse("traceparent", TraceParent::GRAMMAR, TraceParent::parse),
    }
}

fn source(fields: &mut Fields<'_>) -> Option<Source> {
    let text = fields.text("text");
    let conversation = fields.parse("conversation_id", "a UUID", Source::conversation);
    match (text, conversation) {
        (Some(text), None) => Some(Source::Text(text)),
        (None, conversation @ Some(_)) => conversation,
        (text, _) => {
            let got = if text.is_some() { "both" } else { "neither" };
            fields.fault_of_all(Source::KINDS, got);
            None
        }
    }
}

fn options(fields: &mut Fields<'_>) -> Options {
    Options {
        voice: fields.identifier("voice"),
        language: fields.identifier("language"),
        variant: fields.number("variant", &VARIANT).unwrap_or_default(),
        duration: fields.number("duration", &DURATION),
        bed: fields.parse("bed", Bed::WORDS, str::parse).unwrap_or_default(),
        bed_level: fields.number("bed_level", &BED_LEVEL),
        bells: fields.flag("bells").unwrap_or_default(),
        tail: fields.number("tail", &TAIL).unwrap_or_default(),
        stems: fields.flag("stems").unwrap_or_default(),
        container: fields.parse("container", Container::WORDS, str::parse),
        aspect: fields.parse("aspect", Aspect::WORDS, str::parse).unwrap_or_default(),
        motion: fields.flag("motion").unwrap_or_default(),
        lexicon: fields
            .object_at("lexicon", "options.lexicon", |words| Lexicon::new(words.strings()))
            .unwrap_or_default(),
        live: fields.flag("live").unwrap_or_default(),
    }
}

fn metadata(fields: &mut Fields<'_>) -> BTreeMap<String, String> {
    fields.strings()
}

/// The place at fault, never what stands there: that may be private.
fn not_json(error: &serde_json::Error) -> InvalidJob {
    let place = format!("something else at line {}, column {}", error.line(), error.column());
    InvalidField::value("request", "JSON in UTF-8", place).into()
}
