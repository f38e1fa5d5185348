//! The books: a record's cost is the provider's journal, also for calls that were cut off; and what
//! a record says of its stages is what the provider, and the system, have seen.

use nix::sys::signal::Signal;
use stillcast_enqueue::{Format, Job, JobId, JobRecord, StageName, State};
use tests::simulator::{Endpoint, Fault, Latency, Options, Voice};

use crate::harness::until;
use crate::paid_harness::{ENDPOINTS, PaidHarness, assert_usd, job, slow_voice, stage};
use crate::suspects::suspect;

/// So slow that nothing ends before it is cut off.
fn endless() -> Latency {
    Latency { first_audio: 60.0, picture: 60.0, ..slow_voice() }
}

async fn open(latency: Latency) -> PaidHarness {
    let voice = Voice::Hurried;
    PaidHarness::open_with(|options| Options { latency, voice, ..options }).await
}

/// Speech and a picture are under way, and the words are bought and booked: the provider is done with them
/// before they are read. The first passage of a process goes alone: it finds out whether the account is
/// taken.
async fn under_way(paid: &PaidHarness, id: &JobId) {
    until("a draft is bought, speech and a picture are under way", async || {
        let open = |endpoint| paid.simulator.calls(endpoint).1;
        let is_read = paid.count(Endpoint::Chat) == 1 && open(Endpoint::Chat) == 0;
        (is_read && open(Endpoint::Speech) == 1 && open(Endpoint::Image) == 1).then_some(())
    })
    .await;
    let kept = async || (paid.pinned(id.as_str(), "transcript").await == 1).then_some(());
    until("the draft is booked", kept).await;
}

/// The record once its job has left its worker, and the provider has seen that.
async fn cut_off(paid: &PaidHarness, id: &JobId) -> JobRecord {
    let record = until("the job is given back", async || {
        Some(paid.record(id).await).filter(|record| record.state != State::Leased)
    })
    .await;
    until("every call was cut off", async || {
        ENDPOINTS.iter().all(|endpoint| paid.simulator.calls(*endpoint).1 == 0).then_some(())
    })
    .await;
    record
}

/// The draft was used; a passage and a picture were lost.
fn assert_booked(paid: &PaidHarness, record: &JobRecord) {
    let draft = paid.usd_paid(Some(Endpoint::Chat));
    assert_usd(record.cost.spent_usd, draft, "used");
    assert_usd(record.cost.wasted_usd, paid.usd_paid(None) - draft, "cut off");
    assert!(record.cost.wasted_usd > paid.usd_paid(Some(Endpoint::Image)), "{:?}", record.cost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_cut_off_by_a_cancel_are_in_the_books() {
    let paid = open(endless()).await;
    let harness = paid.harness().set("TTS_SLOTS", "2");
    let _worker = harness.start(&[]).await;
    let ids = paid.enqueue(&[job(Format::Video)]).await;
    under_way(&paid, &ids[0]).await;
    paid.producer.cancel(&ids[0]).await.unwrap();
    let record = cut_off(&paid, &ids[0]).await;
    assert_eq!(record.state, State::Cancelled);
    assert_booked(&paid, &record);
}

/// Its process is killed in the middle of its calls: what they cost is booked by its worker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_a_suspect_that_are_cut_off_are_in_the_books() {
    let paid = open(endless()).await;
    let harness = paid.harness().set("TTS_SLOTS", "2");
    let id = suspect(&paid, job(Format::Video)).await;
    let worker = harness.start(&[]).await;
    under_way(&paid, &id).await;
    assert!(worker.log().contains("runs apart"));
    paid.producer.cancel(&id).await.unwrap();
    let record = cut_off(&paid, &id).await;
    assert_eq!(record.state, State::Cancelled);
    assert_booked(&paid, &record);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_cut_off_by_the_end_of_a_drain_are_in_the_books() {
    let paid = open(endless()).await;
    let harness = paid.harness().set("TTS_SLOTS", "2").set("DRAIN_TIMEOUT", "1s");
    let mut worker = harness.start(&[]).await;
    let ids = paid.enqueue(&[job(Format::Video)]).await;
    under_way(&paid, &ids[0]).await;
    worker.signal(Signal::SIGTERM);
    assert_eq!(worker.end().await, 0);
    let record = cut_off(&paid, &ids[0]).await;
    assert_eq!((record.state, record.interruptions), (State::Ready, 1), "{record:?}");
    assert_booked(&paid, &record);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_cut_off_by_its_time_out_is_in_the_books() {
    let paid = open(Latency::NONE).await;
    paid.simulator.script(Endpoint::Speech, [None, Some(Fault::Stall)]);
    let harness = paid.harness().set("TTS_TIMEOUT", "5s");
    let _worker = harness.start(&[]).await;
    let ids = paid.enqueue(&[job(Format::Audio)]).await;
    let record = paid.done(&ids).await.remove(0);
    let cut: Vec<_> = paid.simulator.purchases().into_iter().filter(|call| call.spoilt).collect();
    assert_eq!(cut.len(), 1, "{cut:?}");
    assert_usd(record.cost.wasted_usd, cut[0].usd, "cut off");
    assert_usd(record.cost.spent_usd + cut[0].usd, paid.usd_paid(None), "in all");
}

/// What a retried job has paid in any attempt is the price of what others copy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_what_took_two_attempts_avoids_the_price_of_both() {
    let paid = open(Latency::NONE).await;
    let harness = paid.harness().set("UPLOAD_TRIES", "1");
    let obstacle = paid.obstruct_deliveries();
    let _worker = harness.start(&[]).await;
    let first = paid.enqueue(&[job(Format::Video)]).await;
    until("an attempt has failed", async || {
        Some(paid.record(&first[0]).await).filter(|record| record.state == State::Delayed)
    })
    .await;
    std::fs::remove_file(obstacle).unwrap();
    let owner = paid.done(&first).await.remove(0);
    assert_usd(owner.cost.spent_usd, paid.usd_paid(None), "by the first");
    assert_usd(owner.cost.avoided_usd, 0.0, "spared by what it had itself");
    let second = paid.enqueue(&[job(Format::Video)]).await;
    let copy = paid.done(&second).await.remove(0);
    assert!(stage(&copy, StageName::Upload).cached, "{copy:?}");
    assert_usd(copy.cost.avoided_usd, paid.usd_paid(None), "spared");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_record_says_of_its_stages_is_what_was_seen() {
    let paid = open(Latency { picture: 0.4, ..slow_voice() }).await;
    paid.simulator.script(Endpoint::Speech, [Some(Fault::Short), None, Some(Fault::Reset)]);
    paid.simulator.script(Endpoint::Image, [Some(Fault::status(500, ""))]);
    let harness = paid.harness();
    let _worker = harness.start(&[]).await;
    let ids = paid.enqueue(&[job(Format::Video)]).await;
    let record = paid.done(&ids).await.remove(0);
    let took = (record.finished_at.unwrap() - record.started_at.unwrap()).as_seconds_f64();
    let bought = [StageName::Transcript, StageName::Tts, StageName::Image];
    for (endpoint, name) in ENDPOINTS.into_iter().zip(bought) {
        let (record, usd) = (stage(&record, name), paid.usd_paid(Some(endpoint)));
        assert_eq!(record.tries as usize, paid.simulator.calls(endpoint).0, "{record:?}");
        assert!(!record.cached && record.provider.as_deref() == Some("openai"), "{record:?}");
        let booked = |name| record.resources.get(name).copied().unwrap_or_default();
        assert_usd(booked("usd") + booked("wasted_usd"), usd, name.as_str());
    }
    let speech = stage(&record, StageName::Tts);
    let passages = paid.bought(Endpoint::Speech).len();
    assert_usd(speech.resources["calls"], passages as f64, "calls");
    assert!(speech.resources["wasted_usd"] > 0.0 && speech.run_s >= 0.3, "{speech:?}");
    assert!(stage(&record, StageName::Image).run_s >= 0.2, "a picture takes as long: {record:?}");
    for stage in &record.stages {
        assert!(stage.wait_s + stage.run_s <= took + 0.1, "of {took} s: {stage:?}");
    }
    assert_encoded(&record);
    assert_usd(record.cost.spent_usd + record.cost.wasted_usd, paid.usd_paid(None), "in all");
    let again = paid.enqueue(&[Job::video(job(Format::Video).source)]).await;
    for stage in &paid.done(&again).await[0].stages[1..] {
        assert!(stage.cached && stage.tries == 0 && stage.resources.is_empty(), "{stage:?}");
    }
}

/// The encoder's children have used a processor and memory, by the system's own count.
fn assert_encoded(record: &JobRecord) {
    let encode = stage(record, StageName::Encode);
    let used = |name| encode.resources.get(name).copied().unwrap_or_default();
    // FFmpeg alone maps more than 10 MB; an hour of it would be another job's.
    assert!(used("cpu_s") > 0.0 && used("cpu_s") < 600.0, "{encode:?}");
    assert!(used("rss_bytes") > 10e6 && used("rss_bytes") < 4e9, "{encode:?}");
    assert!(encode.tries == 1 && !encode.cached, "{encode:?}");
}
