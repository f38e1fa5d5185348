//! How bodies look, for the description and for those that we write ourselves.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use stillcast_enqueue::{
    Aspect, Bed, Container, Enqueued, Format, JobRecord, Replication, State, Submission,
};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{Ref, RefOr, Response};
use utoipa::{IntoResponses, ToSchema};

use crate::mirror::{Found, Freshness};
use crate::problem::{MEDIA_TYPE, ProblemBody};

/// A request for one finished file. `Job::from_json` reads it; a test compares the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"format": "audio", "source": {"text": "A long day by the sea."}}))]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct JobRequest {
    /// What it is about.
    source: SourceRequest,
    /// What the finished file is.
    format: Format,
    /// How it should sound.
    options: Option<OptionsRequest>,
    /// A second request with this key is the first one again; also as the header `Idempotency-Key`.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
    idempotency_key: Option<String>,
    /// 9 goes first.
    #[schema(minimum = 0, maximum = 9, default = 5)]
    priority: Option<u8>,
    /// Not before this moment.
    run_at: Option<DateTime<Utc>>,
    /// Not after this moment; 24 h after now or `run_at` when not given.
    deadline: Option<DateTime<Utc>>,
    /// Attempts before the job is dead.
    #[schema(minimum = 1, maximum = 100, default = 5)]
    max_attempts: Option<u32>,
    /// Whose job it is; the token's own when not given.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
    tenant: Option<String>,
    /// Strings that come back in the record, at most 4 KiB.
    metadata: Option<BTreeMap<String, String>>,
    /// A W3C trace context; also as the header of the same name.
    #[schema(pattern = "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")]
    traceparent: Option<String>,
    /// An address that is told once the job has ended, as Standard Webhooks says.
    #[schema(pattern = "^https?://[^/?#@]+([/?][^#]*)?$", max_length = 2048)]
    webhook: Option<String>,
}

/// Either a text or a conversation in the workers' database.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum SourceRequest {
    /// A text.
    Text(TextSource),
    /// A conversation.
    Conversation(ConversationSource),
}

/// A text.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct TextSource {
    /// At most 16 KiB.
    #[schema(min_length = 1, max_length = 16384)]
    text: String,
}

/// A conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct ConversationSource {
    /// Its UUID.
    #[schema(pattern = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")]
    conversation_id: String,
}

/// How the file should sound.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct OptionsRequest {
    /// A voice of the speech provider.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
    voice: Option<String>,
    /// Such as `en` or `pt-BR`.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
    language: Option<String>,
    /// Another number asks for another file of the same text.
    variant: Option<u32>,
    /// How long the file shall be, in seconds; as long as its words take by default.
    #[schema(minimum = 180, maximum = 3600)]
    duration: Option<u32>,
    /// What lies under the voice; the file has two channels with one.
    bed: Option<Bed>,
    /// How loud it is where the voice rests, in dB beside the voice; -14 by default.
    #[schema(minimum = -40, maximum = -8)]
    bed_level: Option<i8>,
    /// Whether a bell is struck at the beginning and at the end.
    bells: Option<bool>,
    /// Seconds of the bed behind the last word.
    #[schema(maximum = 1800)]
    tail: Option<u32>,
    /// Whether voice and bed are delivered apart too.
    stems: Option<bool>,
    /// What the file is packed as: `m4a`, `mp3`, `opus`, `wav` or `flac` for audio, `mp4` or `mp4-social` for
    /// video; `m4a` and `mp4` by default.
    container: Option<Container>,
    /// How wide the picture of a video is beside its height; `16:9` by default.
    aspect: Option<Aspect>,
    /// Whether the picture of a video slowly breathes.
    motion: Option<bool>,
    /// Words with what is said instead, or with their sounds in IPA between slashes; at most 4 KiB. Captions
    /// keep what is written.
    lexicon: Option<BTreeMap<String, String>>,
    /// Whether the sound can be heard while it is made: `audio` as `m4a`, without `duration`.
    live: Option<bool>,
}

/// What became of a request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// The job.
    pub(crate) id: String,
    /// Where it stands.
    pub(crate) state: State,
    /// Whether it stood before: the same idempotency key, or the same job again.
    pub(crate) duplicate: bool,
    /// Whether replicas of the queue are known to have it; where nobody asked them, nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replicated: Option<bool>,
    /// Its record, where the caller waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) job: Option<JobRecord>,
}

impl From<Enqueued> for Accepted {
    fn from(enqueued: Enqueued) -> Self {
        let (state, duplicate) = match enqueued.submission {
            Submission::Created(state) => (state, false),
            Submission::Duplicate(state) => (state, true),
        };
        let replicated = match enqueued.replication {
            Replication::NotAsked => None,
            Replication::Proven => Some(true),
            Replication::Unproven { .. } => Some(false),
        };
        Self { id: enqueued.id.to_string(), state, duplicate, replicated, job: None }
    }
}

/// A page of jobs: waiting ones in the order of their turn, ended ones from the newest.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct JobList {
    /// The jobs.
    pub(crate) jobs: Vec<JobRecord>,
    /// The `cursor` of the next page; null after the last.
    pub(crate) next: Option<String>,
    /// How the filter was answered, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) search: Option<Search>,
}

/// How a filter was answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Search {
    /// How many jobs it means, on all pages.
    pub(crate) matches: usize,
    /// How many jobs were looked at.
    pub(crate) searched: usize,
    /// How many older ones were not, since this server keeps the newest 200,000.
    pub(crate) left_out: usize,
    /// What has happened until then is in it.
    pub(crate) as_of: DateTime<Utc>,
}

impl Search {
    pub(crate) fn of(found: &Found) -> Self {
        let Freshness { as_of, searched, left_out } = found.freshness;
        Self { matches: found.matches, searched, left_out, as_of }
    }
}

/// The failures that any route may answer with.
pub(crate) struct Failures;

/// Their statuses, and when.
const FAILURES: [(&str, &str); 13] = [
    ("400", "The request cannot be as it is"),
    ("401", "No token, or none that is known"),
    ("403", "The token may not do this"),
    ("404", "There is no such thing"),
    ("405", "The path does not know this method"),
    ("409", "The job is in another state"),
    ("410", "It is gone"),
    ("413", "The body is too large"),
    ("415", "The body is not called JSON"),
    ("422", "The idempotency key belongs to another request"),
    ("429", "The token has asked too often"),
    ("503", "The queue or the store does not answer"),
    ("504", "The answer took too long"),
];

impl IntoResponses for Failures {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let problem = RefOr::Ref(Ref::from_schema_name(ProblemBody::name()));
        let answer = |says: &str| {
            let content = ContentBuilder::new().schema(Some(problem.clone())).build();
            ResponseBuilder::new().description(says).content(MEDIA_TYPE, content).build()
        };
        FAILURES
            .into_iter()
            .map(|(status, says)| (status.to_owned(), answer(says).into()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use stillcast_enqueue::{Job, Problem};

    use utoipa::PartialSchema;

    use super::*;

    /// The names of a request's fields in the description.
    fn described_fields<T: PartialSchema>() -> Vec<String> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        let mut names: Vec<String> =
            schema["properties"].as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    }

    /// The fields that the reader of requests knows, out of its own complaint about an unknown one.
    fn known_fields(request: &str) -> Vec<String> {
        let faults = Job::from_json(request.as_bytes()).unwrap_err();
        let known = faults.fields().iter().find_map(|fault| match &fault.problem {
            Problem::Unknown { known } => Some(known.iter().map(|name| (*name).to_owned())),
            _ => None,
        });
        let mut known: Vec<String> = known.unwrap().collect();
        known.sort();
        known
    }

    #[test]
    fn the_description_knows_the_fields_that_are_read() {
        assert_eq!(described_fields::<JobRequest>(), known_fields(r#"{"no_field": 1}"#));
        let options =
            known_fields(r#"{"source":{"text":"a"},"format":"audio","options":{"no_field":1}}"#);
        assert_eq!(described_fields::<OptionsRequest>(), options);
    }
}
