//! The same request as JSON, for callers without this crate: checked field by field.
//!
//! ```json
//! {"source": {"text": "A long day by the sea."}, "format": "video", "options": {"voice": "slt"},
//!  "idempotency_key": "user7-evening9", "priority": 7, "run_at": "2030-01-01T06:00:00Z",
//!  "deadline": "2030-01-01T09:00:00Z", "max_attempts": 3, "tenant": "acme",
//!  "metadata": {"episode": "9"}}
//! ```
//!
//! `source`, either `text` or `conversation_id` (a UUID), and `format` are required. A field that is
//! not known, or whose feature has not landed, is refused by name.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::source::SourceFields;
use crate::{Format, Identifier, InvalidJob, Job, Options, TraceParent};

/// Fields of the house's plan that this version does not carry yet.
const NOT_YET: [&str; 1] = ["webhook"];

/// A job request as JSON; [`JobRequest::parse`] makes a [`Job`] of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    #[serde(deserialize_with = "SourceFields::deserialize_known")]
    source: SourceFields,
    format: Format,
    #[serde(default, with = "RequestOptions")]
    options: Options,
    idempotency_key: Option<String>,
    priority: Option<u8>,
    run_at: Option<DateTime<Utc>>,
    deadline: Option<DateTime<Utc>>,
    max_attempts: Option<u32>,
    tenant: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    traceparent: Option<String>,
}

/// [`Options`] as a request gives them: an unknown field is refused by name, where the reader of an
/// envelope ignores it. Compiles only while it has every field of [`Options`].
#[derive(Deserialize)]
#[serde(remote = "Options", deny_unknown_fields)]
struct RequestOptions {
    voice: Option<Identifier>,
    language: Option<Identifier>,
    #[serde(default)]
    variant: u32,
}

impl JobRequest {
    /// Reads and checks `json`; the job has a new identifier.
    pub fn parse(json: &[u8]) -> Result<Job, InvalidJob> {
        refuse_not_yet(json)?;
        let request: Self = serde_json::from_slice(json).map_err(|error| describe(&error))?;
        let job = request.into_job()?;
        job.validate()?;
        Ok(job)
    }

    fn into_job(self) -> Result<Job, InvalidJob> {
        let job = Job::new(self.source.try_into()?, self.format);
        Ok(Job {
            options: self.options,
            idempotency_key: self.idempotency_key,
            priority: self.priority.unwrap_or(job.priority),
            run_at: self.run_at,
            deadline: self.deadline,
            max_attempts: self.max_attempts.unwrap_or(job.max_attempts),
            tenant: self.tenant.unwrap_or(job.tenant),
            metadata: self.metadata,
            traceparent: self.traceparent.as_deref().map(TraceParent::parse).transpose()?,
            ..job
        })
    }
}

fn refuse_not_yet(json: &[u8]) -> Result<(), InvalidJob> {
    let value: serde_json::Value =
        serde_json::from_slice(json).map_err(|error| describe(&error))?;
    for path in NOT_YET {
        let found = path.split('.').try_fold(&value, |value, name| value.get(name));
        if found.is_some_and(|value| !value.is_null()) {
            return Err(InvalidJob::Field(format!(
                "`{path}` is not supported by this version yet"
            )));
        }
    }
    Ok(())
}

/// The field at fault, never the value: that may be private.
fn describe(error: &serde_json::Error) -> InvalidJob {
    let text = error.to_string();
    let safe = ["unknown field", "missing field"].iter().any(|known| text.starts_with(known));
    let place = format!("line {}, column {}", error.line(), error.column());
    InvalidJob::Field(if safe {
        format!("the request: {text}")
    } else {
        format!("the request is not valid at {place}: a value of another kind is expected there")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    fn fault(json: &str) -> String {
        JobRequest::parse(json.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn the_least_request_takes_every_default() {
        let job = JobRequest::parse(br#"{"source":{"text":"Rain."},"format":"audio"}"#).unwrap();
        let expected = Job::audio(Source::Text("Rain.".to_owned())).with_id(job.id.clone());
        assert_eq!(job, expected);
    }

    #[test]
    fn every_field_arrives() {
        let json = r#"{"source":{"text":"Rain."},"format":"video","options":{"voice":"slt",
            "language":"en","variant":2},"idempotency_key":"k1","priority":9,
            "run_at":"2999-01-01T00:00:00Z","deadline":"2999-01-02T00:00:00Z","max_attempts":2,
            "tenant":"acme","metadata":{"a":"b"},
            "traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}"#;
        let job = JobRequest::parse(json.as_bytes()).unwrap();
        assert_eq!((job.priority, job.max_attempts, job.options.variant), (9, 2, 2));
        assert_eq!((job.tenant.as_str(), job.idempotency_key.as_deref()), ("acme", Some("k1")));
        assert!(job.run_at.is_some() && job.deadline.is_some() && job.traceparent.is_some());
        assert_eq!(job.metadata["a"], "b");
    }

    #[test]
    fn faults_name_the_field() {
        let with =
            |extra: &str| format!(r#"{{"source":{{"text":"Rain."}},"format":"audio"{extra}}}"#);
        for (extra, word) in [
            (r#","colour":"blue""#, "colour"),
            (r#","options":{"tempo":2}"#, "unknown field `tempo`, expected one of `voice`"),
            (r#","webhook":{"url":"x"}"#, "webhook"),
            (r#","priority":10"#, "priority"),
            (r#","max_attempts":0"#, "max_attempts"),
            (r#","tenant":"a/b""#, "tenant"),
            (r#","idempotency_key":"""#, "idempotency_key"),
            (r#","deadline":"2001-01-01T00:00:00Z""#, "deadline"),
            (r#","traceparent":"00-zz""#, "traceparent"),
        ] {
            assert!(fault(&with(extra)).contains(word), "{extra}: {}", fault(&with(extra)));
        }
        assert!(fault(r#"{"format":"audio"}"#).contains("source"));
        for source in [r#"{"text":"Rain.","mood":1}"#, r#"{"mood":1}"#] {
            let fault = fault(&format!(r#"{{"source":{source},"format":"audio"}}"#));
            let named = "unknown field `mood`, expected `text` or `conversation_id`";
            assert!(fault.contains(named), "{source}: {fault}");
        }
        for source in ["{}", r#"{"conversation_id":"x"}"#, r#"{"text":"a","conversation_id":"b"}"#]
        {
            let fault = fault(&format!(r#"{{"source":{source},"format":"audio"}}"#));
            assert!(fault.contains("conversation_id"), "{source}: {fault}");
        }
    }

    #[test]
    fn a_conversation_is_a_source() {
        let id = "0191d0c4-7a3b-7c52-9e0f-3c6d2f8a1b44";
        let json = format!(r#"{{"source":{{"conversation_id":"{id}"}},"format":"video"}}"#);
        let job = JobRequest::parse(json.as_bytes()).unwrap();
        assert_eq!(job.source, Source::conversation(id).unwrap());
    }

    #[test]
    fn limits_are_borders() {
        let of = |length: usize| Job::audio(Source::Text("x".repeat(length))).validate();
        assert_eq!(of(16 * 1024), Ok(()));
        assert!(matches!(of(16 * 1024 + 1), Err(InvalidJob::TooLarge { .. })));
        assert!(matches!(of(0), Err(InvalidJob::Empty { .. })));
        let large = Job::audio(Source::Text("x".into())).with_metadata("k", "v".repeat(4096));
        assert!(matches!(large.validate(), Err(InvalidJob::TooLarge { .. })));
    }

    #[test]
    fn an_error_never_repeats_private_text() {
        let json = r#"{"source":{"text":"my secret"},"format":"my secret","priority":"my secret"}"#;
        assert!(!fault(json).contains("secret"));
    }
}
