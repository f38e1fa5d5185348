//! Between paid and remembered: how long what a provider has sent can still be lost, where its store is a
//! bucket.

use stillcast_enqueue::{Format, Job, Source};
use tests::bucket::{ACCESS_KEY, BUCKET, Bucket, SECRET_KEY};
use tests::simulator::{Latency, Options, Voice};

use crate::harness::{free_address, get, until};
use crate::numbers::count;
use crate::paid_harness::PaidHarness;

const NAME: &str = "stillcast_checkpoint_seconds";
const CALLS: &str = "stillcast_provider_requests_total";
const JOBS: usize = 4;

/// Each thing that was bought has reached its checkpoint, and it is told how soon.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_bought_is_kept_and_how_soon_is_told() {
    let latency = Latency::TYPICAL.scaled(0.1);
    let voice = Voice::Hurried;
    let paid = PaidHarness::open_with(|options| Options { latency, voice, ..options }).await;
    let (bucket, address) = (Bucket::here().await.unwrap(), free_address().await);
    let harness = paid
        .harness()
        .set("STORAGE_URL", &format!("s3://{BUCKET}/kept"))
        .set("S3_ENDPOINT", bucket.endpoint())
        .set("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .set("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
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
