//! A provider that sells over the wire, a queue, and the environment of workers that buy there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use stillcast_enqueue::keys::Keys;
use stillcast_enqueue::{Cost, State};
use stillcast_enqueue::{Format, Job, JobId, JobRecord, Producer, Source, StageName, StageRecord};
use tests::server::Server;
use tests::simulator::{Endpoint, Latency, Options, Purchase, Simulator};

use crate::bench::{Bench, QUEUE, producer, until};
use crate::bought::buying;

/// Everything that can be bought.
pub(super) const ENDPOINTS: [Endpoint; 3] = [Endpoint::Chat, Endpoint::Speech, Endpoint::Image];
/// Sums of prices differ by no more, whatever their order.
pub(super) const DUST: f64 = 1e-9;

/// A provider, a queue, and a worker's environment that buys there.
pub(super) struct Shop {
    pub(super) server: Server,
    pub(super) simulator: Simulator,
    pub(super) producer: Producer,
}

impl Shop {
    pub(super) async fn open(latency: Latency) -> Self {
        Self::open_with(|options| Options { latency, ..options }).await
    }

    pub(super) async fn open_with(options: impl FnOnce(Options) -> Options) -> Self {
        let server = Server::start().await.unwrap();
        let options = options(Options::quick(server.folder()));
        let simulator = Simulator::start(options).await.unwrap();
        let producer = producer(&server).await;
        Self { server, simulator, producer }
    }

    pub(super) fn bench(&self) -> Bench {
        buying(&self.server, &self.simulator)
    }

    pub(super) async fn enqueue(&self, jobs: &[Job]) -> Vec<JobId> {
        let accepted = self.producer.enqueue_many(jobs).await;
        accepted.into_iter().map(|accepted| accepted.unwrap().id).collect()
    }

    pub(super) async fn record(&self, id: &JobId) -> Option<JobRecord> {
        self.producer.status(std::slice::from_ref(id)).await.ok()?.pop()?
    }

    pub(super) async fn ended(&self, ids: &[JobId]) -> Vec<JobRecord> {
        until("every job has ended", async || {
            let records = self.producer.status(ids).await.ok()?;
            let records: Option<Vec<JobRecord>> = records.into_iter().collect();
            records.filter(|all| all.iter().all(|record| record.state.is_terminal()))
        })
        .await
    }

    /// The states of jobs; none when the queue does not answer.
    pub(super) async fn states(&self, ids: &[JobId]) -> Option<Vec<State>> {
        let records = self.producer.status(ids).await.ok()?;
        records.into_iter().map(|record| Some(record?.state)).collect()
    }

    /// All must be done.
    pub(super) async fn done(&self, ids: &[JobId]) -> Vec<JobRecord> {
        let records = self.ended(ids).await;
        let others: Vec<_> = records.iter().filter(|record| record.state != State::Done).collect();
        assert!(others.is_empty(), "{} of {} not done: {others:#?}", others.len(), ids.len());
        records
    }

    /// A job's hash in Redis; its checkpoints are the fields `checkpoint:<name>`.
    pub(super) async fn hash(&self, id: &str) -> HashMap<String, String> {
        let key = Keys::new(QUEUE).unwrap().job(id);
        self.server.hash(&key).await.unwrap_or_default()
    }

    /// The names of the job's checkpoints that begin with `prefix`.
    pub(super) async fn pinned(&self, id: &str, prefix: &str) -> usize {
        let field = format!("checkpoint:{prefix}");
        self.hash(id).await.keys().filter(|name| name.starts_with(&field)).count()
    }

    /// The jobs that own the flight of something to be bought, each with its worker's process.
    pub(super) async fn payers(&self) -> BTreeSet<(String, i32)> {
        let mut payers = BTreeSet::new();
        let keys = self.server.keys("*:flight:*").await.unwrap_or_default();
        for key in keys.iter().filter(|key| !key.contains("/delivery/")) {
            let flight = self.server.hash(key).await.unwrap_or_default();
            let Some(id) = flight.get("job") else { continue };
            let job = self.hash(id).await;
            // A worker's name is host, process and chance.
            let worker = job.get("worker").map_or("", String::as_str);
            let process = worker.rsplit('-').nth(1).and_then(|text| text.parse().ok());
            if job.get("token") == flight.get("token")
                && let Some(process) = process
            {
                payers.insert((id.clone(), process));
            }
        }
        payers
    }

    /// How often each thing was bought to the end.
    pub(super) fn bought(&self, endpoint: Endpoint) -> BTreeMap<String, usize> {
        let is_done =
            |purchase: &&Purchase| purchase.endpoint == endpoint && purchase.outcome == "done";
        let purchases = self.simulator.purchases();
        purchases.iter().filter(is_done).fold(BTreeMap::new(), |mut counts, purchase| {
            *counts.entry(purchase.input.clone()).or_default() += 1;
            counts
        })
    }

    pub(super) fn count(&self, endpoint: Endpoint) -> usize {
        self.bought(endpoint).values().sum()
    }

    /// US dollars, of one endpoint or of all.
    pub(super) fn paid(&self, endpoint: Option<Endpoint>) -> f64 {
        let purchases = self.simulator.purchases();
        let of =
            |purchase: &&Purchase| endpoint.is_none_or(|endpoint| purchase.endpoint == endpoint);
        purchases.iter().filter(of).map(|purchase| purchase.usd).sum()
    }

    /// US dollars for calls whose client went away, and for what was bought to the end once more.
    pub(super) fn cut_off(&self) -> f64 {
        let mut seen = BTreeSet::new();
        let is_lost = |purchase: &&Purchase| {
            let is_done = purchase.outcome == "done" && !purchase.spoilt;
            purchase.outcome == "left" || (is_done && !seen.insert(purchase.input.clone()))
        };
        self.simulator.purchases().iter().filter(is_lost).map(|purchase| purchase.usd).sum()
    }

    /// What was paid and stands in no record.
    pub(super) fn unbooked(&self, records: &[JobRecord]) -> f64 {
        let cost = sum(records);
        self.paid(None) - cost.spent_usd - cost.wasted_usd
    }

    /// One job's worth of calls, whoever paid.
    pub(super) fn assert_each_bought_once(&self) {
        for endpoint in ENDPOINTS {
            let bought = self.bought(endpoint);
            assert!(bought.values().all(|count| *count == 1), "{endpoint:?}: {bought:?}");
        }
        assert_eq!((self.count(Endpoint::Chat), self.count(Endpoint::Image)), (1, 1));
    }
}

pub(super) const TEXT: &str = "A heron stood in the river after the rain.";

pub(super) fn job(format: Format) -> Job {
    Job::new(Source::Text(TEXT.to_owned()), format)
}

/// Slow enough to be caught in the middle.
pub(super) fn slow_voice() -> Latency {
    let voice = Latency { first_audio: 0.3, real_time_factor: 0.0, ..Latency::NONE };
    Latency { first_token: 0.0, tokens_per_s: 1e6, picture: 0.0, scale: 1.0, ..voice }
}

pub(super) fn stage(record: &JobRecord, stage: StageName) -> &StageRecord {
    record.stages.iter().find(|record| record.stage == stage).unwrap()
}

/// The money of all records.
pub(super) fn sum(records: &[JobRecord]) -> Cost {
    records.iter().fold(Cost::default(), |sum, record| Cost {
        spent_usd: sum.spent_usd + record.cost.spent_usd,
        avoided_usd: sum.avoided_usd + record.cost.avoided_usd,
        wasted_usd: sum.wasted_usd + record.cost.wasted_usd,
    })
}

#[track_caller]
pub(super) fn assert_usd(booked: f64, paid: f64, what: &str) {
    assert!((booked - paid).abs() < DUST, "{what}: booked {booked}, paid {paid}");
}
