//! What anyone may know of a job: the record, without private text.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::job::{DEFAULT_MAX_ATTEMPTS, DEFAULT_PRIORITY};
use crate::{Eta, Format, StageName, StageRecord, Waiting, WebhookRecord, WebhookState};

/// Where a job stands. A job is in exactly one state at a time.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits for a time: `run_at`, or the back-off before the next attempt.
    Delayed,
    /// May be claimed now.
    Ready,
    /// Waits for an event and holds no slot; costs no attempt.
    Parked,
    /// A worker holds it.
    Leased,
    /// Delivered.
    Done,
    /// Will not run again by itself; kept for people.
    Dead,
    /// Ended by a person.
    Cancelled,
    /// Ended by its own deadline.
    Expired,
}

impl State {
    /// Every state, in the order of a job's life.
    pub const ALL: [Self; 8] = [
        Self::Delayed,
        Self::Ready,
        Self::Parked,
        Self::Leased,
        Self::Done,
        Self::Dead,
        Self::Cancelled,
        Self::Expired,
    ];

    /// Whether nothing will change any more without a person.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Done | Self::Dead | Self::Cancelled | Self::Expired)
    }

    /// The word in Redis and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delayed => "delayed",
            Self::Ready => "ready",
            Self::Parked => "parked",
            Self::Leased => "leased",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The state that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a job remembers by which making of a sound it is that is heard already. A making anew forgets it,
/// as it does the delivery.
#[doc(hidden)]
pub const LIVE_CHECKPOINT: &str = "delivery-live";

/// Everything known of a job. Times are RFC 3339 in UTC, durations seconds, unknown is null.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobRecord {
    /// The job.
    pub id: String,
    /// Grows with every change that is announced; 0 as it was accepted.
    #[serde(default)]
    pub revision: u64,
    /// Where it stands.
    pub state: State,
    /// Why it is parked: `provider`, `rate`, `budget`, `flight` or `version`.
    pub reason: Option<String>,
    /// What the finished file is; null while the request could not be read.
    pub format: Option<Format>,
    /// The stage that the worker last began.
    pub stage: Option<StageName>,
    /// Rough share of the work done, 0 to 100.
    pub percent: Option<u8>,
    /// Seconds until done, the middle of `eta`; only where one job is asked for.
    pub eta_s: Option<f64>,
    /// When it is likely to be done; null where a person, another job or the lack of workers decides,
    /// or where too little is known, and only where one job is asked for.
    #[serde(default)]
    pub eta: Option<Eta>,
    /// Attempts used or running, from 1; 0 before the first.
    pub attempt: u32,
    /// Attempts before the job is dead.
    pub max_attempts: u32,
    /// Times it was given back unfinished by a drain, a lost lease or a Redis outage.
    pub interruptions: u32,
    /// Times its worker died under it since the last checkpoint.
    pub crashes: u32,
    /// Whose job it is.
    pub tenant: String,
    /// 0 to 9, 9 goes first.
    pub priority: u8,
    /// The caller's strings.
    pub metadata: BTreeMap<String, String>,
    /// When it was accepted.
    pub enqueued_at: Option<DateTime<Utc>>,
    /// When it may begin (delayed) or wakes (parked).
    pub wakes_at: Option<DateTime<Utc>>,
    /// When a worker first began it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it reached its terminal state.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it becomes worthless.
    pub deadline: Option<DateTime<Utc>>,
    /// The delivered file.
    pub artifact: Option<Artifact>,
    /// Files beside it, by name: `captions.vtt`, `captions.srt`, `chapters.txt`, `poster.jpg`, `cover.jpg`,
    /// `voice.m4a`, `bed.m4a`.
    pub extras: BTreeMap<String, ExtraFile>,
    /// The key of the playlist by which it is heard while it is made: `media/<tenant>/<job>/live/<making>/
    /// index.m3u8`; the API answers it at `/v1/jobs/{id}/live/index.m3u8` from the first sound on, the
    /// store when all of it is there. Null where nobody has asked for one, or no encoder has begun.
    #[serde(default)]
    pub live: Option<String>,
    /// What each stage did.
    pub stages: Vec<StageRecord>,
    /// Money, in US dollars.
    pub cost: Cost,
    /// The last failure.
    pub error: Option<ErrorReport>,
    /// Why it does not run; null when it runs or has ended, and only where one job is asked for.
    #[serde(default)]
    pub waiting: Option<Waiting>,
    /// The telling of its end; null when nobody has asked for it.
    pub webhook: Option<WebhookRecord>,
}

/// The delivered file.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// Where to fetch it.
    pub url: String,
    /// Its key in the store: `media/<tenant>/<job>/<sha256>.<ext>`.
    pub key: String,
    /// Its path, when the store is a folder of this host.
    pub path: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// Its media type, such as `audio/mp4`.
    pub content_type: String,
    /// Playing time in seconds.
    pub duration_s: f64,
    /// Digest of its bytes, in hexadecimal.
    pub sha256: String,
    /// Files beside it, by name. They travel with it, and a record shows them as its own `extras`.
    #[cfg_attr(feature = "openapi", schema(ignore))]
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extras: BTreeMap<String, ExtraFile>,
}

/// A file beside the delivered one.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraFile {
    /// Where to fetch it.
    pub url: String,
    /// Its key in the store: `media/<tenant>/<job>/<sha256>.<ext>`.
    pub key: String,
    /// Its path, when the store is a folder of this host.
    pub path: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// Such as `text/vtt`.
    pub content_type: String,
    /// Digest of its bytes, in hexadecimal.
    pub sha256: String,
}

/// Money, in US dollars, of all attempts of a job.
///
/// The books are written with each checkpoint and with each report. What a worker has paid since
/// its last checkpoint dies with it, if it dies: a call that it had under way, or that was just
/// finished, stands on the provider's bill and in no record. Everything else does.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Paid for results that were used.
    pub spent_usd: f64,
    /// Not paid, since a cache answered.
    pub avoided_usd: f64,
    /// Paid for results that were lost. A call that was cut off, by a time-out, a cancel, a deadline
    /// or the end of a drain, counts in full where its price is known beforehand, as that of speech
    /// and pictures is; a transcript counts as far as it was read, and not at all before its first
    /// word.
    pub wasted_usd: f64,
}

impl std::ops::Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            spent_usd: self.spent_usd + other.spent_usd,
            avoided_usd: self.avoided_usd + other.avoided_usd,
            wasted_usd: self.wasted_usd + other.wasted_usd,
        }
    }
}

/// Why a job failed: which stage, whose fault, and what to do. Never private text.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// The stage that failed, when one did.
    pub stage: Option<StageName>,
    /// The provider that failed, when one did.
    pub provider: Option<String>,
    /// A stable word for programs, such as `speech-silent`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

impl ErrorReport {
    /// An error that belongs to no stage and no provider.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { stage: None, provider: None, code: code.into(), message: message.into() }
    }
}

impl JobRecord {
    /// Reads the record from the fields of the job's hash; `None` when there is no such job.
    ///
    /// A field that cannot be read counts as unknown: a record is for looking at, and one broken
    /// field must not hide the others.
    pub fn from_hash(id: &str, hash: &HashMap<String, String>) -> Option<Self> {
        let fields = Fields(hash);
        let state = State::parse(hash.get("state")?)?;
        let attempts = fields.number("attempts").unwrap_or(0);
        let max_attempts = fields.number_or("max_attempts", DEFAULT_MAX_ATTEMPTS);
        // A failure counts when it is reported; a job that ended otherwise ended in its next attempt.
        let another = match state {
            State::Leased | State::Done => true,
            State::Dead => attempts < max_attempts,
            _ => false,
        };
        let mut artifact: Option<Artifact> = fields.json("artifact");
        let extras = artifact.as_mut().map(|artifact| std::mem::take(&mut artifact.extras));
        Some(Self {
            id: id.to_owned(),
            revision: fields.number("revision").unwrap_or(0),
            state,
            reason: hash.get("reason").cloned(),
            format: hash.get("format").map_or(Some(Format::Audio), |word| word.parse().ok()),
            stage: hash.get("stage").and_then(|word| StageName::parse(word)),
            percent: fields.number("percent"),
            eta_s: None,
            eta: None,
            attempt: attempts + u32::from(another),
            max_attempts,
            interruptions: fields.number("interruptions").unwrap_or(0),
            crashes: fields.number("crashes").unwrap_or(0),
            tenant: hash.get("tenant").cloned().unwrap_or_default(),
            priority: fields.number_or("priority", DEFAULT_PRIORITY),
            metadata: fields.json("metadata").unwrap_or_default(),
            enqueued_at: fields.time("enqueued_ms").or_else(|| fields.time("ready_ms")),
            wakes_at: fields.time(if state == State::Delayed && attempts == 0 {
                "ready_ms"
            } else {
                "wake_ms"
            }),
            started_at: fields.time("started_ms"),
            finished_at: fields.time("finished_ms"),
            deadline: fields.time("deadline_ms"),
            artifact,
            extras: extras.unwrap_or_default(),
            live: fields.live(id),
            stages: fields.json("stages").unwrap_or_default(),
            cost: fields.json("cost").unwrap_or_default(),
            error: fields.json("error"),
            waiting: None,
            webhook: fields.webhook().map(WebhookRecord::of),
        })
    }
}

/// A job's hash as Redis keeps it: any client may have written bytes that are no UTF-8, and one
/// such field must not hide the job, nor its neighbours.
pub type RawHash = HashMap<Vec<u8>, Vec<u8>>;

impl JobRecord {
    /// [`JobRecord::from_hash`] from the bytes in Redis.
    pub fn from_raw(id: &str, hash: &RawHash) -> Option<Self> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let hash = hash.iter().map(|(field, value)| (text(field), text(value))).collect();
        Self::from_hash(id, &hash)
    }
}

/// Typed access to a job's hash.
struct Fields<'hash>(&'hash HashMap<String, String>);

impl Fields<'_> {
    fn number<N: std::str::FromStr>(&self, field: &str) -> Option<N> {
        self.0.get(field)?.parse().ok()
    }

    /// A producer need not write down what is as ever; what cannot be read counts as 0.
    fn number_or<N: std::str::FromStr + Default>(&self, field: &str, usual: N) -> N {
        self.0.get(field).map_or(usual, |text| text.parse().unwrap_or_default())
    }

    fn time(&self, field: &str) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.number(field)?)
    }

    /// Known by what the worker remembers of its making.
    fn live(&self, id: &str) -> Option<String> {
        let making = self.0.get(&format!("checkpoint:{LIVE_CHECKPOINT}"))?;
        let tenant = self.0.get("tenant")?;
        Some(format!("media/{tenant}/{id}/live/{making}/index.m3u8"))
    }

    /// The address itself stays in the hash.
    fn webhook(&self) -> Option<WebhookState> {
        self.0.get("webhook")?;
        let word = self.0.get("delivery").map(String::as_str);
        Some(word.and_then(WebhookState::parse).unwrap_or(WebhookState::Waiting))
    }

    fn json<T: serde::de::DeserializeOwned>(&self, field: &str) -> Option<T> {
        serde_json::from_str(self.0.get(field)?).ok()
    }
}
