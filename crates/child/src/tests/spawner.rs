//! Whose end is the end of a child, and whose is not: real threads, runtimes and processes end.

use std::fs::File;
use std::io::{BufRead, BufReader as Lines, PipeReader, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use nix::sys::signal::Signal;
use nix::unistd::gettid;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use super::*;

/// Set for the process that shall start a child and be killed.
const DOOMED: &str = "CHILD_TESTS_DOOMED";
const STARTS_A_CHILD: &str =
    "tests::spawner::a_multi_threaded_process_starts_a_child_and_waits_to_be_killed";

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn file(end: impl Into<OwnedFd>) -> Stream {
    Stream::File(File::from(end.into()))
}

/// A child that answers each line with itself, and the two ends that its owner holds.
fn echo() -> (Spec, PipeWriter, Lines<PipeReader>) {
    let (asked, ask) = std::io::pipe().unwrap();
    let (answers, answer) = std::io::pipe().unwrap();
    (Spec::new("cat").stdin(file(asked)).stdout(file(answer)), ask, Lines::new(answers))
}

/// A child that was sent SIGKILL never answers, even when it has not died yet.
fn assert_answers(ask: &mut PipeWriter, answers: &mut impl BufRead) {
    ask.write_all(b"alive?\n").expect("the child reads no more");
    let mut answer = String::new();
    answers.read_line(&mut answer).unwrap();
    assert_eq!(answer, "alive?\n", "the child is dead");
}

/// Starts it on the only worker of a runtime; returns that thread's number, too.
fn start_on_a_worker(runtime: &Runtime, spec: Spec) -> (Running, i32) {
    runtime.block_on(async {
        let mut starting = JoinSet::new();
        starting.spawn(async { (spec.spawn().await.unwrap(), gettid().as_raw()) });
        starting.join_next().await.unwrap().unwrap()
    })
}

#[test]
fn a_child_outlives_the_thread_and_the_runtime_that_started_it() {
    let (spec, mut ask, mut answers) = echo();
    let (child, thread) =
        std::thread::spawn(|| start_on_a_worker(&runtime(), spec)).join().unwrap();
    // The kernel signals the children of a thread before it forgets the thread.
    while Path::new(&format!("/proc/self/task/{thread}")).exists() {
        std::thread::yield_now();
    }
    assert_answers(&mut ask, &mut answers);
    drop(child);
}

#[tokio::test]
async fn a_child_dies_with_its_process_when_that_is_killed() {
    let itself = std::env::current_exe().unwrap();
    let doomed = Spec::new(itself).args(["--exact", STARTS_A_CHILD, "--nocapture"]);
    let doomed = doomed.env(DOOMED, "yes").stdout(Stream::Piped);
    let mut doomed = doomed.spawn().await.unwrap();
    let child = told(&mut doomed).await;
    // Alone: the child leads a group of its own.
    kill(Pid::from_raw(doomed.pid()), Signal::SIGKILL).unwrap();
    gone(child).await;
}

/// The number of the child that it says it has started.
async fn told(doomed: &mut Running) -> i32 {
    let mut lines = BufReader::new(doomed.stdout.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().expect("it starts a child");
        if let Some((_, pid)) = line.rsplit_once("its child is ") {
            return pid.parse().unwrap();
        }
    }
}

/// Does nothing unless the test above has started it in a process of its own.
#[test]
#[expect(clippy::disallowed_methods, reason = "a process that a test starts is told so")]
fn a_multi_threaded_process_starts_a_child_and_waits_to_be_killed() {
    if std::env::var_os(DOOMED).is_none() {
        return;
    }
    let runtime = runtime();
    let (child, _) = start_on_a_worker(&runtime, shell("exec sleep 600"));
    println!("its child is {}", child.pid());
    runtime.block_on(std::future::pending::<()>());
}

#[test]
fn a_start_that_panics_fails_alone() {
    let (spec, mut ask, mut answers) = echo();
    let healthy = runtime();
    let (child, _) = start_on_a_worker(&healthy, spec);
    let lacking = Builder::new_current_thread().build().unwrap();
    let error = lacking.block_on(shell("true").spawn()).expect_err("it has no I/O");
    assert!(matches!(error, ChildError::Spawn { .. }), "{error}");
    healthy.block_on(shell("true").run()).unwrap();
    assert_answers(&mut ask, &mut answers);
    drop(child);
}

#[tokio::test]
async fn a_start_that_nobody_waits_for_leaves_nobody() {
    let (mut lives, life) = std::io::pipe().unwrap();
    let spec = shell("exec sleep 600").stdout(file(life));
    assert!(poll_once(spec.spawn()).is_pending(), "a start takes longer");
    let (ends, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || ends.send(lives.read(&mut [0])));
    let ended = tokio::time::timeout(Duration::from_secs(10), ended).await;
    assert_eq!(ended.expect("the child lives").unwrap().unwrap(), 0);
}

#[test]
fn without_a_runtime_nothing_starts() {
    let Poll::Ready(Err(error)) = poll_once(shell("true").spawn()) else {
        panic!("there is no runtime");
    };
    assert!(matches!(error, ChildError::Spawn { .. }), "{error}");
}

/// Asks for its end once, then drops it.
fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}
