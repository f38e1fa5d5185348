//! What jobs share, and with whom: repeats are copies, another tenant and another variant pay for
//! themselves.

use std::collections::BTreeSet;

use stillcast_enqueue::{Job, JobRecord, Options, Source, StageName};
use tests::simulator::{Endpoint, Latency};

use crate::market::{Market, stage};

/// Three payers, and what each of them makes.
const PAYERS: [(&str, u32); 3] = [("default", 0), ("acme", 0), ("acme", 1)];

fn job((tenant, variant): (&str, u32)) -> Job {
    let text = "A heron stood in the river after the rain.".to_owned();
    let options = Options { variant, ..Options::default() };
    Job::video(Source::Text(text)).with_tenant(tenant).with_options(options)
}

fn is_copy(record: &JobRecord) -> bool {
    stage(record, StageName::Upload).cached
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_and_variants_share_nothing_and_repeats_share_everything() {
    let market = Market::open(Latency::NONE).await;
    let bench = market.bench();
    let _worker = bench.start(&[]);
    // All at once, so that neither caches nor flights may mix them up.
    let ids = market.enqueue(&PAYERS.map(job)).await;
    let first = market.done(&ids).await;
    assert!(
        first.iter().all(|record| record.stages.iter().all(|stage| !stage.cached)),
        "{first:#?}"
    );
    let again = market.done(&market.enqueue(&PAYERS.map(job)).await).await;
    assert!(again.iter().all(is_copy), "{again:#?}");
    for endpoint in [Endpoint::Chat, Endpoint::Image] {
        assert_eq!(market.purchases(endpoint, "done").len(), PAYERS.len(), "{endpoint:?}");
    }
    for (record, (tenant, _)) in first.iter().chain(&again).zip(PAYERS.iter().cycle()) {
        let artifact = record.artifact.as_ref().unwrap();
        assert!(artifact.key.starts_with(&format!("media/{tenant}/{}/", record.id)), "{record:?}");
        assert!(market.store().join(&artifact.key).exists());
    }
    let digests: Vec<_> =
        first.iter().chain(&again).map(|record| record.artifact.as_ref()).collect();
    let digests: Vec<&str> =
        digests.into_iter().map(|found| found.unwrap().sha256.as_str()).collect();
    assert_eq!(digests[..3], digests[3..], "a copy is the same file");
    // A server's cache of words and pictures by tenant, none beside.
    let tenants: BTreeSet<String> = std::fs::read_dir(market.store().join("cache"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(tenants, BTreeSet::from(["acme".to_owned(), "default".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_whose_file_is_gone_is_made_anew_from_what_is_shared() {
    let market = Market::open(Latency::NONE).await;
    let bench = market.bench();
    let _worker = bench.start(&[]);
    let first = market.done(&market.enqueue(&[job(PAYERS[0])]).await).await.remove(0);
    let copy = market.done(&market.enqueue(&[job(PAYERS[0])]).await).await.remove(0);
    assert!(is_copy(&copy), "{copy:?}");
    // As a purge of the job does that had made it.
    let own = market.store().join(format!("media/default/{}", first.id));
    std::fs::remove_dir_all(&own).unwrap();
    let kept = copy.artifact.unwrap();
    assert_eq!(std::fs::metadata(market.store().join(&kept.key)).unwrap().len(), kept.bytes);
    let bought = market.simulator.purchases().len();
    let anew = market.done(&market.enqueue(&[job(PAYERS[0])]).await).await.remove(0);
    assert!(!is_copy(&anew) && stage(&anew, StageName::Transcript).cached, "{anew:?}");
    assert_eq!(market.simulator.purchases().len(), bought, "words, sound and picture are shared");
    let copied = market.done(&market.enqueue(&[job(PAYERS[0])]).await).await.remove(0);
    assert!(is_copy(&copied), "the entry names the new file: {copied:?}");
}
