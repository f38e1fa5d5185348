//! What jobs share, and with whom: repeats are copies, another tenant and another variant pay for
//! themselves.

use std::collections::BTreeSet;

use stillcast_enqueue::{Job, JobRecord, Options, Source, StageName};
use tests::simulator::{Endpoint, Latency};

use crate::harness::free_address;
use crate::paid_harness::{PaidHarness, TEXT, met, stage};

/// Three payers, and what each of them makes.
const PAYERS: [(&str, u32); 3] = [("default", 0), ("acme", 0), ("acme", 1)];

fn job((tenant, variant): (&str, u32)) -> Job {
    let options = Options { variant, ..Options::default() };
    Job::video(Source::Text(TEXT.to_owned())).with_tenant(tenant).with_options(options)
}

fn is_copy(record: &JobRecord) -> bool {
    stage(record, StageName::Upload).cached
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_and_variants_share_nothing_and_repeats_share_everything() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let address = free_address().await;
    let harness = paid.harness().set("WORKER_ADDR", &address.to_string());
    let _worker = harness.start(&[]).await;
    // All at once, so that neither caches nor flights may mix them up.
    let ids = paid.enqueue(&PAYERS.map(job)).await;
    let first = paid.done(&ids).await;
    assert!(
        first.iter().all(|record| record.stages.iter().all(|stage| !stage.cached)),
        "{first:#?}"
    );
    let again = paid.done(&paid.enqueue(&PAYERS.map(job)).await).await;
    let failed = met(address, "failed").await;
    let copies = again.iter().filter(|record| is_copy(record)).count();
    assert!(copies + failed >= PAYERS.len(), "{again:#?}");
    for endpoint in [Endpoint::Chat, Endpoint::Image] {
        let calls = paid.count(endpoint);
        assert!((PAYERS.len()..=PAYERS.len() + failed).contains(&calls), "{endpoint:?}: {calls}");
    }
    for (record, (tenant, _)) in first.iter().chain(&again).zip(PAYERS.iter().cycle()) {
        let artifact = record.artifact.as_ref().unwrap();
        assert!(artifact.key.starts_with(&format!("media/{tenant}/{}/", record.id)), "{record:?}");
        assert!(paid.store().join(&artifact.key).exists());
    }
    let digest = |record: &JobRecord| record.artifact.as_ref().unwrap().sha256.clone();
    for (record, copy) in first.iter().zip(&again).filter(|(_, copy)| is_copy(copy)) {
        assert_eq!(digest(record), digest(copy), "a copy is the same file");
    }
    // What is shared lies below its tenant.
    let tenants: BTreeSet<String> = std::fs::read_dir(paid.store().join("cache"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(tenants, BTreeSet::from(["acme".to_owned(), "default".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_whose_file_is_gone_is_made_anew_from_what_is_shared() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let address = free_address().await;
    let harness = paid.harness().set("WORKER_ADDR", &address.to_string());
    let _worker = harness.start(&[]).await;
    let first = paid.done(&paid.enqueue(&[job(PAYERS[0])]).await).await.remove(0);
    let copy = paid.done(&paid.enqueue(&[job(PAYERS[0])]).await).await.remove(0);
    assert!(is_copy(&copy) || met(address, "failed").await > 0, "{copy:?}");
    // As a purge of the job does that had made it.
    let own = paid.store().join(format!("media/default/{}", first.id));
    std::fs::remove_dir_all(&own).unwrap();
    let kept = copy.artifact.unwrap();
    assert_eq!(std::fs::metadata(paid.store().join(&kept.key)).unwrap().len(), kept.bytes);
    let bought = paid.simulator.purchases().len();
    let anew = paid.done(&paid.enqueue(&[job(PAYERS[0])]).await).await.remove(0);
    assert!(!is_copy(&anew), "{anew:?}");
    let more = paid.simulator.purchases().len() - bought;
    let failed = met(address, "failed").await;
    assert!(more <= failed, "words, sound and picture are shared: {more} calls, {failed} misses");
    let copied = paid.done(&paid.enqueue(&[job(PAYERS[0])]).await).await.remove(0);
    let failed = met(address, "failed").await;
    assert!(is_copy(&copied) || failed > 0, "the entry names the new file: {copied:?}");
}
