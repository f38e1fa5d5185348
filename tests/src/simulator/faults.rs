//! A script or a seed goes in; what the next call of an endpoint does comes out.

use std::collections::{BTreeMap, VecDeque};

use fastrand::Rng;
use serde::{Deserialize, Serialize};

/// What can be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `POST /v1/chat/completions`.
    Chat,
    /// `POST /v1/audio/speech`.
    Speech,
    /// `POST /v1/images/generations`.
    Image,
    /// `POST /v1/moderations`, which costs nothing.
    Moderation,
    /// `GET /v1/realtime`, where a socket opens on which speech is bought; itself it costs nothing and is not in
    /// the journal.
    Realtime,
    /// `GET /v1/models`, which costs nothing and is not in the journal.
    Models,
}

/// How a call goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// An error status, whose message quotes the request and its key.
    Status {
        /// Such as 500.
        status: u16,
        /// `error.code`.
        #[serde(default)]
        code: String,
        /// More headers, such as `retry-after`.
        #[serde(default)]
        headers: Vec<(String, String)>,
    },
    /// The connection breaks in the middle of the answer.
    Reset,
    /// The answer stops in the middle, and the connection stays.
    Stall,
    /// The answer ends in the middle, as if it were whole.
    Truncate,
    /// Too few words, or a part of the speech, with status 200.
    Short,
    /// Too many words.
    Long,
    /// The writer runs into its limit of tokens.
    Length,
    /// The writer refuses, with status 200.
    Refuse,
    /// A voice that says nothing.
    Silent,
    /// A voice that says a word more, and says so.
    Reword,
    /// A session that has lasted as long as it may.
    Expire,
    /// A gateway's page with status 200.
    Html,
    /// Bytes that are no text, with status 200.
    InvalidUtf8,
    /// The same in the middle of the writer's stream.
    Garble,
    /// Nothing, with status 200.
    Empty,
    /// A picture as a link.
    Link,
    /// A picture with more pixels than anybody asked for.
    Huge,
    /// WAV with a length that a streaming server cannot know.
    Wav,
}

impl Fault {
    /// Those that a second try gets over.
    #[must_use]
    pub fn passing() -> Vec<Self> {
        vec![
            Self::status(500, ""),
            Self::status(429, "rate_limit_exceeded").with("retry-after", "1"),
            Self::Reset,
            Self::Truncate,
            Self::Html,
        ]
    }

    /// A status without more.
    #[must_use]
    pub fn status(status: u16, code: &str) -> Self {
        Self::Status { status, code: code.to_owned(), headers: Vec::new() }
    }

    /// The same with a header.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        match self {
            Self::Status { status, code, mut headers } => {
                headers.push((name.to_owned(), value.to_owned()));
                Self::Status { status, code, headers }
            }
            other => other,
        }
    }
}

/// What the next calls do.
#[derive(Debug)]
pub struct Faults {
    scripts: BTreeMap<Endpoint, VecDeque<Option<Fault>>>,
    rng: Rng,
    rate: f64,
    random: Vec<Fault>,
}

impl Faults {
    /// Those of `random` at `rate`, decided by `seed`.
    #[must_use]
    pub fn new(seed: u64, rate: f64, random: Vec<Fault>) -> Self {
        Self { scripts: BTreeMap::new(), rng: Rng::with_seed(seed), rate, random }
    }

    /// What the next calls of `endpoint` do, instead of what was scripted before.
    pub fn script(&mut self, endpoint: Endpoint, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.scripts.insert(endpoint, faults.into_iter().collect());
    }

    pub(super) fn next(&mut self, endpoint: Endpoint) -> Option<Fault> {
        if let Some(scripted) = self.scripts.get_mut(&endpoint).and_then(VecDeque::pop_front) {
            return scripted;
        }
        if self.rng.f64() >= self.rate {
            return None;
        }
        self.rng.choice(&self.random).cloned()
    }
}
