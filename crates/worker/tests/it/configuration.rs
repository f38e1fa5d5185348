//! Settings go in; pages, sentences and exit codes come out.

use serde_json::Value;
use tests::server::Server;
use tokio::net::TcpListener;

use crate::harness::{Ended, WorkerHarness, free_address};

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stdout))
}

/// The finding about `part`: whether it will do, and what is said.
fn finding(page: &Value, part: &str) -> (bool, String) {
    let findings = page["probes"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["part"] == part).unwrap();
    (found["ok"].as_bool().unwrap(), found["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_worker_without_what_it_needs_ends_with_78_and_says_all_of_it() {
    let harness =
        WorkerHarness::new().unset("STORAGE_URL").unset("REDIS_URL").unset("LLM_PROVIDER");
    let ended = harness.run(&[]).await;
    assert_eq!(ended.code, 78);
    for name in ["STORAGE_URL", "REDIS_URL", "LLM_PROVIDER"] {
        assert!(ended.stderr.contains(&format!("{name}: is not set")), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn an_occupied_address_ends_with_78() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = WorkerHarness::new().set("WORKER_ADDR", &address).run(&[]).await;
    assert_eq!(ended.code, 78, "{}", ended.stderr);
    assert!(ended.stderr.contains(&format!("WORKER_ADDR: {address}")), "{}", ended.stderr);
}

#[tokio::test]
async fn a_redis_that_is_not_there_ends_with_69() {
    let ended = WorkerHarness::new().run(&[]).await;
    assert_eq!(ended.code, 69, "{}", ended.stderr);
    assert!(ended.stderr.contains("REDIS_URL"), "{}", ended.stderr);
}

#[tokio::test]
async fn an_ffmpeg_that_is_not_there_ends_with_69_and_the_command_that_installs_it() {
    let server = Server::start().await.unwrap();
    let ended = WorkerHarness::on(&server).set("FFMPEG_PATH", "/nowhere/ffmpeg").run(&[]).await;
    assert_eq!(ended.code, 69, "{}", ended.stderr);
    assert!(ended.stderr.contains("apt-get install -y ffmpeg"), "{}", ended.stderr);
}

#[tokio::test]
async fn check_prints_a_file_without_secrets() {
    let harness =
        WorkerHarness::new().set("REDIS_URL", "redis://:canary@host").set("UPLOAD_TRIES", "3");
    let ended = harness.run(&["--check"]).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("\nupload_tries = 3\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("redis_url = \"redis://***@host\""), "{}", ended.stdout);
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("canary"));
}

#[tokio::test]
async fn check_prints_faults_as_json() {
    let ended = WorkerHarness::new().set("LEASE_TTL", "soon").run(&["--check", "--json"]).await;
    assert_eq!(ended.code, 78);
    let page = json(&ended);
    assert_eq!(page["ok"], false);
    assert_eq!(page["faults"][0]["name"], "LEASE_TTL", "{page}");
}

#[tokio::test]
async fn a_probe_finds_every_part() {
    let server = Server::start().await.unwrap();
    let harness = WorkerHarness::on(&server).set("WORKER_ADDR", &free_address().await.to_string());
    let ended = harness.run(&["--check", "--probe", "--json"]).await;
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let page = json(&ended);
    assert_eq!(page["ok"], true);
    for part in ["redis", "ffmpeg", "storage", "scratch", "address"] {
        assert!(finding(&page, part).0, "{page}");
    }
}

#[tokio::test]
async fn a_probe_names_every_part_that_is_missing() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let harness = WorkerHarness::new()
        .set("REDIS_URL", "redis://:canary@127.0.0.1:1")
        .set("FFMPEG_PATH", "/bin/true")
        .set("STORAGE_URL", "file:///proc/nowhere")
        .set("WORKER_ADDR", &taken.local_addr().unwrap().to_string());
    let ended = harness.run(&["--check", "--probe", "--json"]).await;
    assert_eq!(ended.code, 69, "{}", ended.stdout);
    let page = json(&ended);
    for (part, hint) in [
        ("redis", "REDIS_URL"),
        ("ffmpeg", "apt-get install -y ffmpeg"),
        ("storage", "STORAGE_URL"),
        ("address", "WORKER_ADDR"),
    ] {
        let (ok, message) = finding(&page, part);
        assert!(!ok && message.contains(hint), "{part}: {message}");
    }
    assert!(finding(&page, "scratch").0);
    assert!(!ended.stdout.contains("canary"), "{}", ended.stdout);
}

#[tokio::test]
async fn usage_ends_with_2_and_help_shows_examples() {
    assert_eq!(WorkerHarness::new().run(&["--probe"]).await.code, 2);
    assert_eq!(WorkerHarness::new().run(&["make"]).await.code, 2);
    let help = WorkerHarness::new().run(&["--help"]).await;
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("stillcast-worker --check --probe --json"), "{}", help.stdout);
    let version = WorkerHarness::new().run(&["--version"]).await;
    assert_eq!(version.stdout, format!("stillcast-worker {}\n", env!("CARGO_PKG_VERSION")));
}
