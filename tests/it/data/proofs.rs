//! `done` is what a store says afterwards, never what it answers to the write: a shelf with whims, a
//! bucket, a folder.

use std::time::Duration;

use bytes::Bytes;
use pipeline::{FailureClass, NamedBytes, ObjectKey, ProviderError};
use providers::store::{Credentials, Store, StoreOptions, open};
use stillcast_enqueue::Artifact;
use tests::bucket::{ACCESS_KEY, BUCKET, SECRET_KEY};
use tests::shelf::{Shelf, Whim};

use crate::support::{Files, target};

const PASSING: FailureClass = FailureClass::Transient { retry_after: None };
/// Lengths of a file that goes whole, and of one that goes in parts.
const LENGTHS: [usize; 2] = [1_000, 17 << 20];

async fn store(shelf: &Shelf) -> std::sync::Arc<dyn Store> {
    let credentials = Credentials {
        access_key_id: ACCESS_KEY.to_owned(),
        secret_access_key: SECRET_KEY.to_owned(),
        session_token: None,
    };
    let options = StoreOptions {
        url: format!("s3://{BUCKET}/a/prefix"),
        writer: "test".to_owned(),
        endpoint: Some(shelf.endpoint().to_owned()),
        credentials: Some(credentials),
        ..StoreOptions::default()
    };
    open(&options).await.unwrap()
}

async fn put(store: &dyn Store, bytes: usize) -> Result<Artifact, ProviderError> {
    store.put(&target("job-1"), &Files::new().of(bytes)).await.map(|answer| answer.value)
}

/// Whose fault a put is that was not proven, and what its error says.
#[tokio::test]
async fn what_is_not_there_afterwards_is_not_done() {
    for (whim, failure, code, says) in [
        (
            Whim::Yes,
            PASSING,
            &["store-unproven", "store-failed"][..],
            &["0 B of 1,000 B", "not one of S3"][..],
        ),
        (
            Whim::Page,
            PASSING,
            &["store-unproven", "store-failed"],
            &["43 B of 1,000 B", "not one of S3"],
        ),
        (
            Whim::Forgets,
            PASSING,
            &["store-unproven"],
            &["nothing of 1,000 B", "nothing of 17,825,792 B"],
        ),
        (
            Whim::Truncates,
            PASSING,
            &["store-unproven"],
            &["500 B of 1,000 B", "8,912,896 B of 17,825,792 B"],
        ),
        (Whim::Garbles, PASSING, &["store-unproven"], &["other 1,000 B", "other 17,825,792 B"]),
        (Whim::Login, FailureClass::Misconfigured, &["store-refused"], &["S3_ENDPOINT"]),
        (
            Whim::Skewed,
            FailureClass::Misconfigured,
            &["store-refused"],
            &["RequestTimeTooSkewed; this machine's clock"],
        ),
        (
            Whim::Elsewhere,
            FailureClass::Misconfigured,
            &["store-refused"],
            &["in the region eu-west-1; set AWS_REGION"],
        ),
        (Whim::ForbidsHead, FailureClass::Misconfigured, &["store-refused"], &["s3:GetObject"]),
    ] {
        let shelf = Shelf::start(whim).await.unwrap();
        let store = store(&shelf).await;
        for bytes in LENGTHS {
            for time in 1..=2 {
                let error = put(&*store, bytes).await.expect_err("it is not there");
                let told = format!("{whim:?}, {bytes} bytes, try {time}: {error}");
                assert!(code.contains(&error.code), "{told}");
                assert_eq!(error.failure, failure, "{told}");
                let lasting = failure == FailureClass::Misconfigured;
                assert!(lasting || error.again == Some(FailureClass::Misconfigured), "{told}");
                assert!(says.iter().any(|says| error.message.contains(says)), "{told}");
                assert!(!format!("{error} {error:?}").contains("canary"), "{told}");
            }
        }
        let error = store.probe().await.expect_err("a probe finds it out");
        assert!(code.contains(&error.code), "{whim:?}: {error}");
    }
}

#[tokio::test]
async fn what_was_not_proven_leaves_the_key_free_for_the_next_try() {
    for bytes in LENGTHS {
        let shelf = Shelf::start(Whim::Truncates).await.unwrap();
        let store = store(&shelf).await;
        put(&*store, bytes).await.unwrap_err();
        assert_eq!(shelf.objects(), Vec::<String>::new(), "half a file serves nobody");
        shelf.set(Whim::Honest);
        put(&*store, bytes).await.unwrap();
    }
}

/// Whoever was as fast has seen their object there: it stays theirs.
#[tokio::test]
async fn an_object_of_somebody_as_fast_is_left_alone() {
    let shelf = Shelf::start(Whim::IsOvertaken).await.unwrap();
    let store = store(&shelf).await;
    let key = ObjectKey::parse("work/acme/job-1/0e").unwrap();
    let ours = Bytes::from_static(b"what is ours");
    assert!(!store.put_if_absent(&key, ours).await.unwrap(), "it was there");
    assert_eq!(store.get(&key).await.unwrap().unwrap(), "another's");
    let error = put(&*store, 1_000).await.unwrap_err();
    assert_eq!(error.code, "artifact-conflict", "a file's key names its bytes");
    assert_eq!(shelf.objects().len(), 2, "{:?}", shelf.objects());
}

/// A store may lack whatever does not keep a file from being proven.
#[tokio::test]
async fn dialects_are_spoken() {
    for whim in [Whim::Honest, Whim::KeepsNoNotes, Whim::KnowsNoConditions] {
        let shelf = Shelf::start(whim).await.unwrap();
        let store = store(&shelf).await;
        for bytes in LENGTHS {
            let artifact = put(&*store, bytes).await.unwrap();
            let path = format!("/{BUCKET}/a/prefix/{}", artifact.key);
            assert!(shelf.objects().contains(&path), "{whim:?}: {:?}", shelf.objects());
            assert_eq!(put(&*store, bytes).await.unwrap().key, artifact.key, "{whim:?}: again");
        }
        let said = store.probe().await.unwrap();
        let lacks = whim == Whim::KnowsNoConditions;
        assert_eq!(said.contains("If-None-Match"), lacks, "{said}");
        if lacks {
            assert_eq!(shelf.conditions(), 1, "it is remembered");
        }
    }
}

/// Between paid and remembered: one request, and no thread that something else may hold.
#[test]
fn a_checkpoint_is_one_request_and_waits_for_no_thread() {
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let shelf = Shelf::start(Whim::Honest).await.unwrap();
        let store = store(&shelf).await;
        let holding = tokio::task::spawn_blocking(move || held.recv());
        let before = shelf.heard().len();
        let named = NamedBytes::of(Bytes::from(vec![7; 1 << 20]));
        let key = ObjectKey::parse("work/acme/job-1").unwrap().join(&named.name()).unwrap();
        let keeping = tokio::time::timeout(Duration::from_mins(1), store.keep(&key, &named));
        keeping.await.expect("the one thread for what blocks is held").unwrap();
        assert_eq!(shelf.heard()[before..], ["PUT"], "nothing else lies between");
        hold.send(()).unwrap();
        holding.await.unwrap().unwrap();
        store.keep(&key, &named).await.unwrap();
        assert_eq!(store.get(&key).await.unwrap().unwrap(), named.bytes, "it is there");
    });
}

#[tokio::test]
async fn a_copy_is_proven_too() {
    let shelf = Shelf::start(Whim::Honest).await.unwrap();
    let store = store(&shelf).await;
    let artifact = put(&*store, 1_000).await.unwrap();
    shelf.set(Whim::CopiesNothing);
    let error = store.adopt(&target("job-2"), &artifact).await.unwrap_err();
    assert_eq!((error.code, error.failure), ("store-unproven", PASSING));
    shelf.set(Whim::Honest);
    assert!(store.adopt(&target("job-2"), &artifact).await.unwrap().is_some());
}
