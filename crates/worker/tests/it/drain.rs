//! Workers are told to leave while calls are in flight: those end and are kept, no other begins,
//! the job goes back unharmed, and the next worker buys only what is missing.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;
use stillcast_enqueue::{Format, Job, JobId, Source, StageName, State};
use tests::simulator::{Endpoint, Latency};

use crate::bench::{Bench, QUEUE, Worker, until};
use crate::market::{Market, stage};

fn job(format: Format) -> Job {
    Job::new(Source::Text("A heron stood in the river after the rain.".to_owned()), format)
}

/// SIGTERM; from the return on no call begins.
async fn drain(worker: &Worker) {
    worker.signal(Signal::SIGTERM);
    until("the worker drains", async || {
        worker.log().contains(r#""message":"draining""#).then_some(())
    })
    .await;
}

/// Given back as it was: interrupted once, and no attempt used.
async fn assert_given_back(market: &Market, id: &JobId) {
    let record = market.record(id).await;
    let counts = (record.attempt, record.interruptions, record.crashes);
    assert_eq!((record.state, counts), (State::Ready, (0, 1, 0)), "{record:#?}");
}

/// How many results the job remembers.
async fn checkpoints(market: &Market, id: &JobId) -> Option<usize> {
    let hash = format!("{{q:{QUEUE}}}:job:{id}");
    let fields = market.server.fields(&hash).await.ok()?;
    Some(fields.iter().filter(|field| field.starts_with("checkpoint:")).count())
}

/// What a second worker, of `bench`, makes of it.
async fn assert_finished(market: &Market, id: &JobId, bench: &Bench) {
    let _worker = bench.start(&[]);
    let record = market.done(std::slice::from_ref(id)).await.remove(0);
    assert_eq!((record.attempt, record.interruptions), (1, 1), "{record:?}");
    let paid: f64 = market.simulator.purchases().iter().map(|purchase| purchase.usd).sum();
    let booked = record.cost.spent_usd + record.cost.wasted_usd;
    assert!(booked <= paid + 1e-9, "booked {booked}, paid {paid}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_in_flight_end_and_are_kept_and_no_other_begins() {
    const CALLS: [(Endpoint, usize); 3] =
        [(Endpoint::Chat, 1), (Endpoint::Speech, 2), (Endpoint::Image, 1)];
    let market = Market::open(Latency::NONE).await;
    for (endpoint, _) in CALLS {
        market.simulator.hold(endpoint);
    }
    let bench = market.bench().set("TTS_SLOTS", "2");
    let id = market.enqueue(&[job(Format::Video)]).await.remove(0);
    let mut worker = bench.start(&[]);
    until("words, two passages and the picture are in flight", async || {
        CALLS
            .iter()
            .all(|(endpoint, calls)| market.simulator.held(*endpoint) == *calls)
            .then_some(())
    })
    .await;
    drain(&worker).await;
    for (endpoint, _) in CALLS {
        market.simulator.release(endpoint);
    }
    assert_eq!(worker.end().await, 0, "{}", worker.log());
    for (endpoint, calls) in CALLS {
        assert_eq!(market.purchases(endpoint, "done").len(), calls, "{endpoint:?}");
    }
    assert_eq!(market.simulator.purchases().len(), 4, "nothing else was asked for");
    assert_given_back(&market, &id).await;
    assert_finished(&market, &id, &market.bench()).await;
    market.assert_each_bought_once();
    let record = market.record(&id).await;
    for kept in [StageName::Transcript, StageName::Image] {
        assert!(stage(&record, kept).cached, "{record:#?}");
    }
    let paid: f64 = market.simulator.purchases().iter().map(|purchase| purchase.usd).sum();
    assert!((record.cost.spent_usd - paid).abs() < 1e-9, "{paid}: {:?}", record.cost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encoder_at_work_ends_and_nothing_is_delivered_behind_it() {
    let market = Market::open(Latency::NONE).await;
    let bench = market.bench();
    // Encodes, and then does not end before it may.
    let [program, encoded, may_end] =
        ["slow-ffmpeg", "encoded", "may-end"].map(|name| bench.folder().join(name));
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *'-f s16le'*) ;; *) exec ffmpeg \"$@\" ;; esac\n\
         ffmpeg \"$@\"; status=$?; touch {}; while [ ! -e {} ]; do sleep 0.02; done; exit $status\n",
        encoded.display(),
        may_end.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let bench = bench.set("FFMPEG_PATH", &program.display().to_string());
    let id = market.enqueue(&[job(Format::Audio)]).await.remove(0);
    let mut worker = bench.start(&[]);
    until("the encoder has all it needs", async || encoded.exists().then_some(())).await;
    drain(&worker).await;
    let bought = market.simulator.purchases().len();
    std::fs::write(&may_end, "").unwrap();
    assert_eq!(worker.end().await, 0, "{}", worker.log());
    assert_given_back(&market, &id).await;
    assert!(!market.store().join("media").exists(), "an upload began behind the signal");
    assert_finished(&market, &id, &market.bench()).await;
    assert_eq!(market.simulator.purchases().len(), bought, "the second worker buys nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_and_the_drain_timeout_give_back_at_once() {
    for (timeout, is_signalled_twice) in [("1h", true), ("1s", false)] {
        let market = Market::open(Latency::NONE).await;
        let bench = market.bench().set("TTS_SLOTS", "1").set("DRAIN_TIMEOUT", timeout);
        let id = market.enqueue(&[job(Format::Audio)]).await.remove(0);
        let mut worker = bench.start(&[]);
        until("some passages are bought", async || {
            (market.bought(Endpoint::Speech).len() >= 2).then_some(())
        })
        .await;
        market.simulator.hold(Endpoint::Speech);
        until("one is in flight", async || {
            (market.simulator.held(Endpoint::Speech) == 1).then_some(())
        })
        .await;
        // Its forerunners' checkpoints are on their way beside it.
        until("words and passages are remembered", async || {
            let kept = checkpoints(&market, &id).await?;
            (kept > market.bought(Endpoint::Speech).len()).then_some(())
        })
        .await;
        drain(&worker).await;
        if is_signalled_twice {
            assert_eq!(market.record(&id).await.state, State::Leased, "one signal waits");
            worker.signal(Signal::SIGTERM);
        }
        assert_eq!(worker.end().await, 0, "{}", worker.log());
        assert_given_back(&market, &id).await;
        let finished: BTreeMap<_, _> = market.bought(Endpoint::Speech);
        market.simulator.release(Endpoint::Speech);
        assert_finished(&market, &id, &market.bench()).await;
        let all = market.bought(Endpoint::Speech);
        assert!(finished.keys().all(|passage| all[passage] == 1), "{finished:?} of {all:?}");
        assert_eq!(market.bought(Endpoint::Chat).values().sum::<usize>(), 1);
    }
}
