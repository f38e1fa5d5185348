//! Uploads in parts that do not come to their end leave nothing behind.

use std::time::Duration;

use pipeline::FailureClass;
use providers::store::{StoreOptions, open};
use tests::bucket::{BUCKET, Bucket, Step};
use tests::proxy::Proxy;
use tests::wait::until;

use crate::support::{Files, options, store, target};

/// Five parts.
const LARGE: usize = 33 << 20;
const SETTLE: Duration = Duration::from_secs(30);

/// The store of this process fails one verb: the upload is aborted, and the next try delivers.
async fn aborts_when(verb: &str) {
    let bucket = Bucket::here().await.unwrap();
    let (files, store) = (Files::new(), store(&bucket).await);
    let media = files.of(LARGE);
    bucket.script.set(verb, Step::Fail);
    let error = store.put(&target("job-1"), &media).await.unwrap_err();
    assert!(matches!(error.failure, FailureClass::Transient { .. }), "{error:?}");
    bucket.script.wait_for("AbortMultipartUpload", 1).await;
    store.settle(SETTLE).await;
    bucket.script.clear();
    store.put(&target("job-1"), &media).await.unwrap();
    assert_eq!(bucket.script.heard("CreateMultipartUpload"), 2);
    assert_eq!(bucket.script.heard("AbortMultipartUpload"), 1, "the whole one is not aborted");
}

#[tokio::test]
async fn an_upload_whose_part_fails_is_aborted() {
    aborts_when("UploadPart").await;
}

#[tokio::test]
async fn an_upload_that_cannot_be_completed_is_aborted() {
    aborts_when("CompleteMultipartUpload").await;
}

#[tokio::test]
async fn a_cancel_at_any_moment_leaves_no_upload() {
    let bucket = Bucket::here().await.unwrap();
    let (files, store) = (Files::new(), store(&bucket).await);
    let (media, job) = (files.of(LARGE), target("job-1"));
    for (turn, verb) in (1..).zip(["UploadPart", "CompleteMultipartUpload"]) {
        bucket.script.set(verb, Step::Hang);
        let heard = bucket.script.heard(verb);
        tokio::select! {
            _ = store.put(&job, &media) => unreachable!("{verb} never answers"),
            () = bucket.script.wait_for(verb, heard + 1) => {}
        }
        store.settle(SETTLE).await;
        assert_eq!(bucket.script.heard("AbortMultipartUpload"), turn, "{verb}");
        bucket.script.clear();
    }
    // Dropped before the store has told the upload's name: it is aborted as soon as it has.
    let began = bucket.script.heard("CreateMultipartUpload");
    tokio::select! {
        biased;
        () = bucket.script.wait_for("CreateMultipartUpload", began + 1) => {}
        _ = store.put(&job, &media) => unreachable!("it has parts to send"),
    }
    store.settle(SETTLE).await;
    assert_eq!(bucket.script.heard("AbortMultipartUpload"), 3);
    assert!(bucket.objects().await.unwrap().is_empty());
}

#[tokio::test]
async fn moto_lists_no_upload_after_a_cut_wire_or_a_cancel() {
    let bucket = Bucket::moto().await.unwrap();
    let port = bucket.endpoint().rsplit(':').next().unwrap().parse().unwrap();
    let proxy = Proxy::start(port).await.unwrap();
    let endpoint = Some(proxy.url().replace("redis://", "http://"));
    let options = StoreOptions { endpoint, ..options(&bucket) };
    let store = open(&options).await.unwrap();
    let files = Files::new();
    let media = files.of(LARGE);

    proxy.lose_replies("partNumber=3", 1);
    let error = store.put(&target("job-1"), &media).await.unwrap_err();
    assert!(matches!(error.failure, FailureClass::Transient { .. }), "{error:?}");
    assert_eq!(proxy.lost(), 1);
    store.settle(SETTLE).await;
    assert_eq!(bucket.pending().await.unwrap(), 0);

    // Who is first, moto's list or the last part, is chance: until the list was, once.
    for turn in 0.. {
        let delivery = target(&format!("job-{turn}"));
        let is_cancelled = tokio::select! {
            put = store.put(&delivery, &media) => put.map(|_| false).unwrap(),
            () = until("moto lists it", async || (bucket.pending().await.unwrap() == 1).then_some(())) => true,
        };
        store.settle(SETTLE).await;
        assert_eq!(bucket.pending().await.unwrap(), 0);
        if is_cancelled {
            return;
        }
    }
}

/// All of moto's uploads say that they began in 2010.
#[tokio::test]
async fn orphans_of_our_prefix_are_swept_and_no_others() {
    let bucket = Bucket::moto().await.unwrap();
    for key in ["a/prefix/media/acme/job-1/x.mp4", "a/prefix/work/y", "elsewhere/z"] {
        let create = bucket.client().create_multipart_upload().bucket(BUCKET);
        create.key(key).send().await.unwrap();
    }
    let store = store(&bucket).await;
    assert_eq!(store.sweep().await.unwrap(), 2);
    assert_eq!(bucket.pending().await.unwrap(), 1);
    // A store that cannot list them is no fault of the worker.
    let blind = Bucket::here().await.unwrap();
    assert_eq!(crate::support::store(&blind).await.sweep().await.unwrap(), 0);
}
