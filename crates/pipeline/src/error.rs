//! Failures, classified by who knows: the adapter says what a failure means, the runner decides.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use stillcast_enqueue::{Cost, ErrorReport, StageName, StageRecord};

use crate::{Interrupted, Usage};

/// What a failure means for the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    /// The same call may well succeed later: 5xx, reset, time-out, 429.
    Transient {
        /// The wait that the provider asked for.
        retry_after: Option<Duration>,
    },
    /// This input will never do: refused content, invalid request. The job is dead at once.
    Permanent,
    /// The account or the set-up is at fault, and would fail every job: 401, unknown model, a
    /// missing program. No attempt is used; the worker opens its breaker.
    Misconfigured,
    /// This worker lacks a part that the job needs and another worker may have. No attempt is used,
    /// and nothing of this worker's other jobs is in doubt.
    Unequipped,
    /// Shutdown, lost lease, cancel. Nobody's fault; nothing to report but the release.
    Interrupted,
}

/// Why a provider's call failed. Holds no private text.
#[derive(Clone, Debug)]
pub struct ProviderError {
    /// Whose call it was, such as `offline`.
    pub provider: &'static str,
    /// What it means.
    pub failure: FailureClass,
    /// A stable kebab-case word for programs, such as `speech-silent`.
    pub code: &'static str,
    /// What happened and what to do, for people; lower case, without a full stop.
    pub message: String,
    /// The part of our request that the server does not take, in our own spelling; whoever sent it
    /// may know how to do without.
    pub parameter: Option<&'static str>,
    /// What it means when the next try meets the same code; `failure` again when unset.
    pub again: Option<FailureClass>,
    /// What the failed call has used, and nobody will have anything of.
    pub wasted: Usage,
    /// What caused it.
    pub source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ProviderError {
    /// A failure of class `failure`.
    pub fn new(
        provider: &'static str,
        failure: FailureClass,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            provider,
            failure,
            code,
            message: message.into(),
            parameter: None,
            again: None,
            wasted: Usage::default(),
            source: None,
        }
    }

    /// A failure that may pass by itself.
    pub fn transient(
        provider: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(provider, FailureClass::Transient { retry_after: None }, code, message)
    }

    /// A failure of this input.
    pub fn permanent(
        provider: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(provider, FailureClass::Permanent, code, message)
    }

    /// A failure of the set-up.
    pub fn misconfigured(
        provider: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(provider, FailureClass::Misconfigured, code, message)
    }

    /// A part that this worker lacks.
    pub fn unequipped(
        provider: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(provider, FailureClass::Unequipped, code, message)
    }

    /// Says what a second such failure in a row of tries means: one bad answer is an accident.
    #[must_use]
    pub fn again(self, failure: FailureClass) -> Self {
        Self { again: Some(failure), ..self }
    }

    /// Books what the failed call has used all the same.
    #[must_use]
    pub fn wasting(self, wasted: Usage) -> Self {
        Self { wasted, ..self }
    }

    /// Keeps the cause.
    #[must_use]
    pub fn because(self, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    pub(crate) fn at(self, stage: StageName) -> StageError {
        StageError {
            stage,
            provider: Some(self.provider),
            failure: self.failure,
            code: self.code,
            message: self.message,
            park: None,
            again: self.again,
            other_job: None,
            source: self.source,
        }
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.provider, self.message)
    }
}

impl Error for ProviderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// Why a stage failed, with all that the worker needs to report an outcome:
///
/// * `park` set: park the job (`rate`) for that long; no attempt is used. The wait that the
///   provider asked for is above the stage's back-off cap, or beyond the budget left;
/// * else by `failure`: `Transient` is a retry of the job (its `retry_after`, when there is one, is
///   the least delay), `Permanent` is dead, `Misconfigured` and `Unequipped` park
///   (`provider`), `Interrupted` releases.
#[derive(Clone, Debug)]
pub struct StageError {
    /// The stage that failed.
    pub stage: StageName,
    /// The provider that failed, when one did.
    pub provider: Option<&'static str>,
    /// What it means.
    pub failure: FailureClass,
    /// A stable kebab-case word for programs.
    pub code: &'static str,
    /// What happened and what to do, for people.
    pub message: String,
    /// Park the job for this long instead of using an attempt.
    pub park: Option<Duration>,
    /// What it would have meant at the next try.
    pub again: Option<FailureClass>,
    /// What another job has to do with it, when one has.
    pub other_job: Option<Box<OtherJob>>,
    /// What caused it.
    pub source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What another job has to do with a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherJob {
    /// Other jobs pay for all that is missing: park until these flights have landed.
    Flights(Vec<String>),
    /// Another job has met this permanent failure of the same input.
    Failed(ErrorReport),
}

impl StageError {
    /// A failure of the runner itself rather than of a provider.
    pub fn new(
        stage: StageName,
        failure: FailureClass,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into();
        Self {
            stage,
            provider: None,
            failure,
            code,
            message,
            park: None,
            again: None,
            other_job: None,
            source: None,
        }
    }

    /// Says what another job has to do with it.
    #[must_use]
    pub fn of_other_job(self, other_job: OtherJob) -> Self {
        Self { other_job: Some(Box::new(other_job)), ..self }
    }

    /// Nothing of `stage` may begin any more, for this reason.
    pub(crate) fn interrupted(stage: StageName, why: Interrupted) -> Self {
        Self::new(stage, FailureClass::Interrupted, why.reason, why.to_string())
    }

    /// The failure of a branch that stops, or is no longer fed, since another one has failed.
    pub(crate) fn halted(stage: StageName) -> Self {
        Self::new(stage, FailureClass::Interrupted, "halted", "another stage has failed")
    }

    /// The record's form of this error; the cause is part of its message.
    pub fn report(&self) -> ErrorReport {
        ErrorReport {
            stage: Some(self.stage),
            provider: self.provider.map(str::to_owned),
            code: self.code.to_owned(),
            message: match &self.source {
                Some(source) => format!("{} ({source})", self.message),
                None => self.message.clone(),
            },
        }
    }
}

impl fmt::Display for StageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.provider {
            Some(provider) => write!(f, "{} ({provider}): {}", self.stage, self.message),
            None => write!(f, "{}: {}", self.stage, self.message),
        }
    }
}

impl Error for StageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// An attempt that delivered nothing, and what its stages did until then.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct Failed {
    /// The first failure; what its siblings met afterwards is a consequence.
    #[source]
    pub error: StageError,
    /// The account of each stage that had begun, in travel order.
    pub stages: Vec<StageRecord>,
    /// What this attempt has cost.
    pub cost: Cost,
}
