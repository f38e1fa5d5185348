//! A purge on a bucket: the record goes last, and neighbours keep what is theirs.

use std::time::Duration;

use queue::{ClaimRequest, Clock, Endpoint, Scripts};
use tests::bucket::{ACCESS_KEY, BUCKET, Bucket, SECRET_KEY, Step};
use tests::program::Program;

use crate::support::CommandHarness;

/// The harness's program, its files in `bucket`.
fn on(harness: CommandHarness, bucket: &Bucket) -> CommandHarness {
    let settings = [
        ("STORAGE_URL", "s3://deliveries/a/prefix"),
        ("S3_ENDPOINT", bucket.endpoint()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
    ];
    let program = settings
        .iter()
        .fold(harness.program, |program: Program, (name, value)| program.env(name, *value));
    CommandHarness { program, ..harness }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_that_the_bucket_refuses_keeps_the_record_and_may_be_repeated() {
    let bucket = Bucket::here().await.unwrap();
    let harness = on(CommandHarness::start().await, &bucket);
    let id = harness.enqueue(&[]).await;
    harness.json(&["job", "cancel", &id]).await;
    let own = [
        format!("media/default/{id}/aa.m4a"),
        format!("media/default/{id}/aa.json"),
        format!("work/default/{id}/bb"),
    ];
    // Whose names begin alike, and what others of the tenant share.
    let theirs = [
        format!("cache/default/tts/{id}"),
        format!("media/default/{id}-2/cc.m4a"),
        format!("media/other/{id}/dd.m4a"),
        format!("work/default/{id}-2/ee"),
    ];
    let name = |key: &String| format!("a/prefix/{key}");
    for key in own.iter().chain(&theirs) {
        let put = bucket.client().put_object().bucket(BUCKET).key(name(key));
        put.body(b"sound".to_vec().into()).send().await.unwrap();
    }
    bucket.script.set("DeleteObjects", Step::Deny);
    let refused = harness.run(&["job", "purge", &id]).await;
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(refused.stderr.contains("and so does its record"), "{refused:?}");
    assert_eq!(harness.json(&["job", "show", &id]).await["state"], "cancelled");
    bucket.script.clear();
    assert_eq!(harness.json(&["job", "purge", &id]).await["answer"], "purged");
    assert_eq!(bucket.objects().await.unwrap(), theirs.each_ref().map(name));
    let _ = harness.run(&["job", "show", &id]).await.expect(1);
}

#[tokio::test]
async fn a_job_at_work_is_not_purged() {
    let harness = CommandHarness::start().await;
    let id = harness.enqueue(&[]).await;
    let (file, work) = (harness.file_of(&id), harness.work_of(&id));
    let endpoint = Endpoint::new(&harness.server.url(), "stillcast").unwrap();
    let mut connection = endpoint.shared(Duration::from_secs(5)).await.unwrap();
    let scripts = Scripts::new(endpoint.keys().clone(), Clock::Server);
    let (worker, nonce, lease_ttl) = ("anna", "n1", Duration::from_mins(1));
    let request = ClaimRequest { worker, nonce, lease_ttl, held: 0 };
    scripts.claim(&mut connection, &request).await.unwrap();
    let refused = harness.run(&["job", "purge", &id, "--json"]).await.expect(1);
    let refused = refused.saying("is leased: cancel it first").json::<serde_json::Value>();
    assert_eq!((&refused["answer"], &refused["state"]), (&"not-ended".into(), &"leased".into()));
    assert!(file.exists() && work.exists());
}
