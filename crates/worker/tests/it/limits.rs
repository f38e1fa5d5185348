//! Several workers under the limits of one account: how often the provider refuses them, what waits, and
//! what one of them hears for all.

use queue::{Endpoint as QueueEndpoint, Inspector};
use stillcast_enqueue::capability::Capability;
use stillcast_enqueue::{Format, Job, JobRecord, Options as Wishes, Source, StageName, State};
use tests::simulator::{Endpoint, Fault, Key, Latency, Options};

use crate::harness::{QUEUE, free_address, get, until};
use crate::numbers::count;
use crate::paid_harness::{PaidHarness, job, key, slow_voice};

const LIMITED: &str = "account-limit";

fn about(n: usize) -> Job {
    Job::audio(Source::Text(format!("Evening {n} at the pier, and the tide goes out.")))
}

fn error_code(record: &JobRecord) -> Option<&str> {
    record.error.as_ref().map(|error| error.code.as_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_that_uses_all_of_an_account_is_refused_less_than_once_in_a_hundred_calls() {
    const WORKERS: usize = 3;
    const RPM: u32 = 600;
    let paid = PaidHarness::open_with(|options| Options {
        keys: options
            .keys
            .clone()
            .with(&key(Capability::Tts), Key::default().with_calls_per_minute(f64::from(RPM))),
        // More calls of each job.
        paragraph: 1,
        ..options
    })
    .await;
    // Variants share nothing: each job buys all of its passages.
    let variant = |variant| about(0).with_options(Wishes { variant, ..Wishes::default() });
    let jobs: Vec<Job> = (0..20).map(variant).collect();
    let ids = paid.enqueue(&jobs).await;
    let (mut benches, mut addresses) = (Vec::new(), Vec::new());
    for _ in 0..WORKERS {
        let address = free_address().await;
        let bench = paid.harness().set("TTS_RPM", &RPM.to_string());
        benches.push(bench.set("WORKER_ADDR", &address.to_string()));
        addresses.push(address);
    }
    let mut workers = Vec::new();
    for bench in &benches {
        workers.push(bench.start(&[]).await);
    }
    for record in paid.done(&ids).await {
        assert_eq!((record.attempt, record.interruptions), (1, 0), "{record:?}");
    }
    let bought = paid.count(Endpoint::Speech);
    let purchases = paid.simulator.purchases();
    let refused = purchases.iter().filter(|one| one.status == 429).count();
    assert!(bought > 200, "{bought} calls are too few to tell");
    assert!(
        refused * 100 < bought + refused,
        "{refused} of {} calls were refused",
        bought + refused
    );
    let (mut granted, mut held_back) = (0, 0);
    for address in addresses {
        let page = until("the worker answers", async || get(address, "/metrics").await).await;
        let asks = |result: &str| {
            let labels = ["stage=\"tts\"", &format!("result=\"{result}\"")].map(str::to_owned);
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            count(&page, "stillcast_provider_limit_asks_total", &labels)
        };
        granted += asks("granted");
        let waited = "stillcast_provider_limit_wait_seconds_sum";
        held_back += asks("requests") + count(&page, waited, &["stage=\"tts\""]);
    }
    assert!(granted >= i64::try_from(bought + refused).unwrap(), "each call has asked");
    assert!(held_back > 0, "the account was never used up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_over_the_limit_says_for_whom_it_waits_and_holds_no_slot() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let harness = paid.harness().set("LLM_RPM", "1").set("MAX_PARALLEL_TASKS", "1");
    let _worker = harness.start(&[]).await;
    let first = paid.enqueue(&[about(1)]).await;
    paid.done(&first).await;
    let second = paid.enqueue(&[about(2)]).await.remove(0);
    let parked = until("the second parks", async || {
        let record = paid.record(&second).await;
        (record.state == State::Parked).then_some(record)
    })
    .await;
    assert_eq!((parked.reason.as_deref(), parked.attempt), (Some("rate"), 0), "{parked:?}");
    let error = parked.error.unwrap();
    assert_eq!((error.code.as_str(), error.stage), (LIMITED, Some(StageName::Transcript)));
    let said = "waits for openai: 1 requests a minute (LLM_RPM)";
    assert_eq!((error.message.as_str(), error.provider.as_deref()), (said, Some("openai")));
    let endpoint = QueueEndpoint::new(&paid.server.url(), QUEUE).unwrap();
    let inspector = Inspector::connect(endpoint).await.unwrap();
    let why = inspector.why(second.as_str()).await.unwrap().and_then(|why| why.waiting()).unwrap();
    assert!(why.sentence.contains(said), "{why:?}");
    // The only slot is free for what needs nothing of that account.
    paid.done(&paid.enqueue(&[about(1)]).await).await;
    assert_eq!(paid.record(&second).await.state, State::Parked);
    assert_eq!(paid.count(Endpoint::Chat), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_worker_is_told_by_a_refusal_holds_for_the_others() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let refusal = Fault::status(429, "rate_limit_exceeded").with("retry-after", "90");
    paid.simulator.script(Endpoint::Speech, [Some(refusal)]);
    let first = paid.enqueue(&[about(1)]).await.remove(0);
    let harness = paid.harness().set("TTS_SLOTS", "1");
    let parked = async |id| {
        until("it parks", async || {
            let record = paid.record(id).await;
            (record.state == State::Parked).then_some(record)
        })
        .await
    };
    let worker = harness.start(&[]).await;
    let told = parked(&first).await;
    assert_eq!(error_code(&told), Some("rate-limited"), "{told:?}");
    until("it has told the others", async || {
        let keys = paid.server.keys("*:limit:tts-*").await.ok()?;
        let kept = paid.server.hash(keys.first()?).await.ok()?;
        kept.contains_key("alone_until").then_some(())
    })
    .await;
    worker.kill().await;
    let asked = paid.simulator.calls(Endpoint::Speech).0;
    let other = paid.harness();
    let _worker = other.start(&[]).await;
    let second = paid.enqueue(&[about(2)]).await.remove(0);
    let waits = parked(&second).await;
    assert_eq!(error_code(&waits), Some(LIMITED), "{waits:?}");
    assert!(waits.error.unwrap().message.contains("asked to be left alone"));
    assert_eq!(paid.simulator.calls(Endpoint::Speech).0, asked, "nobody asks the provider again");
    assert_eq!(paid.count(Endpoint::Chat), 2, "who sells words has asked for nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_in_flight_are_those_of_all_workers() {
    const MOST: usize = 3;
    let paid = PaidHarness::open(slow_voice()).await;
    let jobs: Vec<Job> = (0..4).map(about).collect();
    let ids = paid.enqueue(&jobs).await;
    let benches =
        [paid.harness(), paid.harness()].map(|one| one.set("TTS_IN_FLIGHT", &MOST.to_string()));
    let _workers = [benches[0].start(&[]).await, benches[1].start(&[]).await];
    for record in paid.done(&ids).await {
        assert_eq!(record.attempt, 1, "{record:?}");
    }
    assert_eq!(paid.simulator.most_at_once(Endpoint::Speech), MOST);
    // A picture counts for nobody's speech.
    paid.done(&paid.enqueue(&[job(Format::Video)]).await).await;
    assert_eq!(paid.count(Endpoint::Image), 1);
}
