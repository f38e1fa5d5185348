//! A conversation in Postgres goes in, a file in a bucket comes out: two programs, as installed.

use serde_json::Value;
use stillcast_enqueue::JobRecord;
use tests::bucket::{ACCESS_KEY, Bucket, SECRET_KEY};
use tests::program::Program;
use tests::server::Server;

use crate::support::{Content, worker};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_becomes_a_file_in_a_bucket() {
    let (server, content) = (Server::start().await.unwrap(), Content::new().await);
    let bucket = Bucket::here().await.unwrap();
    let said = [("user", "The harbour was quiet after the storm, and the gulls came back.")];
    let id = content.converse("acme", &said).await.to_string();
    let worker = worker(&server, &content, &bucket);

    let checked = worker.run(&["--check", "--probe", "--json"]).await.unwrap();
    let page: Value = checked.json();
    let probes = page["probes"].as_array().unwrap();
    let ok = |part: &str| probes.iter().any(|probe| probe["part"] == part && probe["ok"] == true);
    assert!(ok("database") && ok("storage"), "{probes:?}");
    assert!(!checked.stdout.contains(SECRET_KEY));

    let stillcast = Program::stillcast(server.folder()).env("REDIS_URL", server.url());
    for tenant in ["acme", "other"] {
        let enqueue = ["enqueue", "--conversation", &id, "--tenant", tenant, "--json"];
        let _ = stillcast.run(&enqueue).await.unwrap().expect(0);
    }
    let _ = worker.run(&["--until-empty"]).await.unwrap().expect(0);
    let jobs = stillcast.run(&["jobs", "--json"]).await.unwrap().expect(0);
    let jobs: Value = jobs.json();
    let records: Vec<JobRecord> = serde_json::from_value(jobs["jobs"].clone()).unwrap();
    let of = |tenant: &str| records.iter().find(|record| record.tenant == tenant).unwrap();
    let error = of("other").error.as_ref().unwrap();
    assert_eq!(
        (error.code.as_str(), error.provider.as_deref()),
        ("conversation-not-found", Some("postgres"))
    );
    let (artifact, extras) = (of("acme").artifact.as_ref().unwrap(), &of("acme").extras);
    assert!(artifact.url.starts_with(bucket.endpoint()) && artifact.path.is_none());
    let mut stored = bucket.objects().await.unwrap();
    stored.retain(|key| key.contains("/media/"));
    let manifest = artifact.key.replace(".m4a", ".json");
    let keys = extras.values().map(|extra| &extra.key).chain([&artifact.key, &manifest]);
    let mut keys: Vec<String> = keys.map(|key| format!("a/prefix/{key}")).collect();
    keys.sort();
    stored.sort();
    assert_eq!((stored, extras.len()), (keys, 3));

    // The operator's purge reaches the bucket too.
    let keys = [
        ("STORAGE_URL", "s3://deliveries/a/prefix"),
        ("S3_ENDPOINT", bucket.endpoint()),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
    ];
    let purge = keys.into_iter().fold(stillcast, |program, (name, value)| program.env(name, value));
    let _ = purge.run(&["job", "purge", &of("acme").id]).await.unwrap().expect(0);
    let left = bucket.objects().await.unwrap();
    // What other jobs of the tenant may share stays for its time.
    assert!(left.iter().all(|key| key.contains("/cache/")), "{left:?}");
}
