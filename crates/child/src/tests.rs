//! Real children, each one line of shell: the shell is only in the tests.

mod spawner;

use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::kill;
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::*;

fn shell(script: &str) -> Spec {
    Spec::new("sh").arg("-c").arg(script)
}

/// Waits until the process is gone, or only its zombie is left for somebody else to reap.
async fn gone(pid: i32) {
    let patience = Duration::from_secs(10);
    tokio::time::timeout(patience, async {
        while kill(Pid::from_raw(pid), None).is_ok() && !is_zombie(pid) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the process outlived its group");
}

fn is_zombie(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

type IsExpected = fn(&ChildError) -> bool;

/// Scripts that fail, and what each one's error is.
const FAILURES: [(&str, IsExpected); 3] = [
    (
        "echo why >&2; exit 7",
        |error| matches!(error, ChildError::Status { code: 7, stderr, .. } if stderr == "why\n"),
    ),
    ("kill -9 $$", |error| matches!(error, ChildError::Signal { signal: 9, .. })),
    ("head -c 200000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 1", |error| {
        matches!(error, ChildError::Status { stderr, .. }
                if stderr.len() == 64 * 1024 && stderr.ends_with("xend\n"))
    }),
];

#[tokio::test]
async fn endings_become_typed_errors() {
    for (script, is_expected) in FAILURES {
        let error = shell(script).run().await.expect_err(script);
        assert!(is_expected(&error), "{script}: {error}");
    }
}

#[tokio::test]
async fn a_child_gives_way_where_it_shall() {
    let niceness = async |spec: Spec| -> i32 {
        let (said, _) = spec.output(64).await.unwrap();
        String::from_utf8(said).unwrap().trim().parse().unwrap()
    };
    let own = niceness(Spec::new("nice")).await;
    // 19 is as far as anybody can.
    assert_eq!(niceness(Spec::new("nice").giving_way()).await, (own + 5).min(19));
}

#[tokio::test]
async fn a_missing_program_says_what_to_do() {
    let spec = Spec::new("no-such-program").hint("install it with: apt-get install -y thing");
    let error = spec.run().await.expect_err("it is missing");
    assert!(matches!(error, ChildError::NotFound { .. }));
    assert!(error.to_string().ends_with("apt-get install -y thing"), "{error}");
    let elsewhere = shell("true").folder("/no/such/folder").run().await.expect_err("no folder");
    assert!(matches!(elsewhere, ChildError::Spawn { .. }), "{elsewhere}");
}

#[tokio::test]
async fn output_is_returned_and_bounded() {
    let (bytes, finished) = shell("printf abc").output(3).await.unwrap();
    assert_eq!(bytes, b"abc");
    assert!(finished.status.success());
    let error = shell("printf abcd").output(3).await.expect_err("one byte too many");
    assert!(matches!(error, ChildError::TooMuchOutput { limit: 3, .. }), "{error}");
}

#[tokio::test]
async fn a_piped_child_answers_what_it_is_asked() {
    let mut child =
        Spec::new("cat").stdin(Stream::Piped).stdout(Stream::Piped).spawn().await.unwrap();
    child.stdin.as_mut().unwrap().write_all(b"hello").await.unwrap();
    drop(child.stdin.take());
    assert_eq!(child.output(100).await.unwrap().0, b"hello");
}

#[tokio::test]
async fn a_file_can_take_the_streams_of_a_long_lived_child() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let stream = || Stream::File(log.reopen().unwrap());
    shell("echo kept").stdout(stream()).stderr(Stream::Null).run().await.unwrap();
    assert_eq!(std::fs::read_to_string(log.path()).unwrap(), "kept\n");
}

/// Starts a shell with a grandchild and returns both identifiers.
async fn family() -> (Running, i32) {
    let mut child = shell("sleep 600 & echo $!; wait").stdout(Stream::Piped).spawn().await.unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    (child, line.trim().parse().unwrap())
}

#[tokio::test]
async fn dropping_kills_the_whole_group() {
    let (child, grandchild) = family().await;
    let leader = child.pid();
    drop(child);
    gone(leader).await;
    gone(grandchild).await;
}

#[tokio::test]
async fn terminating_ends_the_whole_group_politely() {
    let (child, grandchild) = family().await;
    let finished = child.terminate(Duration::from_secs(5)).await.unwrap();
    assert!(!finished.status.success());
    gone(grandchild).await;
}

#[tokio::test]
async fn the_end_of_the_leader_is_the_end_of_its_group() {
    let (bytes, _) = shell("sleep 600 >/dev/null 2>&1 & echo $!").output(100).await.unwrap();
    gone(String::from_utf8(bytes).unwrap().trim().parse().unwrap()).await;
}

#[tokio::test]
async fn a_deaf_child_is_killed_after_its_grace() {
    let began = Instant::now();
    let spec = shell("trap '' TERM; echo deaf >&2; while :; do sleep 600; done");
    let error = spec.timeout(Duration::from_millis(300)).run().await.expect_err("it never ends");
    assert!(matches!(&error, ChildError::Timeout { stderr, .. } if stderr == "deaf\n"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn limits_hold_in_the_child() {
    let limits = Limits {
        address_space: Some(1 << 30),
        data: Some(1 << 29),
        cpu: Some(Duration::from_millis(1500)),
        file_size: Some(1 << 20),
        open_files: Some(64),
        core: Some(0),
    };
    let script = "ulimit -v; ulimit -d; ulimit -t; ulimit -f; ulimit -n; ulimit -c";
    let (bytes, _) = shell(script).limits(limits).output(1000).await.unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), "1048576\n524288\n2\n2048\n64\n0\n");
}

/// What is bounded already may start children whose own bound is wider.
#[tokio::test]
async fn nobody_asks_for_more_than_this_process_may_have() {
    setrlimit(Resource::RLIMIT_CORE, 0, 0).unwrap();
    let limits = Limits { core: Some(1 << 20), ..Limits::default() };
    let (bytes, _) = shell("ulimit -c").limits(limits).output(1000).await.unwrap();
    assert_eq!(bytes, b"0\n");
}

#[tokio::test]
async fn a_child_may_have_another_name_and_its_owners_streams() {
    let spec = shell("echo $0; exit 3").named("suspect");
    let error = spec.stderr(Stream::Inherited).run().await.expect_err("it says so");
    assert_eq!(error.to_string(), "suspect ended with status 3");
}

#[tokio::test]
async fn a_greedy_child_is_ended_at_its_limit() {
    let limits = Limits { cpu: Some(Duration::from_secs(1)), ..Limits::default() };
    let error =
        shell("while :; do :; done").limits(limits).run().await.expect_err("it burns its second");
    assert!(matches!(error, ChildError::Signal { signal: 24, .. }), "{error}");
}

#[tokio::test]
async fn the_account_shows_cpu_and_memory() {
    let script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
    let finished = shell(script).measured().run().await.unwrap();
    assert!(finished.cpu >= Duration::from_millis(10), "{finished:?}");
    assert!(finished.peak_memory.is_some_and(|bytes| bytes > 100_000), "{finished:?}");
}

#[tokio::test]
async fn a_bare_environment_holds_what_was_given() {
    let spec = Spec::new("/usr/bin/env").env_clear().env("ONLY", "this");
    assert_eq!(spec.output(1000).await.unwrap().0, b"ONLY=this\n");
}
