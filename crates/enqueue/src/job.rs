//! One request for one finished audio or video file.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Aspect, Bed, Container, Format, Identifier, InvalidField, JobId, Lexicon, Source, WebhookUrl,
};

/// Attempts of a job when the request names none.
pub(crate) const DEFAULT_MAX_ATTEMPTS: u32 = 5;
/// Priority when the request names none; 9 goes first, 0 last.
pub(crate) const DEFAULT_PRIORITY: u8 = 5;

/// How the file should sound. Unset fields take the worker's defaults.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own on the wire")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// A voice of the speech provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<Identifier>,
    /// A language tag such as `en` or `pt-BR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Identifier>,
    /// Enters every cache key: another number asks for a fresh file. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub variant: u32,
    /// How long the file shall be, in seconds, 180 to 3,600. By default as long as its words take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<u32>,
    /// What lies under the voice.
    #[serde(default, skip_serializing_if = "Bed::is_none")]
    pub bed: Bed,
    /// How loud it is where the voice rests, in dB beside the voice, -40 to -8. By default -14. While the
    /// voice speaks it is at least 12 dB below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bed_level: Option<i8>,
    /// Whether a bell is struck at the beginning and at the end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub bells: bool,
    /// Seconds of the bed behind the last word, at most 1,800. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tail: u32,
    /// Whether voice and bed are delivered apart too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stems: bool,
    /// What the file is packed as. By default `m4a` for audio and `mp4` for video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// How wide the picture is beside its height. Default `16:9`.
    #[serde(default, skip_serializing_if = "Aspect::is_default")]
    pub aspect: Aspect,
    /// Whether the picture slowly breathes: comes near and goes back, once in ten seconds.
    #[serde(default, skip_serializing_if = "is_false")]
    pub motion: bool,
    /// How single words are said. Captions keep what is written.
    #[serde(default, skip_serializing_if = "Lexicon::is_empty")]
    pub lexicon: Lexicon,
    /// Whether the sound can be heard while it is made, as an HLS playlist that grows. Only for `audio` as
    /// `m4a` without a `duration`, whose first pause is known when its last word is spoken.
    #[serde(default, skip_serializing_if = "is_false")]
    pub live: bool,
}

impl Options {
    /// What a file of `format` is packed as.
    pub fn container(&self, format: Format) -> Container {
        self.container.unwrap_or_else(|| format.into())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A W3C trace context, `00-<trace>-<span>-<flags>`; carried beside the request, never in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent(String);

impl TraceParent {
    /// What a field takes that holds one.
    pub(crate) const GRAMMAR: &str =
        "a W3C trace context of version 00, `00-<32 hex>-<16 hex>-<2 hex>`";

    /// Checks the four fields of version 00.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        let fields: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = fields.iter().map(|field| field.len()).collect();
        let hexadecimal = text.bytes().all(|byte| matches!(byte, b'-' | b'0'..=b'9' | b'a'..=b'f'));
        if fields.first() == Some(&"00") && lengths == [2, 32, 16, 2] && hexadecimal {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidField::value("traceparent", Self::GRAMMAR, "another text"))
        }
    }

    /// The context's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request under construction; [`Job::validate`] runs before anything is sent.
///
/// ```
/// use stillcast_enqueue::{Job, Source};
///
/// let job = Job::audio(Source::Text("A long day by the sea.".to_owned()))
///     .with_priority(7)
///     .with_idempotency_key("user7-evening9");
/// assert!(job.validate().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Names the job; enqueuing the same job again changes nothing.
    pub id: JobId,
    /// What the meditation is about.
    pub source: Source,
    /// What the finished file is.
    pub format: Format,
    /// How it should sound.
    pub options: Options,
    /// A second job with this key and tenant is the first one again.
    pub idempotency_key: Option<String>,
    /// 0 to 9, 9 goes first; a job that waits a minute outranks the next priority up.
    pub priority: u8,
    /// Not before this moment.
    pub run_at: Option<DateTime<Utc>>,
    /// Not after this moment; default 24 h after the later of now and `run_at`.
    pub deadline: Option<DateTime<Utc>>,
    /// Attempts before the job is dead, 1 to 100.
    pub max_attempts: u32,
    /// Whose job it is; caches and artifacts of tenants are apart. Default `default`.
    pub tenant: String,
    /// Strings that come back in the record; at most 4 KiB as JSON.
    pub metadata: BTreeMap<String, String>,
    /// Where its end is told; default nowhere.
    pub webhook: Option<WebhookUrl>,
    /// The caller's trace.
    pub traceparent: Option<TraceParent>,
}

impl Job {
    /// A request for a file of sound.
    pub fn audio(source: Source) -> Self {
        Self::new(source, Format::Audio)
    }

    /// A request for a film.
    pub fn video(source: Source) -> Self {
        Self::new(source, Format::Video)
    }

    /// A request with a new identifier and every default.
    pub fn new(source: Source, format: Format) -> Self {
        Self {
            id: JobId::generate(),
            source,
            format,
            options: Options::default(),
            idempotency_key: None,
            priority: DEFAULT_PRIORITY,
            run_at: None,
            deadline: None,
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            tenant: "default".to_owned(),
            metadata: BTreeMap::new(),
            webhook: None,
            traceparent: None,
        }
    }

    /// Sets the identifier, for callers that keep their own.
    #[must_use]
    pub fn with_id(self, id: JobId) -> Self {
        Self { id, ..self }
    }

    /// Sets how the file shall sound.
    #[must_use]
    pub fn with_options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// Makes a repeated request the same job for as long as the record lives.
    #[must_use]
    pub fn with_idempotency_key(self, key: impl Into<String>) -> Self {
        Self { idempotency_key: Some(key.into()), ..self }
    }

    /// Sets the priority, 0 to 9.
    #[must_use]
    pub fn with_priority(self, priority: u8) -> Self {
        Self { priority, ..self }
    }

    /// Sets the moment before which the job waits.
    #[must_use]
    pub fn with_run_at(self, run_at: DateTime<Utc>) -> Self {
        Self { run_at: Some(run_at), ..self }
    }

    /// Sets the moment after which the job is worthless.
    #[must_use]
    pub fn with_deadline(self, deadline: DateTime<Utc>) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Sets the number of attempts before the job is dead.
    #[must_use]
    pub fn with_max_attempts(self, max_attempts: u32) -> Self {
        Self { max_attempts, ..self }
    }

    /// Sets whose job it is.
    #[must_use]
    pub fn with_tenant(self, tenant: impl Into<String>) -> Self {
        Self { tenant: tenant.into(), ..self }
    }

    /// Adds one string that comes back in the record.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Has the job's end told at this address.
    #[must_use]
    pub fn with_webhook(self, url: WebhookUrl) -> Self {
        Self { webhook: Some(url), ..self }
    }

    /// Continues the caller's trace in the worker.
    #[must_use]
    pub fn with_traceparent(self, traceparent: TraceParent) -> Self {
        Self { traceparent: Some(traceparent), ..self }
    }
}
