//! Stores that refuse or fail: what it means for the job.

use pipeline::FailureClass;
use providers::store::{Credentials, StoreOptions, open};
use tests::bucket::{Bucket, Step};

use crate::support::{Files, options, target};

async fn failure(options: &StoreOptions) -> (&'static str, FailureClass, String) {
    let store = open(options).await.unwrap();
    let error = store.put(&target("job-1"), &Files::new().of(10)).await.unwrap_err();
    (error.code, error.failure, error.message)
}

#[tokio::test]
async fn each_refusal_means_what_the_design_says() {
    let bucket = Bucket::here().await.unwrap();
    let good = options(&bucket);
    let refused = ("store-refused", FailureClass::Misconfigured);
    let wrong = |id: &str, secret: &str| {
        let credentials = Some(Credentials {
            access_key_id: id.to_owned(),
            secret_access_key: secret.to_owned(),
            session_token: None,
        });
        StoreOptions { credentials, ..good.clone() }
    };
    for options in [wrong("nobody", "canary"), wrong(tests::bucket::ACCESS_KEY, "canary")] {
        let (code, class, message) = failure(&options).await;
        assert_eq!((code, class), refused, "{message}");
        assert!(message.contains("AWS_ACCESS_KEY_ID") && !message.contains("canary"), "{message}");
    }
    bucket.script.set("PutObject", Step::Deny);
    let (code, class, message) = failure(&good).await;
    assert_eq!((code, class), refused, "{message}");
    assert!(message.contains("AccessDenied"), "{message}");
    bucket.script.set("PutObject", Step::Fail);
    let (code, class, message) = failure(&good).await;
    assert_eq!((code, class), ("store-failed", FailureClass::Transient { retry_after: None }));
    assert!(message.contains("InternalError"), "{message}");
    assert_eq!(bucket.script.heard("PutObject"), 2, "the client repeats nothing by itself");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_a_setting_and_a_dead_server_is_not() {
    let bucket = Bucket::moto().await.unwrap();
    let nowhere = StoreOptions { url: "s3://no-such-bucket".to_owned(), ..options(&bucket) };
    let (code, class, message) = failure(&nowhere).await;
    assert_eq!((code, class), ("store-refused", FailureClass::Misconfigured));
    assert!(message.contains("NoSuchBucket"), "{message}");
    let probed = open(&nowhere).await.unwrap().probe().await.unwrap_err();
    assert_eq!(probed.code, "store-refused");
    let endpoint = Some("http://127.0.0.1:1".to_owned());
    let (code, class, _) = failure(&StoreOptions { endpoint, ..options(&bucket) }).await;
    assert_eq!((code, class), ("store-failed", FailureClass::Transient { retry_after: None }));
}
