//! Keys are revoked and mended under real workers: few calls are refused, no job is lost, and what
//! needs nothing of the refused goes on.

use queue::{Endpoint as QueueEndpoint, Inspector};
use stillcast_enqueue::capability::Capability;
use stillcast_enqueue::{Identifier, Job, Source, StageName, State};
use tests::simulator::{Endpoint, Latency, Purchase};

use crate::harness::{QUEUE, Worker, WorkerHarness, free_address, get, until};
use crate::paid_harness::{PaidHarness, key, met};

const TEXT: &str = "canary-pier-31";
/// `MAX_PARALLEL_TASKS` of every worker here.
const SLOTS: usize = 2;
/// Rounds of probes that are refused before a key is mended.
const ROUNDS: usize = 3;
/// `PROBE_INTERVAL` of every worker here.
const INTERVAL_MS: i64 = 1000;

/// Most calls that so many workers may have had refused until the last of `refused`: each slot
/// once, and then one probe of each worker an interval.
fn most(workers: usize, refused: &[Purchase]) -> usize {
    let times = || refused.iter().map(|purchase| purchase.at);
    let lasted = times().max().unwrap_or_default() - times().min().unwrap_or_default();
    let rounds = usize::try_from(lasted / INTERVAL_MS).unwrap();
    workers * (SLOTS + rounds + 1)
}

fn harness(paid: &PaidHarness) -> WorkerHarness {
    paid.harness().set("MAX_PARALLEL_TASKS", &SLOTS.to_string())
}

fn assert_private(worker: &Worker) {
    let log = worker.log();
    let keys = Capability::ALL.map(key);
    for canary in keys.iter().map(String::as_str).chain([TEXT]) {
        assert!(!log.contains(canary), "a log holds {canary}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_burns_neither_a_thousand_jobs_nor_an_attempt() {
    const WORKERS: usize = 2;
    /// More texts than slots of the fleet, so that no refusal is spared by a flight.
    const TEXTS: usize = 5;
    let paid = PaidHarness::open(Latency::NONE).await;
    paid.simulator.set_revoked(&key(Capability::Llm), true);
    let text = |n: usize| format!("At the {TEXT}, evening {}.", n % TEXTS);
    let jobs: Vec<Job> = (0..1000).map(|n| Job::audio(Source::Text(text(n)))).collect();
    let ids = paid.enqueue(&jobs).await;
    let addresses = [free_address().await, free_address().await];
    let benches = addresses.map(|address| harness(&paid).set("WORKER_ADDR", &address.to_string()));
    let workers = [benches[0].start(&[]).await, benches[1].start(&[]).await];
    let refused = || paid.purchases(Endpoint::Chat, "refused");
    until("three rounds of probes are refused", async || {
        (refused().len() >= WORKERS + ROUNDS).then_some(())
    })
    .await;
    let records = paid.records(&ids).await;
    let refused = refused();
    assert!(refused.len() <= most(WORKERS, &refused), "{} calls were refused", refused.len());
    let touched = records.iter().filter(|record| record.error.is_some()).count();
    assert!(touched <= refused.len(), "{touched} jobs were touched");
    for record in &records {
        let running = u32::from(record.state == State::Leased);
        assert!(!record.state.is_terminal() && record.attempt <= running, "{record:?}");
        let error = record.error.as_ref();
        assert!(error.is_none_or(|error| error.code == "key-refused"), "{record:?}");
    }
    paid.simulator.set_revoked(&key(Capability::Llm), false);
    for record in paid.done(&ids).await {
        assert_eq!((record.state, record.attempt), (State::Done, 1), "{record:?}");
    }
    // Passages that two texts have in common have no flight, and may be bought by both.
    let words = paid.bought(Endpoint::Chat);
    let failed = met(addresses[0], "failed").await + met(addresses[1], "failed").await;
    let calls = paid.count(Endpoint::Chat);
    assert!(words.len() == TEXTS && calls <= TEXTS + failed, "{failed} misses: {words:?}");
    for worker in &workers {
        assert!(worker.log().contains("a provider refuses this worker's account"));
        assert_private(worker);
    }
}

fn is_open(page: &str, is_open: bool) -> bool {
    let line = format!("\nstillcast_breaker_open{{queue=\"{QUEUE}\"}} {}\n", u8::from(is_open));
    page.contains(&line)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voice_that_refuses_leaves_what_is_cached_and_the_words_alone() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let address = free_address().await;
    // One call at a time, so that a job is refused once.
    let harness = harness(&paid).set("WORKER_ADDR", &address.to_string()).set("TTS_SLOTS", "1");
    let worker = harness.start(&[]).await;
    let page = async || get(address, "/metrics").await;
    let audio = || Job::audio(Source::Text(format!("At the {TEXT}, an evening.")));
    paid.done(&paid.enqueue(&[audio()]).await).await;
    assert!(is_open(&page().await.unwrap(), false));
    paid.simulator.set_revoked(&key(Capability::Tts), true);
    // Other voices say the same words.
    let voices: Vec<Job> = (0..4)
        .map(|n| {
            let voice = Some(Identifier::parse("voice", &format!("voice-{n}")).unwrap());
            audio().with_options(stillcast_enqueue::Options { voice, ..Default::default() })
        })
        .collect();
    let ids = paid.enqueue(&voices).await;
    until("the breaker is open", async || is_open(&page().await?, true).then_some(())).await;
    let ready = get(address, "/readyz").await.unwrap();
    assert!(ready.starts_with("HTTP/1.1 200 "), "whoever is refused still takes part: {ready}");
    let refused = || paid.purchases(Endpoint::Speech, "refused");
    for _ in 0..ROUNDS {
        let seen = refused().len();
        // A copy of what is delivered, as the next probe: it asks nobody, and says nothing of a key.
        let copy = paid.enqueue(&[audio().with_priority(9)]).await;
        paid.done(&copy).await;
        until("a round of probes", async || (refused().len() > seen).then_some(())).await;
    }
    let records = paid.records(&ids).await;
    let refused = refused();
    assert!(refused.len() <= most(1, &refused), "{} calls were refused", refused.len());
    for record in &records {
        let error = record.error.as_ref().map(|error| error.code.as_str());
        assert!(matches!(error, None | Some("key-refused")), "{record:?}");
        assert!(!matches!(record.state, State::Dead | State::Expired), "{record:?}");
    }
    paid.simulator.set_revoked(&key(Capability::Tts), false);
    for record in paid.done(&ids).await {
        assert_eq!(record.attempt, 1, "{record:?}");
    }
    assert_eq!(paid.bought(Endpoint::Chat).len(), 1, "the words were cached");
    until("the breaker is closed", async || is_open(&page().await?, false).then_some(())).await;
    assert_private(&worker);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_is_told_where_the_workers_are_refused() {
    let paid = PaidHarness::open(Latency::NONE).await;
    paid.simulator.set_revoked(&key(Capability::Llm), true);
    let text = |n: usize| format!("At the {TEXT}, evening {n}.");
    let jobs: Vec<Job> = (0..6).map(|n| Job::audio(Source::Text(text(n)))).collect();
    let ids = paid.enqueue(&jobs).await;
    let _worker = harness(&paid).start(&[]).await;
    let endpoint = QueueEndpoint::new(&paid.server.url(), QUEUE).unwrap();
    let inspector = Inspector::connect(endpoint).await.unwrap();
    // What a worker says of itself is as old as its last renewal.
    let told = async |word: &str| {
        for id in &ids {
            let reason = inspector.why(id.as_str()).await.ok()??;
            if reason.code() == word {
                return reason.waiting();
            }
        }
        None
    };
    let refused =
        until("a ready job says that workers are refused", async || told("refused").await);
    let refused = refused.await;
    assert_eq!(refused.stage, Some(StageName::Transcript), "{refused:?}");
    assert!(refused.until.is_some() && refused.cure.contains("queue resume"), "{refused:?}");
    let parked = until("a refused job says who refused it", async || told("provider").await).await;
    assert_eq!(parked.provider.as_deref(), Some("openai"), "{parked:?}");
    let seen = inspector.workers().await.unwrap().remove(0);
    let stage = seen.refused.as_ref().and_then(|refused| refused.stage);
    assert_eq!((seen.slots, stage), (Some(2), Some(StageName::Transcript)), "{seen:?}");
}
