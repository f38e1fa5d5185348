//! What a worker has counted of its calls, beside the provider's journal.

use std::time::Duration;

use queue::{Endpoint as QueueEndpoint, Inspector};
use stillcast_enqueue::{Format, StageName, StageRecord};
use tests::simulator::{Endpoint, Fault, Latency};

use crate::harness::{QUEUE, free_address, get, until};
use crate::paid_harness::{PaidHarness, job};

/// The sum of all samples of `name` whose labels hold each of `labels`.
fn sum(page: &str, name: &str, labels: &[&str]) -> f64 {
    let of = |line: &&str| {
        let is_it = line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        is_it && labels.iter().all(|label| line.contains(label))
    };
    let value = |line: &str| line.split(" # ").next()?.rsplit(' ').next()?.parse::<f64>().ok();
    page.lines().filter(of).filter_map(value).sum()
}

#[expect(clippy::cast_possible_truncation, reason = "counters are whole")]
pub(crate) fn count(page: &str, name: &str, labels: &[&str]) -> i64 {
    sum(page, name, labels).round() as i64
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_counted_of_models_is_the_provider_s_journal() {
    // Words come one by one, so that there is a time between them.
    let latency = Latency { first_token: 0.2, tokens_per_s: 2_000.0, scale: 1.0, ..Latency::NONE };
    let paid = PaidHarness::open(latency).await;
    paid.simulator.script(Endpoint::Speech, [None, Some(Fault::status(503, "overloaded"))]);
    let address = free_address().await;
    let harness = paid.harness().set("WORKER_ADDR", &address.to_string());
    let _worker = harness.start(&[]).await;
    let ids = paid.enqueue(&[job(Format::Video)]).await;
    paid.done(&ids).await;
    // The job's end is told in Redis before it is counted here.
    let page = until("the worker has counted it", async || {
        get(address, "/metrics")
            .await
            .filter(|page| page.contains("stage=\"upload\",outcome=\"ok\""))
    })
    .await;
    let purchases = paid.simulator.purchases();
    let tokens = purchases.iter().fold((0, 0), |sum, bought| {
        (sum.0 + whole(bought.tokens.0), sum.1 + whole(bought.tokens.1))
    });
    let usage = |kind: &str, labels: &[&str]| {
        count(&page, &format!("gen_ai_client_inference_usage_{kind}_tokens_total"), labels)
    };
    let text = ["gen_ai_token_modality=\"text\"", "gen_ai_operation_name=\"chat\""];
    assert_eq!((usage("input", &text), usage("output", &text)), tokens, "{page}");
    assert_eq!((usage("input", &[]), usage("output", &[])), tokens, "nobody counts speech");
    let chats = paid.count(Endpoint::Chat);
    let chunks: usize = purchases.iter().map(|bought| bought.chunks).sum();
    let first = "gen_ai_client_operation_time_to_first_chunk_seconds";
    let next = "gen_ai_client_operation_time_per_output_chunk_seconds";
    assert_eq!(count(&page, &format!("{first}_count"), &[]), whole(chats));
    assert_eq!(count(&page, &format!("{next}_count"), &[]), whole(chunks - chats));
    assert!(sum(&page, &format!("{first}_sum"), &[]) > 0.0, "{page}");
    assert!(sum(&page, &format!("{next}_sum"), &[]) > 0.0, "{page}");
    for (endpoint, stage) in
        [(Endpoint::Chat, "transcript"), (Endpoint::Speech, "tts"), (Endpoint::Image, "image")]
    {
        let stage = format!("stage=\"{stage}\"");
        let with = |status: u16| {
            let of = purchases.iter().filter(|bought| bought.endpoint == endpoint);
            whole(of.filter(|bought| bought.status == status).count())
        };
        for status in [200, 503] {
            let label = format!("status=\"{status}\"");
            let name = "stillcast_provider_responses_total";
            assert_eq!(count(&page, name, &[&stage, &label]), with(status), "{stage} {status}");
        }
        let requests = "stillcast_provider_requests_total";
        assert_eq!(count(&page, requests, &[&stage, "code=\"ok\""]), with(200));
        assert_eq!(count(&page, requests, &[&stage]), with(200) + with(503));
    }
    assert_eq!(count(&page, "stillcast_provider_responses_total", &["status=\"503\""]), 1);
    assert!(sum(&page, "process_resident_memory_bytes", &[]) > 1e6, "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_is_the_provider_s_journal_and_the_records_money() {
    let paid = PaidHarness::open(Latency::NONE).await;
    paid.simulator.script(Endpoint::Speech, [None, Some(Fault::status(503, "overloaded"))]);
    let ids = paid.enqueue(&[job(Format::Video), job(Format::Video)]).await;
    let ended = paid.harness().run(&["--until-empty"]).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let records = paid.done(&ids).await;
    let endpoint = QueueEndpoint::new(&paid.server.url(), QUEUE).unwrap();
    let inspector = Inspector::connect(endpoint).await.unwrap();
    let total = inspector.history(Duration::from_hours(1)).await.unwrap().total;
    assert_eq!(total.jobs.done, 2, "{total:?}");
    let spent: f64 = records.iter().map(|record| record.cost.spent_usd).sum();
    let avoided: f64 = records.iter().map(|record| record.cost.avoided_usd).sum();
    // A millionth an attempt is rounded away.
    assert!((total.cost.spent_usd - spent).abs() < 1e-5 && spent > 0.0, "{total:?}");
    assert!((total.cost.avoided_usd - avoided).abs() < 1e-5, "{total:?}");
    let of = |stage| total.stages.iter().find(|one| one.stage == stage).unwrap();
    let errors: u64 = total.errors.iter().map(|error| error.count).sum();
    assert_eq!((errors, of(StageName::Tts).errors), (1, 1), "{total:?}");
    assert_eq!(total.errors[0].stage, StageName::Tts);
    for stage in [StageName::Transcript, StageName::Tts, StageName::Image] {
        let of_records = records.iter().flat_map(|record| &record.stages);
        let (again, made): (Vec<_>, Vec<_>) =
            of_records.filter(|record| record.stage == stage).partition(|record| record.cached);
        let told = (of(stage).hits, of(stage).misses);
        let count = |records: &[&StageRecord]| u64::try_from(records.len()).unwrap();
        assert_eq!(told, (count(&again), count(&made)), "{stage}: {total:?}\n{records:?}");
    }
    assert_eq!(of(StageName::Upload).run.count + of(StageName::Upload).hits, 2, "{total:?}");
}
