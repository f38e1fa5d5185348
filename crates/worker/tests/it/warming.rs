//! What `stillcast warm` has a worker buy before anybody asks: who finds it, for how long, at what price, and what
//! never becomes everybody's.

use std::path::PathBuf;

use serde_json::{Value, json};
use stillcast_enqueue::{Format, Job, JobRecord, Options, Source, StageName};
use tests::simulator::{Endpoint, Latency};

use crate::harness::{Ended, WorkerHarness, until};
use crate::paid_harness::{PaidHarness, assert_usd, slow_voice, stage, sum};

const TEXTS: [&str; 3] = ["The sea at dusk.", "A hill in the fog.", "Snow on a roof."];
const BOUGHT: [StageName; 3] = [StageName::Transcript, StageName::Tts, StageName::Image];
const WARMED: &str = "{stillcast:*:cache}:[*]/*";
const CACHED: &str = "{stillcast:*:cache}:*";

fn line(text: &str, format: &str) -> String {
    json!({ "source": { "text": text }, "format": format }).to_string()
}

/// A file of these lines in the folder of `paid`.
fn file(paid: &PaidHarness, lines: &[String]) -> PathBuf {
    let file = paid.server.folder().join("requests.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    file
}

/// Warms `file`; what it has said of all.
async fn warm(harness: &WorkerHarness, file: &std::path::Path, more: &[&str]) -> (Value, Ended) {
    let arguments = [&["--warm", file.to_str().unwrap()], more].concat();
    let ended = harness.run(&arguments).await;
    let said = ended.stdout.lines().last().unwrap_or("null");
    (serde_json::from_str(said).unwrap_or_default(), ended)
}

fn job(text: &str, tenant: &str) -> Job {
    Job::new(Source::Text(text.to_owned()), Format::Video).with_tenant(tenant)
}

fn has_bought(record: &JobRecord) -> bool {
    BOUGHT.iter().any(|one| !stage(record, *one).cached)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_warm_is_had_by_every_tenant_without_a_call_and_nothing_of_theirs_becomes_warm() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let harness = paid.harness();
    let file = file(&paid, &[line(TEXTS[0], "video"), line(TEXTS[0], "audio")]);
    let (price, _) = warm(&harness, &file, &["--price"]).await;
    assert_eq!((price["requests"].as_u64(), price["warm"].as_u64()), (Some(2), Some(0)), "{price}");
    assert!(paid.simulator.purchases().is_empty(), "a price buys nothing");
    let (summary, ended) = warm(&harness, &file, &[]).await;
    assert_eq!((ended.code, &summary["failed"], &summary["left"]), (0, &json!(0), &json!(0)));
    let cost = paid.usd_paid(None);
    assert_usd(summary["usd"].as_f64().unwrap(), cost, "what it says");
    assert!(cost <= price["usd"].as_f64().unwrap(), "{cost} of at most {price}");
    let (calls, warmed) =
        (paid.simulator.purchases().len(), paid.server.keys(WARMED).await.unwrap());
    assert!(warmed.len() > 3, "{warmed:?}");
    let _worker = harness.start(&[]).await;
    let ids = paid.enqueue(&[job(TEXTS[0], "acme"), job(TEXTS[0], "ben")]).await;
    let records = paid.done(&ids).await;
    assert!(!records.iter().any(has_bought), "{records:#?}");
    assert_eq!(paid.simulator.purchases().len(), calls, "nobody has paid");
    assert!(sum(&records).avoided_usd > cost, "each was spared it: {records:#?}");
    // What is not warm each buys for itself, and it stays theirs.
    let ids = paid.enqueue(&[job(TEXTS[1], "acme"), job(TEXTS[1], "ben")]).await;
    let records = paid.done(&ids).await;
    assert!(records.iter().all(has_bought), "{records:#?}");
    assert_usd(sum(&records).spent_usd, paid.usd_paid(None) - cost, "their own");
    let mut after = paid.server.keys(WARMED).await.unwrap();
    let mut before = warmed;
    after.sort();
    before.sort();
    assert_eq!(after, before, "no tenant's job writes there");
    let tenants = paid.server.keys(CACHED).await.unwrap();
    assert!(tenants.iter().any(|key| key.contains(":acme/")), "{tenants:?}");
    // Once more costs nothing.
    let calls = paid.simulator.purchases().len();
    let (summary, ended) = warm(&harness, &file, &["--max-cost", "0"]).await;
    assert_eq!((ended.code, &summary["warm"], &summary["usd"]), (0, &json!(2), &json!(0.0)));
    assert_eq!(paid.simulator.purchases().len(), calls);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_warm_is_bought_again_when_its_time_is_over() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let harness = paid.harness().set("WARM_TTL", "20h");
    let file = file(&paid, &[line(TEXTS[0], "video")]);
    assert_eq!(warm(&harness, &file, &[]).await.1.code, 0);
    let keys = paid.server.keys(WARMED).await.unwrap();
    for key in &keys {
        let left: i64 = paid.server.command(&[b"TTL", key.as_bytes()]).await.unwrap();
        assert!((19 * 3_600..=20 * 3_600).contains(&left), "{key} lives for {left} s");
        // Its time is over sooner than anybody could wait.
        let _: i64 = paid.server.command(&[b"PEXPIRE", key.as_bytes(), b"1"]).await.unwrap();
    }
    until("its time is over", async || {
        paid.server.keys(WARMED).await.ok()?.is_empty().then_some(())
    })
    .await;
    let _worker = harness.start(&[]).await;
    let calls = paid.simulator.purchases().len();
    let record = paid.done(&paid.enqueue(&[job(TEXTS[0], "acme")]).await).await.remove(0);
    assert!(BOUGHT.iter().all(|one| !stage(&record, *one).cached), "{record:#?}");
    assert!(paid.simulator.purchases().len() > calls);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_is_paid_than_may_be_also_over_a_kill_and_it_goes_on_where_it_was() {
    let paid = PaidHarness::open(slow_voice()).await;
    let harness = paid.harness();
    let file = file(&paid, &TEXTS.map(|text| line(text, "video")));
    let (price, _) = warm(&harness, &file, &["--price"]).await;
    let most = price["usd"].as_f64().unwrap() * 0.6;
    let most_text = most.to_string();
    let arguments = ["--warm", file.to_str().unwrap(), "--max-cost", &most_text];
    paid.simulator.hold(Endpoint::Speech);
    let first = harness.start(&arguments).await;
    until("speech is under way", async || {
        (paid.simulator.held(Endpoint::Speech) > 0).then_some(())
    })
    .await;
    first.kill().await;
    until("the provider has noticed", async || {
        (paid.simulator.held(Endpoint::Speech) == 0).then_some(())
    })
    .await;
    paid.simulator.release(Endpoint::Speech);
    let (summary, ended) = warm(&harness, &file, &arguments[2..]).await;
    assert_eq!((ended.code, &summary["stopped"]), (1, &json!("max-cost")), "{}", ended.stderr);
    assert!(ended.stderr.contains("--max-cost"), "{}", ended.stderr);
    let (journal, booked) = (paid.usd_paid(None), summary["spent_usd"].as_f64().unwrap());
    assert!(journal <= most && booked <= most + 1e-9, "{journal}, {booked} of {most}");
    assert!(booked >= journal - 1e-9, "{booked} counts less than {journal}");
    // More may be spent: it goes on, and what is warm costs nothing.
    let (summary, ended) = warm(&harness, &file, &["--max-cost", "5"]).await;
    assert_eq!((ended.code, &summary["stopped"]), (0, &Value::Null), "{}", ended.stderr);
    let (price, _) = warm(&harness, &file, &["--price"]).await;
    assert_eq!((price["warm"].as_u64(), price["usd"].as_f64()), (Some(3), Some(0.0)), "{price}");
    let chats = paid.good(Endpoint::Chat);
    assert!(
        chats.values().all(|count| *count <= 2),
        "once, and once more where it was cut: {chats:?}"
    );
    assert_eq!(paid.bought(Endpoint::Image).values().sum::<usize>(), TEXTS.len(), "drawn once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_warm_is_refused_before_anything_is_bought() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let private = json!({ "source": { "text": "Mine." }, "format": "audio", "tenant": "acme" });
    let of_one = file(&paid, &[line(TEXTS[0], "audio"), private.to_string()]);
    let (_, ended) = warm(&paid.harness(), &of_one, &[]).await;
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("line 2: `tenant`"), "{}", ended.stderr);
    let fine = file(&paid, &[line(TEXTS[0], "audio")]);
    let alone = paid.harness().set("USE_CACHING", "false");
    for (harness, named) in
        [(alone, "USE_CACHING"), (paid.harness().unset("TTS_PRICE"), "TTS_PRICE")]
    {
        let (_, ended) = warm(&harness, &fine, &[]).await;
        assert_eq!(ended.code, 78, "{}", ended.stderr);
        assert!(ended.stderr.contains(named), "{}", ended.stderr);
    }
    assert!(paid.simulator.purchases().is_empty());
}

/// A variant is another file for everybody, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_option_that_was_not_warmed_is_bought() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let file = file(&paid, &[line(TEXTS[0], "video")]);
    assert_eq!(warm(&paid.harness(), &file, &[]).await.1.code, 0);
    let harness = paid.harness();
    let _worker = harness.start(&[]).await;
    let other = Options { variant: 1, ..Options::default() };
    let ids = paid.enqueue(&[job(TEXTS[0], "acme").with_options(other)]).await;
    assert!(paid.done(&ids).await.iter().all(has_bought));
}
