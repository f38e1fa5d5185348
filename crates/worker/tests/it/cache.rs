//! The shared cache's Redis is full, crowded, or its values' time is over: jobs get slower, none
//! fails, and none pays twice for its own.

use std::path::Path;
use std::time::Duration;

use stillcast_enqueue::{Format, Job, Options, StageName};
use tests::bucket::{self, ACCESS_KEY, BUCKET, Bucket, SECRET_KEY};
use tests::server::Server;
use tests::simulator::{Endpoint, Latency};

use crate::harness::{WorkerHarness, free_address, until};
use crate::paid_harness::{PaidHarness, assert_usd, job, met, stage, sum};

/// The memory of a cache's Redis here; an empty one takes some 2 % of it.
const MEMORY: u64 = 64 << 20;
const CACHED: &str = "{stillcast:*:cache}:*";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_put_into_a_server_that_is_sixty_percent_full_and_evicts_nothing() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let cache = Server::start_with(Some(&MEMORY.to_string())).await.unwrap();
    let mut shared = Vec::new();
    for (percent, is_taken) in [(55, true), (62, false)] {
        cache.fill(MEMORY / 100 * percent).await.unwrap();
        let address = free_address().await;
        let harness = paid
            .harness()
            .set("CACHE_REDIS_URL", &cache.url())
            .set("WORKER_ADDR", &address.to_string());
        let worker = harness.start(&[]).await;
        // Another variant each round: nothing of the round before can help.
        let options = Options { variant: u32::try_from(percent).unwrap(), ..Options::default() };
        for is_copy in [false, is_taken] {
            let id = paid.enqueue(&[job(Format::Video).with_options(options.clone())]).await;
            let record = paid.done(&id).await.remove(0);
            assert_eq!((record.attempt, record.interruptions), (1, 0), "{record:?}");
            assert_eq!(stage(&record, StageName::Upload).cached, is_copy, "{record:?}");
        }
        let cached = cache.keys(CACHED).await.unwrap();
        assert_eq!(cached.len() > shared.len(), is_taken, "at {percent} %: {cached:?}");
        shared = cached;
        if is_taken {
            paid.assert_each_bought_once();
        }
        assert_eq!(met(address, "full").await > 0, !is_taken, "at {percent} %");
        assert_eq!(met(address, "failed").await, 0, "at {percent} %");
        worker.kill().await;
    }
    // One job has paid in the first round and two in the second, each once for its own.
    for endpoint in [Endpoint::Chat, Endpoint::Image] {
        let calls = paid.count(endpoint);
        assert_eq!(calls, 3, "{endpoint:?}");
    }
    let speech = paid.bought(Endpoint::Speech);
    assert!(speech.values().all(|count| *count <= 3), "{speech:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_that_forgets_at_once_makes_jobs_slower_and_fails_none() {
    const JOBS: usize = 6;
    let (paid, cache) = (PaidHarness::open(Latency::NONE).await, Server::start().await.unwrap());
    cache.configure("maxmemory-policy", "allkeys-lru").await.unwrap();
    let used = cache.told("used_memory").await.unwrap();
    cache.configure("maxmemory", &(used + (256 << 10)).to_string()).await.unwrap();
    let _crowd = cache.crowd(16 << 10).await.unwrap();
    let benches = [paid.harness(), paid.harness()]
        .map(|harness| harness.set("CACHE_REDIS_URL", &cache.url()).set("MAX_PARALLEL_TASKS", "2"));
    let _workers = [benches[0].start(&[]).await, benches[1].start(&[]).await];
    let jobs: Vec<Job> = (0..JOBS).map(|_| job(Format::Audio)).collect();
    let records = paid.done(&paid.enqueue(&jobs).await).await;
    assert!(cache.told("evicted_keys").await.unwrap() > 0, "nothing was forgotten");
    assert!(records.iter().all(|record| record.attempt == 1), "{records:#?}");
    let payers = records.iter().filter(|record| record.cost.spent_usd > 0.0).count();
    for endpoint in [Endpoint::Chat, Endpoint::Speech] {
        let bought = paid.bought(endpoint);
        assert!(bought.values().all(|count| *count <= payers), "{endpoint:?}: {bought:?}");
    }
    assert_usd(sum(&records).spent_usd, paid.usd_paid(None), "in all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_value_is_gone_after_its_time_and_bought_anew() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let harness = paid.harness().set("CACHE_TTL", "6s");
    let _worker = harness.start(&[]).await;
    paid.done(&paid.enqueue(&[job(Format::Audio)]).await).await;
    assert!(!paid.server.keys(CACHED).await.unwrap().is_empty());
    until("their time is over", async || {
        paid.server.keys(CACHED).await.ok()?.is_empty().then_some(())
    })
    .await;
    let record = paid.done(&paid.enqueue(&[job(Format::Audio)]).await).await.remove(0);
    assert!(record.stages.iter().all(|stage| !stage.cached), "{record:?}");
    let bought = paid.bought(Endpoint::Chat);
    assert_eq!(bought.values().collect::<Vec<_>>(), [&2]);
}

/// Objects, how old each is in minutes, and whether it stays; `CACHE_TTL` is 3600 s, and a value
/// outlives it by an hour; so it does `WARM_TTL`, which is 30 days, where it is for all tenants.
const OBJECTS: [(&str, u64, bool); 7] = [
    ("cache/default/tts/aaaa", 121, false),
    ("cache/acme/image/bbbb", 60 * 24, false),
    ("cache/default/tts/cccc", 118, true),
    ("media/default/01a2/dddd.m4a", 60 * 24 * 400, true),
    ("work/default/01a2/eeee", 60 * 24 * 400, true),
    ("warm/tts/ffff", 60 * (24 * 30 + 2), false),
    ("warm/tts/0000", 60 * 24 * 30, true),
];

/// Starts a worker of `harness` and waits until it has swept.
async fn sweep(harness: &WorkerHarness) {
    let worker = harness.start(&[]).await;
    until("the shared values are swept", async || {
        worker.log().contains("deleted shared values past their time").then_some(())
    })
    .await;
    let log = worker.log();
    assert!(log.contains(r#""swept":3"#), "{log}");
}

#[tokio::test]
async fn shared_objects_are_swept_an_hour_after_their_time_from_a_folder() {
    let server = Server::start_everysec().await.unwrap();
    let harness = WorkerHarness::on(&server);
    let at = |key: &str| harness.store().join(key);
    for (key, minutes, _) in OBJECTS {
        let parent = at(key);
        std::fs::create_dir_all(Path::parent(&parent).unwrap()).unwrap();
        std::fs::write(at(key), "sound").unwrap();
        bucket::age(&at(key), Duration::from_secs(60 * minutes)).unwrap();
    }
    sweep(&harness).await;
    for (key, _, stays) in OBJECTS {
        assert_eq!(at(key).exists(), stays, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shared_objects_are_swept_an_hour_after_their_time_from_a_bucket() {
    let server = Server::start_everysec().await.unwrap();
    let bucket = Bucket::here().await.unwrap();
    let name = |key: &str| format!("a/prefix/{key}");
    for (key, minutes, _) in OBJECTS {
        let put = bucket.client().put_object().bucket(BUCKET).key(name(key));
        put.body(b"sound".to_vec().into()).send().await.unwrap();
        bucket.age(&name(key), Duration::from_secs(60 * minutes)).unwrap();
    }
    let harness = WorkerHarness::on(&server)
        .set("STORAGE_URL", "s3://deliveries/a/prefix")
        .set("S3_ENDPOINT", bucket.endpoint())
        .set("AWS_REGION", "us-east-1")
        .set("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .set("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
    sweep(&harness).await;
    let mut left: Vec<String> =
        OBJECTS.into_iter().filter(|(_, _, stays)| *stays).map(|(key, ..)| name(key)).collect();
    left.sort();
    assert_eq!(bucket.objects().await.unwrap(), left);
}
