//! What an attempt counts, as a value: it is counted where the attempt runs, or told to the process that
//! answers scrapes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::gen_ai::{GenAiCall, TokenUse};
use super::stages::StageOutcome;
use super::word::Word;

/// One thing that an attempt has counted. Holds no text, no key and no address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counted(pub(super) What);

/// As the methods of `Metrics` say it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    AttemptEnded {
        stage: Word,
        error_type: Word,
    },
    StageEnded {
        stage: Word,
        outcome: StageOutcome,
        wait: f64,
        run: f64,
        tries: u32,
        trace_id: Option<String>,
    },
    CheckpointKept {
        stage: Word,
        after: Duration,
    },
    CacheAsked {
        result: Word,
    },
    MoneyBooked {
        stage: Word,
        kind: Word,
        usd: f64,
    },
    Interrupted,
    ProviderCalled {
        stage: Word,
        provider: Word,
        code: Word,
        after: Duration,
    },
    ProviderAnswered {
        stage: Word,
        provider: Word,
        status: Option<u16>,
    },
    AccountAsked {
        stage: Word,
        provider: Word,
        result: Word,
        wait: Option<Duration>,
    },
    BudgetAsked {
        result: Word,
    },
    ModelCalled {
        call: GenAiCall,
        after: Duration,
    },
    TokensUsed {
        call: GenAiCall,
        used: TokenUse,
    },
    FirstChunk {
        call: GenAiCall,
        after: Duration,
    },
    NextChunk {
        call: GenAiCall,
        after: Duration,
    },
    Spans {
        result: Word,
        spans: u64,
    },
}

/// Tells another process what was counted, instead of counting it.
#[derive(Clone)]
pub(super) struct Relay(Arc<dyn Fn(Counted) + Send + Sync>);

impl Relay {
    pub(super) fn new(tell: impl Fn(Counted) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(super) fn tell(&self, what: What) {
        (self.0)(Counted(what));
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Relay").finish_non_exhaustive()
    }
}
