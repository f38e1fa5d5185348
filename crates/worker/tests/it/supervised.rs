//! A socket that stands in for the service manager, and a worker; what the one hears of the other.

use std::os::unix::net::UnixDatagram as Blocking;
use std::time::Duration;

use nix::sys::signal::Signal;
use tests::server::Server;
use tokio::net::UnixDatagram;

use crate::harness::WorkerHarness;

/// Longest wait for a message; reaching it is a failure, never a pass.
const WAIT: Duration = Duration::from_secs(150);

fn supervised(harness: WorkerHarness) -> (UnixDatagram, WorkerHarness) {
    let path = harness.folder().join("notify");
    let listener = Blocking::bind(&path).unwrap();
    listener.set_nonblocking(true).unwrap();
    let harness = harness.set("NOTIFY_SOCKET", &path.display().to_string());
    (UnixDatagram::from_std(listener).unwrap(), harness)
}

/// The next message that is no sign of life.
async fn heard(listener: &UnixDatagram) -> String {
    loop {
        let mut words = [0; 256];
        let received = tokio::time::timeout(WAIT, listener.recv(&mut words)).await;
        let length = received.expect("something is told").unwrap();
        if &words[..length] != b"WATCHDOG=1" {
            return String::from_utf8(words[..length].to_vec()).unwrap();
        }
    }
}

#[tokio::test]
async fn a_service_manager_hears_that_a_worker_is_ready_and_that_it_ends() {
    let server = Server::start().await.unwrap();
    let (listener, harness) = supervised(WorkerHarness::on(&server).set("DRAIN_TIMEOUT", "40"));
    let mut worker = harness.set("WATCHDOG_USEC", "20000").start(&[]).await;
    let ready = heard(&listener).await;
    assert_eq!(ready, "READY=1\nSTATUS=claims jobs of the queue worker-tests");
    worker.signal(Signal::SIGTERM);
    let end = heard(&listener).await;
    // A drain of forty seconds, and what comes behind it.
    assert_eq!(end, "STOPPING=1\nSTATUS=ending\nEXTEND_TIMEOUT_USEC=55000000");
    assert_eq!(worker.end().await, 0, "{}", worker.log());
}

#[tokio::test]
async fn a_worker_gives_signs_of_life_while_it_turns() {
    let server = Server::start().await.unwrap();
    let (listener, harness) = supervised(WorkerHarness::on(&server));
    let worker = harness.set("WATCHDOG_USEC", "20000").start(&[]).await;
    let mut signs = 0;
    while signs < 5 {
        let mut words = [0; 256];
        let received = tokio::time::timeout(WAIT, listener.recv(&mut words)).await;
        let length = received.expect("signs of life come").unwrap();
        signs += usize::from(&words[..length] == b"WATCHDOG=1");
    }
    drop(worker);
}

/// `Type=notify` starts what is ordered behind a worker, and calls a deployment done, by this word.
#[tokio::test]
async fn a_worker_that_cannot_work_never_calls_itself_ready() {
    let (listener, harness) = supervised(WorkerHarness::new());
    let ended = harness.run(&[]).await;
    assert_eq!(ended.code, 69, "{}", ended.stderr);
    let silence = listener.try_recv(&mut [0; 256]).unwrap_err();
    assert_eq!(silence.kind(), std::io::ErrorKind::WouldBlock);
    let lost = WorkerHarness::new().set("NOTIFY_SOCKET", "nowhere").run(&[]).await;
    assert_eq!(lost.code, 78, "{}", lost.stderr);
    assert!(lost.stderr.contains("NOTIFY_SOCKET=nowhere"), "{}", lost.stderr);
}
