//! A worker is killed at every call that ends, and within a call of each kind: what the collector has got
//! by then holds no span without its parent.

use std::collections::BTreeSet;

use stillcast_enqueue::Format;
use tests::collector::{Collector, Span, orphans};
use tests::simulator::{Endpoint, Latency, Options, Voice};

use super::{SEND, TRACE, sending, traced};
use crate::harness::{QUEUE, until};
use crate::paid_harness::{ENDPOINTS, PaidHarness, slow_voice};

/// Each waits for a lease to run out.
const KILLS: usize = 7;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_call_leaves_no_span_without_its_parent() {
    let latency = Latency { picture: 0.3, ..slow_voice() };
    let voice = Voice::Hurried;
    let paid = PaidHarness::open_with(|options| Options { latency, voice, ..options }).await;
    let collector = Collector::start().await.unwrap();
    let harness = sending(&paid, &collector.endpoint())
        .set("LEASE_TTL", "3")
        .set("USE_CACHING", "false")
        .set("TTS_SLOTS", "1");
    let id = paid.enqueue(&[traced(Format::Video)]).await.remove(0);
    let mut met = 0;
    for kills in 0..KILLS {
        // Now and then in the middle of a call; else when one has come to its end.
        let held = [(0, Endpoint::Chat), (3, Endpoint::Speech)].iter().find(|(at, _)| *at == kills);
        if let Some((_, endpoint)) = held {
            paid.simulator.hold(*endpoint);
        }
        let worker = harness.start(&[]).await;
        match held {
            Some((_, endpoint)) => is_held(&paid, *endpoint).await,
            None => one_more(&paid, &mut met).await,
        }
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
    assert_eq!(orphans(&spans, &[SEND]), [], "after {KILLS} kills");
    assert_linked(&spans);
}

async fn is_held(paid: &PaidHarness, endpoint: Endpoint) {
    let held = async || (paid.simulator.held(endpoint) > 0).then_some(());
    until("a call is under way", held).await;
}

/// One more call has come to its end than `met`.
async fn one_more(paid: &PaidHarness, met: &mut usize) {
    // One that is repeated is no progress, and a job without any is not begun for ever.
    let ended = || ENDPOINTS.iter().map(|endpoint| paid.bought(*endpoint).len()).sum::<usize>();
    let mut written = 0;
    while ended() <= *met {
        written = paid.simulator.purchased(written).await;
    }
    *met = ended();
}

/// Each later attempt links to one and the same, which is the first.
fn assert_linked(spans: &[Span]) {
    let name = format!("process {QUEUE}");
    let mut claims: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
    claims.sort_by_key(|span| span.began);
    assert!(claims.len() > KILLS / 2, "{} claims were sent", claims.len());
    let linked: BTreeSet<_> = claims.iter().flat_map(|claim| &claim.links).collect();
    assert_eq!(linked.len(), 1, "{claims:#?}");
    let later = claims.iter().skip_while(|claim| claim.links.is_empty());
    assert!(later.clone().count() > 1 && later.clone().all(|claim| !claim.links.is_empty()));
    let (_, first) = linked.first().unwrap();
    assert!(claims.iter().all(|claim| claim.id != *first || claim.links.is_empty()));
}
