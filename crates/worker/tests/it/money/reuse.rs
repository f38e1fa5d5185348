//! Jobs repeated, replayed and without a cache: the provider's journal says what was bought how often.

use queue::{Actor, Endpoint as QueueEndpoint, Inspector, Interface, Remake, ReplayAnswer};
use stillcast_enqueue::{Format, StageName, State};
use tests::server::Server;
use tests::simulator::{Endpoint, Latency};

use crate::harness::{QUEUE, until};
use crate::paid_harness::{PaidHarness, assert_usd, job, slow_voice, stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_that_stops_in_the_middle_fails_nothing() {
    let paid = PaidHarness::open(slow_voice()).await;
    let mut cache = Server::start().await.unwrap();
    let harness = paid.harness().set("CACHE_REDIS_URL", &cache.url());
    let _worker = harness.start(&[]).await;
    let ids = paid.enqueue(&[job(Format::Video)]).await;
    until("speech is being bought", async || (paid.count(Endpoint::Speech) >= 1).then_some(()))
        .await;
    cache.kill().await.unwrap();
    paid.done(&ids).await;
    paid.assert_each_bought_once();
    // Without a cache the next one pays too.
    let again = paid.enqueue(&[job(Format::Video)]).await;
    paid.done(&again).await;
    assert_eq!(paid.count(Endpoint::Chat), 2);
    cache.resume().await.unwrap();
    let third = paid.enqueue(&[job(Format::Audio)]).await;
    paid.done(&third).await;
    let fourth = paid.enqueue(&[job(Format::Audio)]).await;
    let record = paid.done(&fourth).await.remove(0);
    assert!(stage(&record, StageName::Upload).cached, "the cache is used again: {record:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_caching_every_job_pays_for_itself() {
    let paid = PaidHarness::open(slow_voice()).await;
    let harness = paid.harness().set("USE_CACHING", "false").set("MAX_PARALLEL_TASKS", "2");
    let _worker = harness.start(&[]).await;
    let ids = paid.enqueue(&[job(Format::Audio), job(Format::Audio)]).await;
    for record in paid.done(&ids).await {
        assert!(record.stages.iter().all(|stage| !stage.cached), "{record:?}");
    }
    assert_eq!(paid.count(Endpoint::Chat), 2);
    assert!(!paid.store().join("cache").exists());
    for pattern in ["{stillcast:*:cache}:*", "*flight:*"] {
        assert_eq!(paid.server.keys(pattern).await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_job_that_is_replayed_when_the_cache_has_expired_pays_nothing_again() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let harness = paid.harness().set("CACHE_TTL", "1s").set("UPLOAD_TRIES", "1");
    let obstacle = paid.obstruct_deliveries();
    let _worker = harness.start(&[]).await;
    let ids = paid.enqueue(&[job(Format::Video).with_max_attempts(1)]).await;
    let dead = paid.ended(&ids).await.remove(0);
    assert_eq!(dead.state, State::Dead, "{dead:?}");
    assert_eq!(dead.error.unwrap().stage, Some(StageName::Upload));
    paid.assert_each_bought_once();
    std::fs::remove_file(obstacle).unwrap();
    until("the shared values' time is over", async || {
        paid.server.keys("{stillcast:*:cache}:*").await.ok()?.is_empty().then_some(())
    })
    .await;
    let endpoint = QueueEndpoint::new(&paid.server.url(), QUEUE).unwrap();
    let inspector = Inspector::connect(endpoint).await.unwrap();
    let anna = Actor::new(Interface::Cli, "anna");
    assert_eq!(inspector.replay(ids[0].as_str(), &anna).await.unwrap(), ReplayAnswer::Ready);
    let record = paid.done(&ids).await.remove(0);
    paid.assert_each_bought_once();
    for paid in [StageName::Transcript, StageName::Tts, StageName::Image] {
        assert!(stage(&record, paid).cached, "{record:?}");
    }
    assert_usd(record.cost.spent_usd, paid.usd_paid(None), "in all");
}

/// Chats, pieces of speech and pictures that the provider has sold.
fn sold(paid: &PaidHarness) -> [usize; 3] {
    [Endpoint::Chat, Endpoint::Speech, Endpoint::Image].map(|endpoint| paid.count(endpoint))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_from_a_stage_buys_what_is_built_on_it_and_nothing_else() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let harness = paid.harness().set("UPLOAD_TRIES", "1");
    let obstacle = paid.obstruct_deliveries();
    let _worker = harness.start(&[]).await;
    let ids = paid.enqueue(&[job(Format::Video).with_max_attempts(1)]).await;
    assert_eq!(paid.ended(&ids).await[0].state, State::Dead);
    let [chats, speech, pictures] = sold(&paid);
    assert_eq!((chats, pictures), (1, 1));
    let endpoint = QueueEndpoint::new(&paid.server.url(), QUEUE).unwrap();
    let inspector = Inspector::connect(endpoint).await.unwrap();
    let anna = Actor::new(Interface::Cli, "anna");
    let replay = async |from: Option<&str>, set: &[(&str, &str)]| {
        let remake = Remake::parse(from, set.iter().copied()).unwrap();
        let answer = inspector.replay_from(ids[0].as_str(), &remake, &anna).await.unwrap();
        assert_eq!(answer, ReplayAnswer::Ready);
        paid.ended(&ids).await.remove(0)
    };
    for (from, set, wanted) in [
        (Some("encode"), vec![], [1, speech, 1]),
        // Another voice: the words and the picture are kept.
        (None, vec![("voice", "echo")], [1, 2 * speech, 1]),
        // Another picture of the same text.
        (Some("image"), vec![("variant", "1")], [1, 2 * speech, 2]),
    ] {
        let record = replay(from, &set).await;
        assert_eq!(record.error.unwrap().stage, Some(StageName::Upload), "{from:?} {set:?}");
        assert_eq!(sold(&paid), wanted, "{from:?} {set:?}");
    }
    std::fs::remove_file(obstacle).unwrap();
    let record = replay(None, &[("voice", ""), ("variant", "2")]).await;
    assert_eq!(record.state, State::Done, "{record:?}");
    let [chats, all_speech, pictures] = sold(&paid);
    assert_eq!((chats, pictures), (2, 3), "all of it anew");
    assert!(all_speech > 2 * speech);
    assert_usd(record.cost.spent_usd, paid.usd_paid(None), "in all");
}
