//! Two hundred of the same job on four workers: one call a key, and the money of all records is the
//! money of the journal, also while the worker that pays is killed again and again.

use stillcast_enqueue::{Format, Job, JobId, JobRecord, StageName};
use tests::simulator::{Endpoint, Latency, Options, Voice};

use super::workers::Workers;
use crate::harness::until;
use crate::paid_harness::{
    ENDPOINTS, PARTS, PaidHarness, USD_EPSILON, assert_usd, job, slow_voice, stage, sum,
};

const CROWD: usize = 200;
const KILLS: usize = 20;

fn crowd() -> Vec<Job> {
    let format = |n: usize| if n.is_multiple_of(4) { Format::Video } else { Format::Audio };
    (0..CROWD).map(|n| job(format(n))).collect()
}

/// Each has its own file, as its record says.
fn assert_delivered(paid: &PaidHarness, ids: &[JobId], records: &[JobRecord]) {
    for (id, record) in ids.iter().zip(records) {
        let artifact = record.artifact.as_ref().unwrap();
        assert!(artifact.key.contains(id.as_str()), "{}", artifact.key);
        let file = paid.store().join(&artifact.key);
        assert_eq!(std::fs::metadata(file).unwrap().len(), artifact.bytes);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_of_the_same_pay_once() {
    let paid = PaidHarness::open(slow_voice()).await;
    let harness = paid.harness();
    let _workers = Workers::start(&harness, 4).await;
    let ids = paid.enqueue(&crowd()).await;
    let records = paid.done(&ids).await;
    paid.assert_each_bought_once();
    assert_delivered(&paid, &ids, &records);
    let copies = records.iter().filter(|record| stage(record, StageName::Upload).cached).count();
    assert_eq!(copies, CROWD - 2, "one file of each format was made, the others are copies");
    let payers = records.iter().filter(|record| record.cost.spent_usd > 0.0).count();
    assert!((1..=3).contains(&payers), "{payers} jobs paid");
    let cost = sum(&records);
    assert_usd(cost.spent_usd, paid.usd_paid(None), "all jobs");
    assert_usd(cost.wasted_usd, 0.0, "lost by all jobs");
    let spoken = paid.usd_paid(Some(Endpoint::Chat)) + paid.usd_paid(Some(Endpoint::Speech));
    let drawn = paid.usd_paid(Some(Endpoint::Image));
    for record in &records {
        let worth = if record.format == Some(Format::Video) { spoken + drawn } else { spoken };
        assert_usd(record.cost.spent_usd + record.cost.avoided_usd, worth, &record.id);
    }
}

/// The worker that pays while a call is under way. Its job has not crashed since it last kept
/// something, or has kept something since the last kill: three deaths for nothing would end it.
async fn payer(paid: &PaidHarness, workers: &Workers<'_>, kept: &mut usize) -> i32 {
    until("an owner pays", async || {
        let pays = ENDPOINTS.iter().any(|endpoint| paid.simulator.calls(*endpoint).1 > 0);
        // A dead owner's flight stands until its lease is over.
        let payers = paid
            .payers()
            .await
            .into_iter()
            .filter(|(_, process)| pays && workers.processes().contains(process));
        for (id, process) in payers {
            let has_crashed = paid.hash(&id).await.contains_key("crashes");
            let pinned = paid.pinned(&id, "").await;
            if pinned > *kept || !has_crashed {
                *kept = pinned.max(*kept);
                return Some(process);
            }
        }
        None
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_of_the_same_outlive_twenty_owners() {
    let options = |options| Options {
        latency: Latency { first_audio: 0.2, ..slow_voice() },
        paragraph: 2,
        voice: Voice::Hurried,
        ..options
    };
    let paid = PaidHarness::open_with(options).await;
    let harness = paid.harness().set("LEASE_TTL", "3").set("TTS_SLOTS", "1");
    let mut workers = Workers::start(&harness, 4).await;
    let ids = paid.enqueue(&crowd()).await;
    let mut kept = 0;
    for _ in 0..KILLS {
        let process = payer(&paid, &workers, &mut kept).await;
        workers.replace(process).await;
    }
    let records = paid.done(&ids).await;
    assert_delivered(&paid, &ids, &records);
    // A short lease that a busy machine lets go cuts off as much as a kill, and is counted as well.
    let lost: u32 = records.iter().map(|record| record.interruptions).sum();
    let cuts = KILLS + lost as usize;
    for endpoint in PARTS {
        let toll = paid.toll(endpoint, &ids).await;
        let apart = [toll.under_way, toll.on_their_way, toll.unshared];
        // Of one slot each cuts off one call, and of the one before it the keeping or the sharing.
        assert!(apart.iter().all(|count| *count <= cuts), "{endpoint:?}: {toll:?} of {cuts} cuts");
    }
    for endpoint in ENDPOINTS {
        let (begun, _) = paid.simulator.calls(endpoint);
        let bought = paid.bought(endpoint);
        // Of one slot each cuts off the call under way, and of what came before it the keeping.
        assert!(paid.count(endpoint) <= bought.len() + cuts, "{endpoint:?}: {bought:?}");
        assert!(begun <= bought.len() + 2 * cuts, "{endpoint:?}: {begun} calls");
    }
    let (unbooked, cut_off) = (paid.unbooked(&records), paid.cut_off());
    assert!(unbooked > -USD_EPSILON && unbooked < cut_off + USD_EPSILON, "{unbooked} of {cut_off}");
}
