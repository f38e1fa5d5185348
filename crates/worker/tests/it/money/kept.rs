//! Between paid and remembered, where the store is a bucket: how long what a provider has sent can still
//! be lost, and how much of it.

use stillcast_enqueue::{Format, Job, Source};
use tests::bucket::{ACCESS_KEY, BUCKET, Bucket, SECRET_KEY, Step};
use tests::simulator::{Endpoint, Latency, Options, Voice};

use crate::harness::{WorkerHarness, free_address, get, until};
use crate::numbers::count;
use crate::paid_harness::{ENDPOINTS, PARTS, PaidHarness, job, slow_voice};

const NAME: &str = "stillcast_checkpoint_seconds";
const CALLS: &str = "stillcast_provider_requests_total";
const JOBS: usize = 4;
/// Slots for speech of a worker.
const VOICES: usize = 2;

fn on(bucket: &Bucket, harness: WorkerHarness) -> WorkerHarness {
    harness
        .set("STORAGE_URL", &format!("s3://{BUCKET}/kept"))
        .set("S3_ENDPOINT", bucket.endpoint())
        .set("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .set("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
}

/// Each thing that was bought has reached its checkpoint, and it is told how soon.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_bought_is_kept_and_how_soon_is_told() {
    let latency = Latency::TYPICAL.scaled(0.1);
    let voice = Voice::Hurried;
    let paid = PaidHarness::open_with(|options| Options { latency, voice, ..options }).await;
    let (bucket, address) = (Bucket::here().await.unwrap(), free_address().await);
    let harness = on(&bucket, paid.harness())
        .set("RUST_LOG", "info")
        .set("WORKER_ADDR", &address.to_string());
    let text = |n: usize| Source::Text(format!("Evening {n}: rain on the harbour."));
    let jobs: Vec<Job> = (0..JOBS).map(|n| Job::new(text(n), Format::Video)).collect();
    let _worker = harness.start(&[]).await;
    paid.done(&paid.enqueue(&jobs).await).await;
    for stage in ["transcript", "tts", "image"] {
        let label = format!("stage=\"{stage}\"");
        let counted = async || {
            let page = get(address, "/metrics").await?;
            let kept = count(&page, &format!("{NAME}_count"), &[&label]);
            let bought = count(&page, CALLS, &[&label, "code=\"ok\""]);
            // A transcript may take a second draft, and is kept as a whole.
            let all = if stage == "transcript" { i64::try_from(JOBS).unwrap() } else { bought };
            (kept == all && kept > 0).then_some(())
        };
        until("all of it is kept", counted).await;
    }
}

/// A store that takes nothing stops the buying: what is on its way there is bounded, and is all that a
/// death costs. It is counted apart from calls under way, of which there are none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_costs_what_is_on_its_way_to_the_store_and_no_more() {
    let latency = Latency { first_audio: 0.05, ..slow_voice() };
    let voice = Voice::Hurried;
    let paid = PaidHarness::open_with(|options| Options { latency, voice, ..options }).await;
    let bucket = Bucket::here().await.unwrap();
    let harness = on(&bucket, paid.harness())
        .set("LEASE_TTL", "3")
        .set("USE_CACHING", "false")
        .set("TTS_SLOTS", &VOICES.to_string());
    bucket.script.set("PutObject", Step::Hang);
    let worker = harness.start(&[]).await;
    let id = paid.enqueue(&[job(Format::Video)]).await.remove(0);
    let bought = || paid.count(Endpoint::Speech) + paid.count(Endpoint::Image);
    until("the words are kept, and as much is bought as may be lost", async || {
        let is_open = ENDPOINTS.iter().any(|endpoint| paid.simulator.calls(*endpoint).1 > 0);
        // Each has been sent on at once: the store has heard of it.
        let is_sent_on = bucket.script.heard("PutObject") == bought();
        let words = paid.pinned(id.as_str(), "transcript").await;
        (words == 1 && bought() > VOICES && !is_open && is_sent_on).then_some(())
    })
    .await;
    worker.kill().await;
    let kept = paid.pinned(id.as_str(), "passage-").await + paid.pinned(id.as_str(), "image").await;
    let lost = bought() - kept;
    // Of each slot one that is kept and one that is said, were there no pauses between them; a picture.
    assert!((VOICES + 1..=2 * VOICES + 1).contains(&lost), "{lost} calls are lost");
    bucket.script.clear();
    let _worker = harness.start(&[]).await;
    paid.done(std::slice::from_ref(&id)).await;
    let repeats = |endpoint| paid.count(endpoint) - paid.bought(endpoint).len();
    assert_eq!(repeats(Endpoint::Speech) + repeats(Endpoint::Image), lost, "bought again");
    let mut on_their_way = 0;
    for endpoint in PARTS {
        let toll = paid.toll(endpoint, std::slice::from_ref(&id)).await;
        assert_eq!((toll.under_way, toll.unshared), (0, 0), "{endpoint:?}: {toll:?}");
        on_their_way += toll.on_their_way;
    }
    assert_eq!(on_their_way, lost, "counted apart");
    assert_eq!(paid.count(Endpoint::Chat), 1, "words need no store");
}
