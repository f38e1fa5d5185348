//! A queue, a provider that sells, and workers of one fleet that buy there; their records and the
//! provider's journal come out.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use stillcast_enqueue::{Job, JobId, JobRecord, Producer, StageName, StageRecord, State};
use tests::server::Server;
use tests::simulator::{Endpoint, Key, Keys, Latency, Options, Purchase, Simulator};

use crate::bench::{Bench, get, producer, until};
use crate::bought::buying;

/// The capabilities, by the first word of their settings; each has a key of its own here.
pub(crate) const CAPABILITIES: [&str; 3] = ["LLM", "TTS", "IMAGE"];

/// A provider and a queue.
pub(crate) struct Market {
    pub(crate) server: Server,
    pub(crate) simulator: Simulator,
    pub(crate) producer: Producer,
}

/// The key of a capability. No log and no error may hold it.
pub(crate) fn key(capability: &str) -> String {
    format!("sk-canary-{capability}-5521")
}

impl Market {
    pub(crate) async fn open(latency: Latency) -> Self {
        // What a power cut would lose is not what these tests are about.
        let server = Server::start_everysec().await.unwrap();
        let keys = CAPABILITIES
            .iter()
            .fold(Keys::default(), |keys, capability| keys.with(&key(capability), Key::default()));
        let options = Options { latency, keys, ..Options::quick(server.folder()) };
        let simulator = Simulator::start(options).await.unwrap();
        let producer = producer(&server).await;
        Self { server, simulator, producer }
    }

    /// The environment of a worker in a home of its own; all share one store.
    pub(crate) fn bench(&self) -> Bench {
        let bench = buying(&self.server, &self.simulator)
            .set("STORAGE_URL", &format!("file://{}", self.store().display()))
            // A machine with more to do than it can would lose a short lease, and buy again.
            .set("LEASE_TTL", "30");
        CAPABILITIES.iter().fold(bench, |bench, capability| {
            bench.set(&format!("{capability}_API_KEY"), &key(capability))
        })
    }

    pub(crate) fn store(&self) -> std::path::PathBuf {
        self.server.folder().join("store")
    }

    pub(crate) async fn enqueue(&self, jobs: &[Job]) -> Vec<JobId> {
        let accepted = self.producer.enqueue_many(jobs).await;
        accepted.into_iter().map(|accepted| accepted.unwrap().id).collect()
    }

    pub(crate) async fn records(&self, ids: &[JobId]) -> Option<Vec<JobRecord>> {
        self.producer.status(ids).await.ok()?.into_iter().collect()
    }

    pub(crate) async fn record(&self, id: &JobId) -> JobRecord {
        until("Redis answers", async || self.records(std::slice::from_ref(id)).await?.pop()).await
    }

    /// The records of jobs that must all be done.
    pub(crate) async fn done(&self, ids: &[JobId]) -> Vec<JobRecord> {
        let records = until("every job has ended", async || {
            let records = self.records(ids).await?;
            records.iter().all(|record| record.state.is_terminal()).then_some(records)
        })
        .await;
        let failed = records.iter().find(|record| record.state != State::Done);
        assert!(failed.is_none(), "{failed:#?}");
        records
    }

    /// What has been bought of `endpoint`, or refused, with this outcome.
    pub(crate) fn purchases(&self, endpoint: Endpoint, outcome: &str) -> Vec<Purchase> {
        let mut purchases = self.simulator.purchases();
        purchases.retain(|bought| bought.endpoint == endpoint && bought.outcome == outcome);
        purchases
    }

    /// How often each thing was bought to the end.
    pub(crate) fn bought(&self, endpoint: Endpoint) -> BTreeMap<String, usize> {
        let purchases = self.purchases(endpoint, "done").into_iter();
        purchases.fold(BTreeMap::new(), |mut counts, purchase| {
            *counts.entry(purchase.input).or_default() += 1;
            counts
        })
    }

    /// Nothing was bought twice.
    pub(crate) fn assert_each_bought_once(&self) {
        for endpoint in [Endpoint::Chat, Endpoint::Speech, Endpoint::Image] {
            let bought = self.bought(endpoint);
            assert!(bought.values().all(|count| *count == 1), "{endpoint:?}: {bought:?}");
        }
    }
}

/// How often the worker at `address` met `result` in its cache. A cache that does not answer in time
/// is a miss, so that each `failed` may cost one call more.
pub(crate) async fn met(address: SocketAddr, result: &str) -> usize {
    let line = format!("\nstillcast_cache_requests_total{{result=\"{result}\"}} ");
    let page = until("the worker answers", async || get(address, "/metrics").await).await;
    let count = page.split_once(&line).and_then(|(_, rest)| rest.lines().next()?.parse().ok());
    count.unwrap_or_default()
}

/// What `stage` did.
pub(crate) fn stage(record: &JobRecord, stage: StageName) -> &StageRecord {
    let found = record.stages.iter().find(|record| record.stage == stage);
    found.unwrap_or_else(|| panic!("no {stage} in {record:#?}"))
}
