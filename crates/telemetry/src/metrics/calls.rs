//! Calls to providers, by stage: how they ended, how long they took, and what servers answered.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::histograms::Histograms;
use super::word::Word;

/// Seconds in line for a place: nobody stands there for longer than half a minute.
const IN_LINE: [f64; 6] = [0.0, 0.25, 1.0, 5.0, 15.0, 30.0];

/// Seconds; from a local step to a try of two minutes.
const BUCKETS: [f64; 14] =
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0];
/// The statuses that vendors are known to answer with; any other is its class.
const STATUSES: [(u16, &str); 21] = [
    (200, "200"),
    (201, "201"),
    (202, "202"),
    (204, "204"),
    (301, "301"),
    (302, "302"),
    (307, "307"),
    (400, "400"),
    (401, "401"),
    (402, "402"),
    (403, "403"),
    (404, "404"),
    (408, "408"),
    (409, "409"),
    (413, "413"),
    (422, "422"),
    (429, "429"),
    (500, "500"),
    (502, "502"),
    (503, "503"),
    (504, "504"),
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    stage: Word,
    provider: Word,
    code: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Provider {
    stage: Word,
    provider: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Response {
    stage: Word,
    provider: Word,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    stage: Word,
    provider: Word,
    result: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Model {
    stage: Word,
    model: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Funds {
    result: Word,
}

#[derive(Debug)]
pub(super) struct Calls {
    requests: Family<Request, Counter>,
    durations: Histograms<Provider>,
    responses: Family<Response, Counter>,
    limits: Family<Asked, Counter>,
    limit_waits: Histograms<Provider>,
    budgets: Family<Funds, Counter>,
    shutdowns: Family<Model, Gauge>,
}

impl Calls {
    pub(super) fn new(to: &mut Registry) -> Self {
        let calls = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            responses: Family::default(),
            limits: Family::default(),
            limit_waits: Family::new_with_constructor(in_line),
            budgets: Family::default(),
            shutdowns: Family::default(),
        };
        let help = "Calls to providers, by `ok`, `cut` or the code of their failure";
        to.register("provider_requests", help, calls.requests.clone());
        let help = "Time of a call inside its slot, body included";
        to.register("provider_duration_seconds", help, calls.durations.clone());
        let help = "Answers of bought providers, by HTTP status; `none` where none came";
        to.register("provider_responses", help, calls.responses.clone());
        let help = "Calls that asked for a place under an account's limits, by `granted`, what held them back, or `unknown`";
        to.register("provider_limit_asks", help, calls.limits.clone());
        let help = "Time in line for a place under an account's limits";
        to.register("provider_limit_wait_seconds", help, calls.limit_waits.clone());
        let help = "Calls under the budget of a tenant, by `taken`, `spent` or `unknown`";
        to.register("budget_asks", help, calls.budgets.clone());
        let help = "When a model that is bought is shut down, where its seller has told";
        to.register("model_shutdown_timestamp_seconds", help, calls.shutdowns.clone());
        calls
    }
}

impl Calls {
    /// A call of `stage` ended after this time: `ok`, `cut`, or the code of its failure.
    pub(super) fn provider_called(
        &self,
        (stage, provider): (Word, Word),
        code: Word,
        after: Duration,
    ) {
        let request = Request { stage: stage.clone(), provider: provider.clone(), code };
        self.requests.get_or_create(&request).inc();
        let durations = self.durations.get_or_create(&Provider { stage, provider });
        durations.observe(after.as_secs_f64());
    }

    /// An account's limits were asked about a call; one that may begin does so after `wait`.
    pub(super) fn account_asked(
        &self,
        (stage, provider): (Word, Word),
        result: Word,
        wait: Option<Duration>,
    ) {
        let asked = Asked { stage: stage.clone(), provider: provider.clone(), result };
        self.limits.get_or_create(&asked).inc();
        if let Some(wait) = wait {
            let waits = self.limit_waits.get_or_create(&Provider { stage, provider });
            waits.observe(wait.as_secs_f64());
        }
    }

    /// The budget of a tenant was asked about a call.
    pub(super) fn budget_asked(&self, result: Word) {
        self.budgets.get_or_create(&Funds { result }).inc();
    }

    /// A model is shut down at this time, in seconds since the epoch, as far as anybody knows.
    pub(super) fn model_shuts_down(&self, stage: Word, model: &str, at: Option<i64>) {
        let model = Model { stage, model: model.to_owned() };
        match at {
            Some(at) => _ = self.shutdowns.get_or_create(&model).set(at),
            None => _ = self.shutdowns.remove(&model),
        }
    }

    /// A provider's server answered with this status, or not at all.
    pub(super) fn provider_answered(&self, (stage, provider): (Word, Word), status: Option<u16>) {
        let status = status.map_or("none", word);
        self.responses.get_or_create(&Response { stage, provider, status }).inc();
    }
}

/// A status as a word of a closed set.
fn word(status: u16) -> &'static str {
    let known = STATUSES.iter().find(|(known, _)| *known == status);
    known.map_or_else(
        || match status / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            5 => "5xx",
            _ => "other",
        },
        |(_, word)| word,
    )
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

fn in_line() -> Histogram {
    Histogram::new(IN_LINE)
}
