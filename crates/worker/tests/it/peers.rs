//! A worker is killed on a machine that it shares with others: who is there, or comes in its place, takes its
//! jobs over at once, and does not wait until its leases run out.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use stillcast_enqueue::{Format, JobId};
use tests::simulator::{Endpoint, Latency};

use crate::harness::{QUEUE, Worker, WorkerHarness, until};
use crate::paid_harness::{PaidHarness, job};

/// The default, in seconds: nothing here happens by its end.
const LEASE_TTL: &str = "30";
/// Longest time from a death to the next claim.
const TAKEN_OVER: Duration = Duration::from_secs(5);

/// All of its workers have one home.
fn harness(paid: &PaidHarness) -> WorkerHarness {
    paid.harness().set("LEASE_TTL", LEASE_TTL)
}

/// A job whose first call is in flight, and its worker.
async fn at_work(paid: &PaidHarness, home: &WorkerHarness) -> (String, Worker) {
    paid.simulator.hold(Endpoint::Chat);
    let worker = home.start(&[]).await;
    let id = paid.enqueue(&[job(Format::Audio)]).await.remove(0);
    until("its call is in flight", async || {
        (paid.simulator.held(Endpoint::Chat) == 1).then_some(())
    })
    .await;
    (id.as_str().to_owned(), worker)
}

/// Until the job is claimed for the second time.
async fn taken_over(paid: &PaidHarness, id: &str) {
    until("another worker has it", async || (paid.hash(id).await["fence"] == "2").then_some(()))
        .await;
}

async fn ready(worker: &Worker) {
    until("it is there", async || worker.log().contains("ready to claim").then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_takes_over_at_once() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let home = harness(&paid);
    let (id, victim) = at_work(&paid, &home).await;
    let neighbour = home.start(&[]).await;
    ready(&neighbour).await;
    let killed = Instant::now();
    victim.kill().await;
    taken_over(&paid, &id).await;
    assert!(killed.elapsed() < TAKEN_OVER, "{:?}", killed.elapsed());
    let hash = paid.hash(&id).await;
    assert_eq!(hash.get("crashes").map(String::as_str), Some("1"), "as if its lease had run out");
    assert!(neighbour.log().contains("a worker of this machine has died"), "{}", neighbour.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_started_in_its_place_takes_over_at_once() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let home = harness(&paid);
    let (id, victim) = at_work(&paid, &home).await;
    victim.kill().await;
    let successor = home.start(&[]).await;
    ready(&successor).await;
    let there = Instant::now();
    taken_over(&paid, &id).await;
    assert!(there.elapsed() < TAKEN_OVER, "{:?}", there.elapsed());
    paid.simulator.release(Endpoint::Chat);
    paid.done(&[JobId::parse(&id).unwrap()]).await;
}

/// It holds its lock, whatever it does not do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_stands_still_loses_nothing() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let home = harness(&paid);
    let (id, stopped) = at_work(&paid, &home).await;
    let neighbour = home.start(&[]).await;
    let third = home.start(&[]).await;
    ready(&neighbour).await;
    ready(&third).await;
    stopped.signal(Signal::SIGSTOP);
    // Its death shows that the neighbour looks.
    third.kill().await;
    let folder = home.folder().join("home/workers").join(QUEUE);
    until("the neighbour has looked", async || {
        (std::fs::read_dir(&folder).unwrap().count() == 2).then_some(())
    })
    .await;
    assert_eq!(paid.hash(&id).await["fence"], "1");
    stopped.signal(Signal::SIGCONT);
    paid.simulator.release(Endpoint::Chat);
    let record = paid.done(&[JobId::parse(&id).unwrap()]).await.remove(0);
    assert_eq!((record.crashes, record.interruptions), (0, 0), "{record:?}");
    assert_eq!(paid.hash(&id).await["fence"], "1");
    assert_eq!(paid.count(Endpoint::Chat), 1, "nothing is bought twice");
}
