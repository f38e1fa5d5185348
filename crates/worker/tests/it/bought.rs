//! The worker's binary against a provider on the wire: a file, its money, and a key that is mended.

use stillcast_enqueue::capability::Capability;
use stillcast_enqueue::{Job, Source, State};
use tests::server::Server;
use tests::simulator::{Endpoint, Fault, Key, Keys, Options, Simulator};

use crate::harness::{WorkerHarness, producer, until};

const KEY: &str = "sk-canary-4410";
const TEXT: &str = "canary-lighthouse-77";

/// A worker that buys everything from `simulator`, at its prices.
pub(crate) fn buying(server: &Server, simulator: &Simulator) -> WorkerHarness {
    let mut harness = WorkerHarness::on(server)
        .set("OPENAI_BASE_URL", &simulator.base_url())
        .set("OPENAI_API_KEY", KEY)
        .set("PROBE_INTERVAL", "1s")
        .set("LLM_PRICE_INPUT", "0.10")
        .set("LLM_PRICE_OUTPUT", "0.50")
        .set("TTS_PRICE", "18")
        .set("IMAGE_PRICE", "0.013")
        .set("RUST_LOG", "debug");
    for capability in Capability::ALL {
        harness = harness.set(&format!("{capability}_PROVIDER"), "openai");
    }
    harness
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_waits_for_its_key_and_its_record_holds_what_was_paid() {
    let server = Server::start().await.unwrap();
    let mut options = Options::quick(server.folder());
    options.keys = Keys::default().with(KEY, Key::revoked());
    let simulator = Simulator::start(options).await.unwrap();
    simulator.script(Endpoint::Speech, [Some(Fault::Short), Some(Fault::Reset)]);
    let harness = buying(&server, &simulator);
    let producer = producer(&server).await;
    let job = Job::video(Source::Text(format!("At the {TEXT}, an evening.")));
    let id = producer.enqueue(&job).await.unwrap().id;
    let worker = harness.start(&[]).await;
    let record = async || producer.status(std::slice::from_ref(&id)).await.ok()?.pop()?;
    let parked = until("the job parks", async || {
        record().await.filter(|record| record.state == State::Parked)
    })
    .await;
    assert_eq!(parked.reason.as_deref(), Some("provider"));
    let error = parked.error.unwrap();
    assert_eq!((error.code.as_str(), error.provider.as_deref()), ("key-refused", Some("openai")));
    assert!(error.message.contains("OPENAI_API_KEY"), "{error:?}");
    simulator.set_revoked(KEY, false);
    let done =
        until("the job ends", async || record().await.filter(|record| record.state.is_terminal()))
            .await;
    assert_eq!((done.state, done.attempt), (State::Done, 1), "{done:?}");
    let paid: f64 = simulator.purchases().iter().map(|purchase| purchase.usd).sum();
    let booked = done.cost.spent_usd + done.cost.wasted_usd;
    assert!((paid - booked).abs() < 1e-9 && done.cost.wasted_usd > 0.0, "{paid}: {:?}", done.cost);
    let log = worker.log();
    for canary in [KEY, TEXT] {
        assert!(!log.contains(canary), "a log holds {canary}");
    }
    assert!(log.contains("the provider accepts this worker again"), "{log}");
}
