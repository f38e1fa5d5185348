//! The embedded stack around a worker of one line of shell: what is missing, what dies, who is alone.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use child::Running;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tests::process::{children, gone};
use tests::program::{Program, binary, ended, first_line};

/// A copy of the program beside a worker that we write.
struct EmbeddedHarness {
    folder: tempfile::TempDir,
    program: Program,
}

impl EmbeddedHarness {
    fn with_worker(script: &str) -> Self {
        let harness = Self::without_worker();
        let path = harness.folder.path().join("stillcast-worker");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        harness
    }

    fn without_worker() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stillcast");
        std::fs::copy(binary("stillcast"), &path).unwrap();
        let program = Program::at(path).env("STILLCAST_HOME", folder.path().join("home"));
        Self { folder, program }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn text(&self) -> String {
        let path = self.folder.path().join("text.txt");
        std::fs::write(&path, "A long day by the sea.").unwrap();
        path.display().to_string()
    }

    async fn dev(&self) -> (Running, Value) {
        let mut dev = self.program.spawn(&["dev", "--json"]).await.unwrap();
        let locations = serde_json::from_str(&first_line(&mut dev).await.unwrap()).unwrap();
        (dev, locations)
    }
}

fn folder_with(program: &str, folder: &Path) -> PathBuf {
    let found = ["/usr/bin", "/bin", "/usr/local/bin"].map(|bin| Path::new(bin).join(program));
    let found = found.iter().find(|path| path.is_file()).expect("the program is installed");
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    symlink(found, bin.join(program)).unwrap();
    bin
}

#[tokio::test]
async fn without_redis_it_names_the_command_that_installs_it() {
    let harness = EmbeddedHarness::with_worker("exec sleep 1000");
    let text = harness.text();
    let program = harness.program.clone().env("PATH", "/nowhere");
    let ran = program.run(&["make", "--text", &text]).await.unwrap().expect(69);
    assert!(ran.stderr.contains("apt-get install --no-install-recommends redis-server"), "{ran:?}");
}

#[tokio::test]
async fn without_a_worker_it_names_the_command_that_builds_it() {
    let harness = EmbeddedHarness::without_worker();
    let text = harness.text();
    let bin = folder_with("redis-server", harness.folder.path());
    let program = harness.program.clone().env("PATH", bin);
    let ran = program.run(&["make", "--text", &text]).await.unwrap().expect(69);
    assert!(ran.stderr.contains("stillcast-worker was not found"), "{ran:?}");
    assert!(ran.stderr.contains("cargo build --package worker"), "{ran:?}");
}

#[tokio::test]
async fn a_worker_that_refuses_its_configuration_is_78_with_its_words() {
    let harness = EmbeddedHarness::with_worker("echo 'LEASE_TTL is not a time' >&2; exit 78");
    let ran = harness.program.run(&["make", "--text", &harness.text()]).await.unwrap().expect(78);
    assert!(ran.stderr.contains("LEASE_TTL is not a time"), "{ran:?}");
}

#[tokio::test]
async fn a_worker_that_is_killed_again_and_again_is_given_up() {
    let harness = EmbeddedHarness::with_worker("echo started >&2; kill -9 $$");
    let ran = harness.program.run(&["make", "--text", &harness.text()]).await.unwrap().expect(69);
    assert!(ran.stderr.contains("ended by signal 9"), "{ran:?}");
    let log = std::fs::read_to_string(harness.home().join("worker.log")).unwrap();
    assert_eq!(log.matches("started").count(), 6, "one start, five more");
}

#[tokio::test]
async fn a_folder_in_use_is_refused_in_one_sentence() {
    let harness = EmbeddedHarness::with_worker("exec sleep 1000");
    let (dev, _) = harness.dev().await;
    let ran = harness.program.run(&["make", "--text", &harness.text()]).await.unwrap().expect(69);
    let _ = ran.saying(&format!("another stillcast (process {})", dev.pid()));
}

#[tokio::test]
async fn other_commands_find_a_running_dev_and_what_it_kept() {
    let harness = EmbeddedHarness::with_worker("trap 'exit 0' TERM; while :; do sleep 0.05; done");
    let text = harness.text();
    let make = ["make", "--text", &text, "--timeout", "1"];
    let kept = harness.program.run(&make).await.unwrap().expect(1);
    assert!(kept.stderr.contains("is kept in"), "{kept:?}");
    let (dev, locations) = harness.dev().await;
    assert!(locations["redis_url"].as_str().unwrap().starts_with("unix:///"));
    let jobs: Value = harness.program.run(&["jobs", "--json"]).await.unwrap().expect(0).json();
    let id = jobs["jobs"][0]["id"].as_str().unwrap().to_owned();
    let _ = harness.program.run(&["job", "cancel", &id]).await.unwrap().expect(0);
    let _ = harness.program.run(&["job", "purge", &id]).await.unwrap().expect(0);
    kill(Pid::from_raw(dev.pid()), Signal::SIGTERM).unwrap();
    let _ = ended(dev).await.unwrap().expect(0);
    let _ = harness.program.run(&["jobs"]).await.unwrap().expect(69);
}

#[tokio::test]
async fn a_killed_owner_takes_its_children_along_and_frees_the_folder() {
    let harness = EmbeddedHarness::with_worker("exec sleep 1000");
    let (mut dev, _) = harness.dev().await;
    let orphans = children(dev.pid());
    assert_eq!(orphans.len(), 2, "a Redis and a worker");
    kill(Pid::from_raw(dev.pid()), Signal::SIGKILL).unwrap();
    // A kill is over only when the kernel says so: until then the owner's own lock refuses others.
    dev.wait().await.unwrap_err();
    let (next, _) = harness.dev().await;
    for orphan in orphans {
        gone(orphan).await;
    }
    assert_eq!(children(next.pid()).len(), 2);
}

#[tokio::test]
async fn a_killed_redis_comes_back_with_its_jobs() {
    let harness = EmbeddedHarness::with_worker("exec sleep 1000");
    let (dev, _) = harness.dev().await;
    let text = harness.text();
    let enqueue = ["enqueue", "--text", &text, "--json"];
    let accepted: Value = harness.program.run(&enqueue).await.unwrap().expect(0).json();
    let redis = children(dev.pid())[0];
    kill(Pid::from_raw(redis), Signal::SIGKILL).unwrap();
    gone(redis).await;
    let id = accepted["id"].as_str().unwrap();
    let shown = tests::wait::until("a job is shown", async || {
        let shown = harness.program.run(&["job", "show", id, "--json"]).await.unwrap();
        (shown.code == 0).then_some(shown)
    });
    assert_eq!(shown.await.json::<Value>()["state"], "ready");
}

#[tokio::test]
async fn a_set_redis_url_is_ignored_aloud() {
    let harness = EmbeddedHarness::with_worker("exit 78");
    let program = harness.program.clone().env("REDIS_URL", "redis://127.0.0.1:1");
    let ran = program.run(&["make", "--text", &harness.text()]).await.unwrap().expect(78);
    assert!(ran.stderr.contains("REDIS_URL is ignored"), "{ran:?}");
    assert!(ran.stderr.contains("no key is set: offline providers"), "{ran:?}");
}
