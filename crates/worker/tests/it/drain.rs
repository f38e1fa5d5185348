//! Workers are told to leave while calls are in flight: those end and are kept, no other begins,
//! the job goes back unharmed, and the next worker buys only what is missing.

use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;
use stillcast_enqueue::{Format, JobId, StageName, State};
use tests::simulator::{Endpoint, Latency};

use crate::harness::{Worker, WorkerHarness, until};
use crate::paid_harness::{PaidHarness, USD_EPSILON, assert_usd, job, stage};

/// SIGTERM; from the return on no call begins.
async fn drain(worker: &Worker) {
    worker.signal(Signal::SIGTERM);
    until("the worker drains", async || {
        worker.log().contains(r#""message":"draining""#).then_some(())
    })
    .await;
}

/// Given back as it was: interrupted once, and no attempt used.
async fn assert_given_back(paid: &PaidHarness, id: &JobId) {
    let record = paid.record(id).await;
    let counts = (record.attempt, record.interruptions, record.crashes);
    assert_eq!((record.state, counts), (State::Ready, (0, 1, 0)), "{record:#?}");
}

/// What a second worker, of `harness`, makes of it.
async fn assert_finished(paid: &PaidHarness, id: &JobId, harness: &WorkerHarness) {
    let _worker = harness.start(&[]).await;
    let record = paid.done(std::slice::from_ref(id)).await.remove(0);
    assert_eq!((record.attempt, record.interruptions), (1, 1), "{record:?}");
    let unbooked = paid.unbooked(&[record]);
    assert!(unbooked > -USD_EPSILON, "{unbooked}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_in_flight_end_and_are_kept_and_no_other_begins() {
    // The first passage of a process goes alone: it finds out whether the account is taken.
    const CALLS: [(Endpoint, usize); 3] =
        [(Endpoint::Chat, 1), (Endpoint::Speech, 1), (Endpoint::Image, 1)];
    let paid = PaidHarness::open(Latency::NONE).await;
    for (endpoint, _) in CALLS {
        paid.simulator.hold(endpoint);
    }
    let harness = paid.harness().set("TTS_SLOTS", "2");
    let id = paid.enqueue(&[job(Format::Video)]).await.remove(0);
    let mut worker = harness.start(&[]).await;
    until("words, a passage and the picture are in flight", async || {
        CALLS.iter().all(|(endpoint, calls)| paid.simulator.held(*endpoint) == *calls).then_some(())
    })
    .await;
    drain(&worker).await;
    for (endpoint, _) in CALLS {
        paid.simulator.release(endpoint);
    }
    assert_eq!(worker.end().await, 0, "{}", worker.log());
    for (endpoint, calls) in CALLS {
        assert_eq!(paid.count(endpoint), calls, "{endpoint:?}");
    }
    assert_eq!(paid.simulator.purchases().len(), 3, "nothing else was asked for");
    assert_given_back(&paid, &id).await;
    assert_finished(&paid, &id, &paid.harness()).await;
    paid.assert_each_bought_once();
    let record = paid.record(&id).await;
    for kept in [StageName::Transcript, StageName::Image] {
        assert!(stage(&record, kept).cached, "{record:#?}");
    }
    assert_usd(record.cost.spent_usd, paid.usd_paid(None), "in all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encoder_at_work_ends_and_nothing_is_delivered_behind_it() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let harness = paid.harness();
    // Encodes, and then does not end before it may.
    let [program, encoded, may_end] =
        ["slow-ffmpeg", "encoded", "may-end"].map(|name| harness.folder().join(name));
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *'-c:a aac'*) ;; *) exec ffmpeg \"$@\" ;; esac\n\
         [ -e $0.rehearsed ] || {{ touch $0.rehearsed; exec ffmpeg \"$@\"; }}\n\
         ffmpeg \"$@\"; status=$?; touch {}; while [ ! -e {} ]; do sleep 0.02; done; exit $status\n",
        encoded.display(),
        may_end.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let harness = harness.set("FFMPEG_PATH", &program.display().to_string());
    let id = paid.enqueue(&[job(Format::Audio)]).await.remove(0);
    let mut worker = harness.start(&[]).await;
    until("the encoder has all it needs", async || encoded.exists().then_some(())).await;
    drain(&worker).await;
    let bought = paid.simulator.purchases().len();
    std::fs::write(&may_end, "").unwrap();
    assert_eq!(worker.end().await, 0, "{}", worker.log());
    assert_given_back(&paid, &id).await;
    assert!(!paid.store().join("media").exists(), "an upload began behind the signal");
    assert_finished(&paid, &id, &paid.harness()).await;
    assert_eq!(paid.simulator.purchases().len(), bought, "the second worker buys nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_and_the_drain_timeout_give_back_at_once() {
    for (timeout, is_signalled_twice) in [("1h", true), ("1s", false)] {
        let paid = PaidHarness::open(Latency::NONE).await;
        let harness = paid.harness().set("TTS_SLOTS", "1").set("DRAIN_TIMEOUT", timeout);
        let id = paid.enqueue(&[job(Format::Audio)]).await.remove(0);
        let mut worker = harness.start(&[]).await;
        until("some passages are bought", async || {
            (paid.bought(Endpoint::Speech).len() >= 2).then_some(())
        })
        .await;
        paid.simulator.hold(Endpoint::Speech);
        until("one is in flight", async || {
            (paid.simulator.held(Endpoint::Speech) == 1).then_some(())
        })
        .await;
        // Its forerunners' checkpoints are on their way beside it.
        until("words and passages are remembered", async || {
            let kept = paid.pinned(id.as_str(), "").await;
            (kept > paid.bought(Endpoint::Speech).len()).then_some(())
        })
        .await;
        drain(&worker).await;
        if is_signalled_twice {
            assert_eq!(paid.record(&id).await.state, State::Leased, "one signal waits");
            worker.signal(Signal::SIGTERM);
        }
        assert_eq!(worker.end().await, 0, "{}", worker.log());
        assert_given_back(&paid, &id).await;
        let finished = paid.bought(Endpoint::Speech);
        paid.simulator.release(Endpoint::Speech);
        assert_finished(&paid, &id, &paid.harness()).await;
        let all = paid.bought(Endpoint::Speech);
        assert!(finished.keys().all(|passage| all[passage] == 1), "{finished:?} of {all:?}");
        assert_eq!(paid.count(Endpoint::Chat), 1);
    }
}
