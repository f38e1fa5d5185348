//! A worker is killed at every call that ends, and within a call of each kind: what the collector has got
//! by then holds no span without its parent.

use std::collections::BTreeSet;

use stillcast_enqueue::{Format, JobId};
use tests::collector::{Collector, Span, orphans};
use tests::simulator::{Endpoint, Latency, Options, Voice};

use super::{SEND, TRACE, sending, traced};
use crate::harness::{QUEUE, until};
use crate::paid_harness::{ENDPOINTS, PaidHarness, slow_voice};

/// When a worker is killed. A job that makes no progress is begun three times only, so that there is some
/// between any two that may leave none.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// In the middle of a call.
    Within(Endpoint),
    /// When a call has come to its end, whether anybody knows of it or not.
    Behind,
    /// When one more call is kept, and the next one is under way.
    Kept,
}

/// Five jobs, each of a queue of its own, and the moments at which the worker of each is killed; each
/// kill waits for a lease to run out.
const KILLS: [&[Moment]; 5] = [
    &[
        Moment::Within(Endpoint::Chat),
        Moment::Kept,
        Moment::Behind,
        Moment::Kept,
        Moment::Within(Endpoint::Speech),
        Moment::Kept,
        Moment::Behind,
    ],
    &[
        Moment::Within(Endpoint::Image),
        Moment::Kept,
        Moment::Within(Endpoint::Speech),
        Moment::Kept,
        Moment::Behind,
        Moment::Kept,
    ],
    &[
        Moment::Behind,
        Moment::Kept,
        Moment::Within(Endpoint::Speech),
        Moment::Kept,
        Moment::Within(Endpoint::Speech),
        Moment::Kept,
    ],
    &[
        Moment::Within(Endpoint::Chat),
        Moment::Kept,
        Moment::Within(Endpoint::Speech),
        Moment::Kept,
        Moment::Behind,
        Moment::Kept,
    ],
    &[Moment::Kept, Moment::Behind, Moment::Kept, Moment::Behind, Moment::Kept],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_kills_at_any_call_leave_no_span_without_its_parent() {
    assert_eq!(KILLS.iter().map(|moments| moments.len()).sum::<usize>(), 30);
    let _ = futures::future::join_all(KILLS.map(killed_at)).await;
}

/// One job whose worker is killed at each of `moments`.
async fn killed_at(moments: &[Moment]) {
    let latency = Latency { picture: 0.3, ..slow_voice() };
    let voice = Voice::Hurried;
    let paid = PaidHarness::open_with(|options| Options { latency, voice, ..options }).await;
    let collector = Collector::start().await.unwrap();
    let harness = sending(&paid, &collector.endpoint())
        .set("LEASE_TTL", "3")
        .set("USE_CACHING", "false")
        .set("TTS_SLOTS", "1");
    let id = paid.enqueue(&[traced(Format::Video)]).await.remove(0);
    for moment in moments {
        if let Moment::Within(endpoint) = moment {
            paid.simulator.hold(*endpoint);
        }
        let before = progress(&paid, &id).await;
        let worker = harness.start(&[]).await;
        until(&format!("{moment:?}"), async || {
            let now = progress(&paid, &id).await;
            let is_there = match moment {
                Moment::Within(endpoint) => paid.simulator.held(*endpoint) > 0,
                Moment::Behind => now.0 > before.0,
                Moment::Kept => now.1 > before.1,
            };
            is_there.then_some(())
        })
        .await;
        worker.kill().await;
        for endpoint in ENDPOINTS {
            paid.simulator.release(endpoint);
        }
    }
    let _worker = harness.start(&[]).await;
    paid.done(std::slice::from_ref(&id)).await;
    until("the end has come", async || {
        collector.spans().iter().any(|span| span.name == format!("done {QUEUE}")).then_some(())
    })
    .await;
    let spans = collector.spans();
    assert!(spans.iter().all(|span| span.trace == TRACE), "{spans:#?}");
    assert_eq!(orphans(&spans, &[SEND]), [], "after {moments:?}");
    assert_linked(&spans, moments.len());
}

/// Things bought to the end, and those of them that the job has kept.
async fn progress(paid: &PaidHarness, id: &JobId) -> (usize, usize) {
    let bought = ENDPOINTS.iter().map(|endpoint| paid.bought(*endpoint).len()).sum();
    let passages = paid.pinned(id.as_str(), "passage-").await;
    (bought, passages + paid.pinned(id.as_str(), "image.").await)
}

/// Each later attempt links to one and the same, which is the first.
fn assert_linked(spans: &[Span], kills: usize) {
    let name = format!("process {QUEUE}");
    let mut claims: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
    claims.sort_by_key(|span| span.began);
    assert!(claims.len() > kills / 2, "{} claims were sent", claims.len());
    let linked: BTreeSet<_> = claims.iter().flat_map(|claim| &claim.links).collect();
    assert_eq!(linked.len(), 1, "{claims:#?}");
    let later = claims.iter().skip_while(|claim| claim.links.is_empty());
    assert!(later.clone().count() > 1 && later.clone().all(|claim| !claim.links.is_empty()));
    let (_, first) = linked.first().unwrap();
    assert!(claims.iter().all(|claim| claim.id != *first || claim.links.is_empty()));
}
