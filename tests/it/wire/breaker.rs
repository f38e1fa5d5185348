//! A thousand jobs meet a revoked key: a few are refused, none is lost, and when the key is mended
//! all are done.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pipeline::{Failure, ProviderError};
use providers::openai::OpenAiWriter;
use queue::{
    Consumer, ConsumerOptions, Endpoint, Handler, Lease, Limits, Outcome, ParkReason, Report,
    Shutdown,
};
use stillcast_enqueue::{Artifact, ErrorReport, Job, Source, State};
use tests::fleet::{Fleet, QUEUE};
use tests::simulator::{Key, Keys};
use tokio::task::JoinSet;

use crate::adapters::draft;
use crate::bench::{Bench, CANARY_KEY, prompt};

const JOBS: usize = 1_000;
const WORKERS: usize = 2;
const SLOTS: usize = 4;
const INTERVAL: Duration = Duration::from_millis(700);
/// Rounds of probes that are refused before the key is mended.
const ROUNDS: usize = 3;

/// Buys one transcript a job, and nothing else.
struct OneCall(OpenAiWriter);

#[async_trait]
impl Handler for OneCall {
    async fn attempt(&self, lease: Lease) -> Report {
        let bought = match lease.check() {
            Ok(()) => draft(&self.0, &prompt()).await,
            Err(_) => return Outcome::Release.into(),
        };
        match bought {
            Ok(_) => Outcome::Done { artifact: Box::new(artifact()) }.into(),
            Err(error) => refused(&error).into(),
        }
    }
}

fn refused(error: &ProviderError) -> Outcome {
    let report = ErrorReport {
        stage: None,
        provider: Some(error.provider.to_owned()),
        code: error.code.to_owned(),
        message: error.message.clone(),
    };
    match error.failure {
        Failure::Misconfigured => {
            let reason = ParkReason::Provider;
            Outcome::Park { reason, wake: INTERVAL, error: Some(report) }
        }
        _ => Outcome::Retry { after: None, error: report },
    }
}

async fn consume(fleet: &Fleet, bench: &Bench, name: usize) -> impl Future<Output = ()> + use<> {
    let options = ConsumerOptions {
        endpoint: Endpoint::new(&fleet.server.url(), QUEUE).unwrap(),
        worker: format!("worker-{name}"),
        lease_ttl: Duration::from_secs(3),
        slots: SLOTS,
        drain_timeout: Duration::from_secs(1),
        attempt_budget: Duration::from_mins(1),
        backoff: (Duration::from_millis(50), Duration::from_secs(1)),
        limits: Limits { probe_interval: INTERVAL, ..Limits::default() },
        until_empty: false,
        observer: Arc::new(()),
    };
    let consumer = Consumer::connect(options).await.unwrap();
    let handler = Arc::new(OneCall(bench.writer()));
    async move {
        consumer.run(handler, Shutdown::default()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_burns_neither_the_queue_nor_an_attempt() {
    let keys = Keys::default().with(CANARY_KEY, Key::default());
    let bench = Bench::with(|options| options.keys = keys).await;
    bench.simulator.set_revoked(CANARY_KEY, true);
    let fleet = Fleet::start().await.unwrap();
    let jobs: Vec<Job> = (0..JOBS).map(|_| Job::audio(Source::Text("sea".into()))).collect();
    let ids = fleet.enqueue(&jobs).await.unwrap();
    let mut workers = JoinSet::new();
    for name in 0..WORKERS {
        workers.spawn(consume(&fleet, &bench, name).await);
    }
    // Every slot once, then one probe of each worker a round.
    let most = |rounds: usize| WORKERS * (SLOTS + rounds);
    let least = WORKERS * (1 + ROUNDS);
    let looking = async || {
        let refused = bench.simulator.purchases().len();
        (refused >= least).then_some(refused)
    };
    let refused = fleet.until("three rounds of probes are refused", looking).await.unwrap();
    assert!(refused <= most(2 * ROUNDS), "{refused} calls were refused");
    let records = fleet.producer.status(&ids).await.unwrap();
    let records: Vec<_> = records.into_iter().flatten().collect();
    let touched = records.iter().filter(|record| record.error.is_some()).count();
    assert!(touched <= refused, "{touched} jobs were touched");
    for record in &records {
        assert!(!record.state.is_terminal(), "{record:?}");
        assert!(record.attempt <= 1, "no attempt is used: {record:?}");
        assert_eq!(record.error.as_ref().map_or("key-refused", |e| &e.code), "key-refused");
    }
    bench.simulator.set_revoked(CANARY_KEY, false);
    for record in fleet.ended(&ids).await.unwrap() {
        assert_eq!((record.state, record.attempt), (State::Done, 1), "{record:?}");
    }
    let paid = bench.simulator.purchases().iter().filter(|bought| bought.usd > 0.0).count();
    assert_eq!(paid, JOBS, "each job was paid once");
}

fn artifact() -> Artifact {
    Artifact {
        url: "file:///nowhere".to_owned(),
        key: "nowhere".to_owned(),
        path: None,
        bytes: 0,
        content_type: "audio/mp4".to_owned(),
        duration_s: 0.0,
        sha256: String::new(),
    }
}
