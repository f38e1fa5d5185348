//! A reason goes in; its sentence, its cure and its facts come out, as they stand beside a record.

use chrono::{DateTime, SecondsFormat, Utc};
use stillcast_enqueue::{ErrorReport, StageName, Waiting};

use super::reason::WaitingReason;

/// The code of a job that parks under the limits of a provider's account; its message says for whom and
/// what it waits.
const ACCOUNT_LIMIT: &str = "account-limit";
/// What nobody has to do anything about.
const NOTHING: &str = "Nothing needs to be done.";

impl WaitingReason {
    /// What stands beside the record of a job that waits; `None` for one that runs or has ended.
    pub fn waiting(&self) -> Option<Waiting> {
        self.is_wait().then(|| self.told())
    }

    /// One true sentence, and a cure, of any job.
    pub fn told(&self) -> Waiting {
        let (sentence, cure) = (self.sentence(), self.cure().to_owned());
        let (stage, provider) = self.place();
        let jobs = if let Self::Flight { owners, .. } = self { owners.clone() } else { Vec::new() };
        let slots = if let Self::SlotsTaken { slots, .. } = self { Some(*slots) } else { None };
        Waiting {
            code: self.code().to_owned(),
            sentence,
            cure,
            since: self.since(),
            until: self.until(),
            ahead: self.ahead(),
            slots,
            stage,
            provider,
            jobs,
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Running { worker } => format!("It does not wait: the worker {worker} has it."),
            Self::Ended { state } => format!("It does not wait: it is {state}."),
            Self::LeaseOver { worker, gap_until } => lease_over(worker, *gap_until),
            Self::DeadlinePassed { deadline } => format!(
                "Its deadline, {}, has passed; whoever looks next ends it as expired.",
                time(*deadline)
            ),
            Self::Scheduled { until } => {
                format!("It shall not begin before its `run_at`, {}.", time(*until))
            }
            Self::Backoff { until, attempts, max_attempts, error } => format!(
                "{attempts} of {max_attempts} attempts have failed{}; the next one is not before {}.",
                of(error.as_ref()),
                time(*until)
            ),
            Self::Provider { until, error } => format!(
                "A provider refuses the workers' account or set-up, or its worker lacked a part{}; it \
                 is tried again at {} at the latest.",
                of(error.as_ref()),
                time(*until)
            ),
            Self::Rate { until, error: Some(error) } if error.code == ACCOUNT_LIMIT => {
                format!("It {}, and asks again at {}.", error.message, time(*until))
            }
            Self::Rate { until, error } => format!(
                "A provider has asked to wait until {}{}.",
                time(*until),
                of(error.as_ref())
            ),
            Self::Budget { until, error } => {
                let message = error.as_ref().map(|error| error.message.as_str());
                let why = message.unwrap_or("waits for its tenant's next day");
                format!("It {why}; it goes on at {}.", time(*until))
            }
            Self::Flight { owners, until } => flight(owners, *until),
            Self::Version { until } => format!(
                "Its request is written for a newer worker than the one that met it; it is offered \
                 again at {}.",
                time(*until)
            ),
            Self::Paused { since } => format!("The queue is paused since {}.", time(*since)),
            other => other.sentence_of_workers(),
        }
    }

    fn sentence_of_workers(&self) -> String {
        match self {
            Self::NoWorker => "No worker has signed on to this queue.".to_owned(),
            Self::WorkersSilent { workers, seen_at } => format!(
                "No worker has been heard for half a lease: {workers} signed on{}.",
                seen_at
                    .map_or_else(String::new, |at| format!(", the last word came at {}", time(at)))
            ),
            Self::WorkersLeaving { workers } => {
                format!("All workers ({workers}) leave: they end what they have and claim no more.")
            }
            Self::Refused { stage, until } => format!(
                "All workers are refused by a provider{}, and claim nothing but one probe at a time; \
                 the next one may go at {}.",
                stage.map_or_else(String::new, |stage| format!(" at the stage {stage}")),
                time(*until)
            ),
            Self::Gap { until, ahead } => format!(
                "Redis was away: until {} nothing is taken from workers that may be gone, and every \
                 slot counts as taken; {}.",
                time(*until),
                before(*ahead)
            ),
            Self::SlotsTaken { slots, ahead } => {
                format!("All {slots} slots of the workers are taken; {}.", before(*ahead))
            }
            Self::Turn { ahead } => {
                format!("Its turn comes next that a worker looks; {}.", before(*ahead))
            }
            _ => String::new(),
        }
    }

    fn cure(&self) -> &'static str {
        match self {
            Self::DeadlinePassed { .. } | Self::NoWorker => {
                "Start a worker: `stillcast-worker` with this REDIS_URL and QUEUE_NAME."
            }
            Self::Backoff { .. } => {
                "Look at the error; what repeats itself is cancelled and enqueued anew."
            }
            Self::Provider { .. } | Self::Refused { .. } => {
                "Mend what the error names (key, account, model, a missing part); then `stillcast queue \
                 resume` goes on at once."
            }
            Self::Version { .. } => "Upgrade the workers.",
            Self::Paused { .. } => {
                "`stillcast queue resume`; `stillcast queue audit` says who paused it."
            }
            Self::WorkersSilent { .. } => {
                "Look whether the workers live and reach Redis; restart those that hang."
            }
            Self::WorkersLeaving { .. } => "Start workers in their place.",
            Self::SlotsTaken { .. } => {
                "It waits its turn; more workers, or a greater MAX_PARALLEL_TASKS, shorten the wait."
            }
            Self::Rate { .. } => {
                "It goes on by itself; a higher rate limit at the provider ends that, and a setting that is \
                 named here is raised with it."
            }
            Self::Budget { .. } => {
                "It goes on by itself as the next day (UTC) begins; a higher TENANT_BUDGETS at the workers lets \
                 it go on as soon as the first of them is started with it."
            }
            Self::Running { .. }
            | Self::Ended { .. }
            | Self::LeaseOver { .. }
            | Self::Scheduled { .. }
            | Self::Flight { .. }
            | Self::Gap { .. }
            | Self::Turn { .. } => NOTHING,
        }
    }

    fn since(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Paused { since } => Some(*since),
            Self::DeadlinePassed { deadline } => Some(*deadline),
            Self::WorkersSilent { seen_at, .. } => *seen_at,
            _ => None,
        }
    }

    fn until(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Scheduled { until }
            | Self::Backoff { until, .. }
            | Self::Provider { until, .. }
            | Self::Rate { until, .. }
            | Self::Budget { until, .. }
            | Self::Flight { until, .. }
            | Self::Version { until }
            | Self::Refused { until, .. }
            | Self::Gap { until, .. } => Some(*until),
            Self::LeaseOver { gap_until, .. } => *gap_until,
            _ => None,
        }
    }

    fn ahead(&self) -> Option<u64> {
        match self {
            Self::Gap { ahead, .. } | Self::SlotsTaken { ahead, .. } | Self::Turn { ahead } => {
                Some(*ahead)
            }
            _ => None,
        }
    }

    /// Stage and provider.
    fn place(&self) -> (Option<StageName>, Option<String>) {
        match self {
            Self::Backoff { error, .. }
            | Self::Provider { error, .. }
            | Self::Rate { error, .. }
            | Self::Budget { error, .. } => {
                let place = |error: &ErrorReport| (error.stage, error.provider.clone());
                error.as_ref().map(place).unwrap_or_default()
            }
            Self::Refused { stage, .. } => (*stage, None),
            _ => (None, None),
        }
    }
}

fn lease_over(worker: &str, gap_until: Option<DateTime<Utc>>) -> String {
    let when = gap_until.map_or_else(
        || "it is given to another within moments".to_owned(),
        |until| format!("Redis was away, so that nothing is taken from it before {}", time(until)),
    );
    format!("The worker {worker} had it and has not renewed its lease; {when}.")
}

fn flight(owners: &[String], until: DateTime<Utc>) -> String {
    match owners {
        [] => "What it waits for is there, or has found an heir: it is woken within moments."
            .to_owned(),
        [owner] => format!(
            "The job {owner} makes what it needs too; it goes on once that is there, or looks again \
             at {}.",
            time(until)
        ),
        owners => format!(
            "The jobs {} make what it needs too; it goes on once that is there, or looks again at {}.",
            owners.join(", "),
            time(until)
        ),
    }
}

fn before(ahead: u64) -> String {
    match ahead {
        0 => "no job goes before it".to_owned(),
        1 => "1 job goes before it".to_owned(),
        more => format!("{more} jobs go before it"),
    }
}

/// ` (tts, provider openai: rate-limited)`; empty for nothing.
fn of(error: Option<&ErrorReport>) -> String {
    let Some(error) = error else { return String::new() };
    let stage = error.stage.map(|stage| stage.as_str().to_owned());
    let provider = error.provider.as_ref().map(|name| format!("provider {name}"));
    let place: Vec<String> = stage.into_iter().chain(provider).collect();
    let place = if place.is_empty() { String::new() } else { format!("{}: ", place.join(", ")) };
    format!(" ({place}{})", error.code)
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
