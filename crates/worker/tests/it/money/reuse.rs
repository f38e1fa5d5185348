//! Money on the wire: workers are killed, jobs repeated, caches stopped, and the provider's journal
//! says what was bought how often.

use std::collections::BTreeMap;

use queue::{Endpoint as QueueEndpoint, Inspector, ReplayAnswer};
use stillcast_enqueue::{Format, Job, JobId, JobRecord, Producer, Source, StageName, State};
use tests::server::Server;
use tests::simulator::{Endpoint, Latency, Options, Purchase, Simulator};

use crate::bench::{Bench, QUEUE, producer, until};
use crate::bought::buying;

/// A provider, a queue, and a worker's environment that buys there.
struct Shop {
    server: Server,
    simulator: Simulator,
    producer: Producer,
}

impl Shop {
    async fn open(latency: Latency) -> Self {
        let server = Server::start().await.unwrap();
        let options = Options { latency, ..Options::quick(server.folder()) };
        let simulator = Simulator::start(options).await.unwrap();
        let producer = producer(&server).await;
        Self { server, simulator, producer }
    }

    fn bench(&self) -> Bench {
        buying(&self.server, &self.simulator)
    }

    async fn enqueue(&self, jobs: &[Job]) -> Vec<JobId> {
        let accepted = self.producer.enqueue_many(jobs).await;
        accepted.into_iter().map(|accepted| accepted.unwrap().id).collect()
    }

    async fn record(&self, id: &JobId) -> Option<JobRecord> {
        self.producer.status(std::slice::from_ref(id)).await.ok()?.pop()?
    }

    async fn ended(&self, ids: &[JobId]) -> Vec<JobRecord> {
        until("every job has ended", async || {
            let records = self.producer.status(ids).await.ok()?;
            let records: Option<Vec<JobRecord>> = records.into_iter().collect();
            records.filter(|all| all.iter().all(|record| record.state.is_terminal()))
        })
        .await
    }

    /// All must be done.
    async fn done(&self, ids: &[JobId]) -> Vec<JobRecord> {
        let records = self.ended(ids).await;
        assert!(records.iter().all(|record| record.state == State::Done), "{records:#?}");
        records
    }

    /// How often each thing was bought to the end.
    fn bought(&self, endpoint: Endpoint) -> BTreeMap<String, usize> {
        let is_done =
            |purchase: &&Purchase| purchase.endpoint == endpoint && purchase.outcome == "done";
        let purchases = self.simulator.purchases();
        purchases.iter().filter(is_done).fold(BTreeMap::new(), |mut counts, purchase| {
            *counts.entry(purchase.input.clone()).or_default() += 1;
            counts
        })
    }

    fn count(&self, endpoint: Endpoint) -> usize {
        self.bought(endpoint).values().sum()
    }

    fn assert_each_bought_once(&self) {
        for endpoint in [Endpoint::Chat, Endpoint::Speech, Endpoint::Image] {
            let bought = self.bought(endpoint);
            assert!(bought.values().all(|count| *count == 1), "{endpoint:?}: {bought:?}");
        }
        assert_eq!((self.count(Endpoint::Chat), self.count(Endpoint::Image)), (1, 1));
    }
}

fn job(format: Format) -> Job {
    Job::new(Source::Text("A heron stood in the river after the rain.".to_owned()), format)
}

/// Slow enough to be caught in the middle.
fn slow_voice() -> Latency {
    let voice = Latency { first_audio: 0.3, real_time_factor: 0.0, ..Latency::NONE };
    Latency { first_token: 0.0, tokens_per_s: 1e6, picture: 0.0, scale: 1.0, ..voice }
}

fn stage(record: &JobRecord, stage: StageName) -> &stillcast_enqueue::StageRecord {
    record.stages.iter().find(|record| record.stage == stage).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_worker_has_bought_is_not_bought_again() {
    let shop = Shop::open(slow_voice()).await;
    let bench = shop.bench().set("TTS_SLOTS", "1");
    let ids = shop.enqueue(&[job(Format::Video)]).await;
    let mut kills = 0;
    for passages in [2, 5, 8] {
        let worker = bench.start(&[]);
        until("words, picture and some passages are bought", async || {
            let record = shop.record(&ids[0]).await?;
            let ended = |stage| record.stages.iter().any(|ended| ended.stage == stage);
            let whole = ended(StageName::Transcript) && ended(StageName::Image);
            (whole && shop.count(Endpoint::Speech) >= passages).then_some(())
        })
        .await;
        worker.kill().await;
        kills += 1;
    }
    let _worker = bench.start(&[]);
    let record = shop.done(&ids).await.remove(0);
    assert_eq!((shop.count(Endpoint::Chat), shop.count(Endpoint::Image)), (1, 1));
    let speech = shop.bought(Endpoint::Speech);
    // Of one slot, a kill can cut one call's checkpoint off.
    let repeated: usize = speech.values().map(|count| count - 1).sum();
    assert!(repeated <= kills, "{speech:?}");
    assert!(speech.len() > 9, "{} passages", speech.len());
    assert!(stage(&record, StageName::Transcript).cached, "{record:?}");
    assert!(stage(&record, StageName::Image).cached, "{record:?}");
    assert!((stage(&record, StageName::Tts).tries as usize) < speech.len(), "{record:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_of_the_same_pay_once() {
    let shop = Shop::open(slow_voice()).await;
    let bench = shop.bench();
    let _workers = [bench.start(&[]), bench.start(&[])];
    let jobs: Vec<Job> =
        (0..20).map(|n| job(if n % 2 == 0 { Format::Audio } else { Format::Video })).collect();
    let ids = shop.enqueue(&jobs).await;
    let records = shop.done(&ids).await;
    shop.assert_each_bought_once();
    let payers = records.iter().filter(|record| record.cost.spent_usd > 0.0).count();
    assert!((1..=3).contains(&payers), "{payers} jobs paid");
    let copies = records.iter().filter(|record| stage(record, StageName::Upload).cached).count();
    assert_eq!(copies, 18, "one file of each format was made, the others are copies");
    let spared = |record: &&JobRecord| record.cost.avoided_usd > 0.0;
    assert!(records.iter().filter(spared).count() >= 18);
    let spent: f64 = records.iter().map(|record| record.cost.spent_usd).sum();
    let paid: f64 = shop.simulator.purchases().iter().map(|purchase| purchase.usd).sum();
    assert!((spent - paid).abs() < 1e-9, "booked {spent}, paid {paid}");
    for record in &records {
        let artifact = record.artifact.as_ref().unwrap();
        assert!(artifact.key.contains(record.id.as_str()), "{}", artifact.key);
        let file = bench.store().join(&artifact.key);
        assert_eq!(std::fs::metadata(file).unwrap().len(), artifact.bytes);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_that_stops_in_the_middle_fails_nothing() {
    let shop = Shop::open(slow_voice()).await;
    let mut cache = Server::start().await.unwrap();
    let bench = shop.bench().set("CACHE_REDIS_URL", &cache.url());
    let _worker = bench.start(&[]);
    let ids = shop.enqueue(&[job(Format::Video)]).await;
    until("speech is being bought", async || (shop.count(Endpoint::Speech) >= 1).then_some(()))
        .await;
    cache.kill().await.unwrap();
    shop.done(&ids).await;
    shop.assert_each_bought_once();
    // Without a cache the next one pays too.
    let again = shop.enqueue(&[job(Format::Video)]).await;
    shop.done(&again).await;
    assert_eq!(shop.count(Endpoint::Chat), 2);
    cache.resume().await.unwrap();
    let third = shop.enqueue(&[job(Format::Audio)]).await;
    shop.done(&third).await;
    let fourth = shop.enqueue(&[job(Format::Audio)]).await;
    let record = shop.done(&fourth).await.remove(0);
    assert!(stage(&record, StageName::Upload).cached, "the cache is used again: {record:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_caching_every_job_pays_for_itself() {
    let shop = Shop::open(slow_voice()).await;
    let bench = shop.bench().set("USE_CACHING", "false").set("MAX_PARALLEL_TASKS", "2");
    let _worker = bench.start(&[]);
    let ids = shop.enqueue(&[job(Format::Audio), job(Format::Audio)]).await;
    for record in shop.done(&ids).await {
        assert!(record.stages.iter().all(|stage| !stage.cached), "{record:?}");
    }
    assert_eq!(shop.count(Endpoint::Chat), 2);
    assert!(!bench.store().join("cache").exists());
    for pattern in ["stillcast:*:cache:*", "*flight:*"] {
        assert_eq!(shop.server.keys(pattern).await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_job_that_is_replayed_when_the_cache_has_expired_pays_nothing_again() {
    let shop = Shop::open(Latency::NONE).await;
    let bench = shop.bench().set("CACHE_TTL", "1s").set("UPLOAD_TRIES", "1");
    // A file where the folder of deliveries should be: nothing can be delivered.
    let obstacle = bench.store().join("media");
    std::fs::create_dir_all(bench.store()).unwrap();
    std::fs::write(&obstacle, "").unwrap();
    let _worker = bench.start(&[]);
    let ids = shop.enqueue(&[job(Format::Video).with_max_attempts(1)]).await;
    let dead = shop.ended(&ids).await.remove(0);
    assert_eq!(dead.state, State::Dead, "{dead:?}");
    assert_eq!(dead.error.unwrap().stage, Some(StageName::Upload));
    shop.assert_each_bought_once();
    std::fs::remove_file(obstacle).unwrap();
    until("the shared values' time is over", async || {
        shop.server.keys("stillcast:*:cache:*").await.ok()?.is_empty().then_some(())
    })
    .await;
    let endpoint = QueueEndpoint::new(&shop.server.url(), QUEUE).unwrap();
    let inspector = Inspector::connect(endpoint).await.unwrap();
    assert_eq!(inspector.replay(ids[0].as_str()).await.unwrap(), ReplayAnswer::Ready);
    let record = shop.done(&ids).await.remove(0);
    shop.assert_each_bought_once();
    for paid in [StageName::Transcript, StageName::Tts, StageName::Image] {
        assert!(stage(&record, paid).cached, "{record:?}");
    }
    let paid: f64 = shop.simulator.purchases().iter().map(|purchase| purchase.usd).sum();
    assert!((record.cost.spent_usd - paid).abs() < 1e-9, "{paid}: {:?}", record.cost);
}
