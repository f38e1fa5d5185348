//! What is said of the price, of each request, and of all.

use pipeline::StageError;
use serde::Serialize;

use super::stop::Why;

/// What is missing, before anything is bought.
#[derive(Debug, Serialize)]
pub(super) struct Price {
    pub(super) requests: usize,
    /// Requests of which nothing is missing.
    pub(super) warm: usize,
    /// What the rest costs at most, if no call fails.
    pub(super) usd: f64,
    /// What was spent for this file before, in the last two days.
    pub(super) spent_usd: f64,
}

/// What became of one request.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    /// Its line in the file, from 1.
    pub(super) line: usize,
    pub(super) state: State,
    /// What it has cost, also in vain.
    pub(super) usd: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// Nothing was missing.
    Warm,
    /// It is warm now.
    Made,
    /// It is not, and would not be if it were tried again now.
    Failed,
    /// It was not come to, or not to its end.
    Left,
}

#[derive(Debug, Serialize)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn of(error: &StageError) -> Self {
        Self { code: error.code, message: error.to_string() }
    }
}

/// What became of all.
#[derive(Debug, Default)]
pub(super) struct Counts {
    warm: usize,
    made: usize,
    failed: usize,
    left: usize,
    usd: f64,
    stopped: Option<Why>,
}

/// The same for programs.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    requests: usize,
    warm: usize,
    made: usize,
    failed: usize,
    left: usize,
    /// What this run has cost.
    usd: f64,
    /// What was spent for this file, by earlier runs of the last two days too.
    spent_usd: f64,
    /// `max-cost`, `signal` or `fault`, where it has not come to the end.
    stopped: Option<&'static str>,
}

impl Counts {
    pub(super) fn count(&mut self, outcome: &Outcome) {
        self.usd += outcome.usd;
        *match outcome.state {
            State::Warm => &mut self.warm,
            State::Made => &mut self.made,
            State::Failed => &mut self.failed,
            State::Left => &mut self.left,
        } += 1;
    }

    pub(super) fn stopped(&mut self, why: Option<&Why>) {
        self.stopped = why.cloned();
    }

    pub(super) fn summary(&self, spent_usd: f64) -> Summary {
        let Self { warm, made, failed, left, usd, ref stopped } = *self;
        let stopped = stopped.as_ref().map(|why| match why {
            Why::MaxCost => "max-cost",
            Why::Signal => "signal",
            Why::Fault(_) => "fault",
        });
        let requests = warm + made + failed + left;
        Summary { requests, warm, made, failed, left, usd, spent_usd, stopped }
    }

    /// Why it is no success.
    pub(super) fn end(&self) -> Option<String> {
        let Self { failed, left, .. } = self;
        match &self.stopped {
            Some(Why::MaxCost) if *left > 0 => Some(format!(
                "stopped before the call that would cost more than --max-cost; {left} are not warm"
            )),
            Some(Why::Signal) if *left > 0 => {
                Some(format!("stopped; {left} are not warm, and the same command goes on"))
            }
            Some(Why::Fault(fault)) => Some(format!("stopped, {left} are not warm: {fault}")),
            _ if *failed > 0 => Some(format!("{failed} failed, and say why")),
            _ => None,
        }
    }
}
