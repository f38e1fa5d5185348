//! A provider that sells over the wire and a queue go in; the environment of workers that buy there,
//! the records of their jobs and the provider's journal come out.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use stillcast_enqueue::capability::Capability;
use stillcast_enqueue::{Format, Job, JobId, JobRecord, Producer, Source, StageName, StageRecord};
use stillcast_enqueue::{State, keys};
use tests::server::Server;
use tests::simulator::{Key, Keys, Latency, Options, Simulator};
use tokio::sync::mpsc::unbounded_channel;

use crate::bought::buying;
use crate::harness::{QUEUE, WorkerHarness, get, producer, until};

mod journal;
mod toll;

pub(crate) use journal::{ENDPOINTS, USD_EPSILON, assert_usd, sum};
pub(crate) use toll::PARTS;
use toll::Sold;

pub(crate) const TEXT: &str = "A heron stood in the river after the rain.";

/// A provider, a queue, and the store of all workers.
pub(crate) struct PaidHarness {
    pub(crate) server: Server,
    pub(crate) simulator: Simulator,
    pub(crate) producer: Producer,
    sold: Mutex<Sold>,
}

impl PaidHarness {
    pub(crate) async fn open(latency: Latency) -> Self {
        Self::open_with(|options| Options { latency, ..options }).await
    }

    pub(crate) async fn open_with(options: impl FnOnce(Options) -> Options) -> Self {
        // What a power cut would lose is not what these tests are about.
        let server = Server::start_everysec().await.unwrap();
        let keys = Capability::ALL
            .map(key)
            .iter()
            .fold(Keys::default(), |keys, key| keys.with(key, Key::default()));
        let (told, sold) = unbounded_channel();
        let told = Some(told);
        let options = options(Options { keys, told, ..Options::quick(server.folder()) });
        let simulator = Simulator::start(options).await.unwrap();
        let producer = producer(&server).await;
        Self { server, simulator, producer, sold: Sold::heard(sold) }
    }

    /// The environment of a worker in a home of its own; all share one store.
    pub(crate) fn harness(&self) -> WorkerHarness {
        let harness = buying(&self.server, &self.simulator)
            .set("STORAGE_URL", &format!("file://{}", self.store().display()))
            // A machine with more to do than it can would lose a short lease, and buy again.
            .set("LEASE_TTL", "30");
        Capability::ALL.into_iter().fold(harness, |harness, capability| {
            harness.set(&format!("{capability}_API_KEY"), &key(capability))
        })
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.server.folder().join("store")
    }

    /// A file where the folder of deliveries should be: until it is removed, nothing is delivered.
    pub(crate) fn obstruct_deliveries(&self) -> PathBuf {
        let obstacle = self.store().join("media");
        std::fs::create_dir_all(self.store()).unwrap();
        std::fs::write(&obstacle, "").unwrap();
        obstacle
    }

    pub(crate) async fn enqueue(&self, jobs: &[Job]) -> Vec<JobId> {
        let accepted = self.producer.enqueue_many(jobs).await;
        accepted.into_iter().map(|accepted| accepted.unwrap().id).collect()
    }

    /// The records of jobs, as soon as the queue answers.
    pub(crate) async fn records(&self, ids: &[JobId]) -> Vec<JobRecord> {
        until("the queue answers", async || {
            self.producer.status(ids).await.ok()?.into_iter().collect()
        })
        .await
    }

    pub(crate) async fn record(&self, id: &JobId) -> JobRecord {
        self.records(std::slice::from_ref(id)).await.remove(0)
    }

    /// The records of jobs once all have ended, however.
    pub(crate) async fn ended(&self, ids: &[JobId]) -> Vec<JobRecord> {
        until("every job has ended", async || {
            let records = self.records(ids).await;
            records.iter().all(|record| record.state.is_terminal()).then_some(records)
        })
        .await
    }

    /// The records of jobs that must all be done.
    pub(crate) async fn done(&self, ids: &[JobId]) -> Vec<JobRecord> {
        let records = self.ended(ids).await;
        let others: Vec<_> = records.iter().filter(|record| record.state != State::Done).collect();
        assert!(others.is_empty(), "{} of {} not done: {others:#?}", others.len(), ids.len());
        records
    }

    /// A job's hash in Redis; its checkpoints are the fields `checkpoint:<name>`.
    pub(crate) async fn hash(&self, id: &str) -> HashMap<String, String> {
        let key = keys::Keys::new(QUEUE).unwrap().job(id);
        self.server.hash(&key).await.unwrap_or_default()
    }

    /// How many of the job's checkpoints have a name that begins with `prefix`.
    pub(crate) async fn pinned(&self, id: &str, prefix: &str) -> usize {
        let field = format!("checkpoint:{prefix}");
        self.hash(id).await.keys().filter(|name| name.starts_with(&field)).count()
    }

    /// The jobs that own the flight of something to be bought, each with its worker's process.
    pub(crate) async fn payers(&self) -> BTreeSet<(String, i32)> {
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
}

/// The key of a capability, each of which has its own here. No log and no error may hold it.
pub(crate) fn key(capability: Capability) -> String {
    format!("sk-canary-{capability}-5521")
}

pub(crate) fn job(format: Format) -> Job {
    Job::new(Source::Text(TEXT.to_owned()), format)
}

/// Slow enough to be caught in the middle.
pub(crate) fn slow_voice() -> Latency {
    let voice = Latency { first_audio: 0.3, real_time_factor: 0.0, ..Latency::NONE };
    Latency { first_token: 0.0, tokens_per_s: 1e6, picture: 0.0, scale: 1.0, ..voice }
}

/// What `stage` did.
pub(crate) fn stage(record: &JobRecord, stage: StageName) -> &StageRecord {
    let found = record.stages.iter().find(|record| record.stage == stage);
    found.unwrap_or_else(|| panic!("no {stage} in {record:#?}"))
}

/// How often the worker at `address` met `result` in its cache. A cache that does not answer in time
/// is a miss, so that each `failed` may cost one call more.
pub(crate) async fn met(address: SocketAddr, result: &str) -> usize {
    let line =
        format!("\nstillcast_cache_requests_total{{queue=\"{QUEUE}\",result=\"{result}\"}} ");
    let page = until("the worker answers", async || get(address, "/metrics").await).await;
    let count = page.split_once(&line).and_then(|(_, rest)| rest.lines().next()?.parse().ok());
    count.unwrap_or_default()
}
