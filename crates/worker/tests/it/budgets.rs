//! What tenants may spend in a day: what stops at the budget and whom it does not touch, what becomes of it, and
//! what is counted when workers die.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, NaiveTime, Utc};
use queue::{Endpoint as QueueEndpoint, Inspector};
use stillcast_enqueue::keys::Keys;
use stillcast_enqueue::{Job, JobId, JobRecord, Options, Source, StageName, State};
use tests::simulator::{Endpoint, Latency};

use crate::harness::{QUEUE, WorkerHarness, free_address, get, until};
use crate::numbers::count;
use crate::paid_harness::{PaidHarness, assert_usd, slow_voice, sum};

const CODE: &str = "budget-spent";
const SETTING: &str = "TENANT_BUDGETS";
/// What rounding each call up to a millionth of a dollar may add.
const MILLIONTH: f64 = 1e-6;
const DAY: Duration = Duration::from_hours(24);
/// No test here takes longer.
const LONG: Duration = Duration::from_mins(3);

fn job(n: u32, tenant: &str) -> Job {
    let text = Source::Text(format!("An evening of {tenant} at the pier, and the tide goes out."));
    let options = Options { variant: n, ..Options::default() };
    Job::audio(text).with_options(options).with_tenant(tenant)
}

fn midnight() -> DateTime<Utc> {
    (Utc::now() + DAY).date_naive().and_time(NaiveTime::MIN).and_utc()
}

/// What a test calls today ends while it runs only if it begins right before midnight: then it begins behind it.
async fn a_day_that_lasts() {
    let left = (midnight() - Utc::now()).to_std().unwrap_or_default();
    if left < LONG {
        tokio::time::sleep(left).await;
    }
}

/// What Redis has of a tenant's day, in US dollars.
async fn counted(paid: &PaidHarness, tenant: &str) -> f64 {
    let day = u64::try_from(Utc::now().timestamp()).unwrap() / DAY.as_secs();
    let kept = paid.server.hash(&Keys::new(QUEUE).unwrap().budget(tenant, day)).await.unwrap();
    kept.get("spent").map_or(0.0, |spent| spent.parse::<f64>().unwrap() * MILLIONTH)
}

/// That, once it is what the provider's journal has; each call may be rounded up.
async fn counts_what_was_paid(paid: &PaidHarness, tenant: &str, usd: f64) {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let calls = paid.simulator.purchases().len() as f64;
    let what = format!("{tenant} has spent {usd}, and that is what is counted");
    until(&what, async || {
        let more = counted(paid, tenant).await - usd;
        (-1e-9..=calls * MILLIONTH).contains(&more).then_some(())
    })
    .await;
}

fn is_spent(record: &JobRecord) -> bool {
    let code = record.error.as_ref().map(|error| error.code.as_str());
    record.state == State::Parked && code == Some(CODE)
}

/// Jobs that are each done, or wait for their tenant's next day.
async fn settled(paid: &PaidHarness, ids: &[JobId]) -> Vec<JobRecord> {
    until("each is done or waits for the next day", async || {
        let records = paid.records(ids).await;
        let rests = |record: &JobRecord| record.state == State::Done || is_spent(record);
        records.iter().all(rests).then_some(records)
    })
    .await
}

/// A provider and a queue, and what a job costs there: that of one which is done.
async fn opened() -> (PaidHarness, f64, JobId) {
    a_day_that_lasts().await;
    let paid = PaidHarness::open(Latency::NONE).await;
    let harness = paid.harness();
    let worker = harness.start(&[]).await;
    let ids = paid.enqueue(&[job(0, "first")]).await;
    let first = paid.done(&ids).await;
    worker.kill().await;
    assert_eq!(paid.server.keys("*:budget:*").await.unwrap(), Vec::<String>::new(), "no limit");
    let price = first[0].cost.spent_usd;
    assert!(price > 0.001, "{price} is no price");
    (paid, price, ids[0].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_s_day_ends_before_the_call_that_it_cannot_pay_and_nobody_else_s_does() {
    let (paid, price, _) = opened().await;
    let before = paid.usd_paid(None);
    let budget = 2.5 * price;
    let (mut benches, mut workers) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let address = free_address().await;
        let bench = paid.harness().set(SETTING, &format!("acme:{budget}, poor:0"));
        benches.push((bench.set("WORKER_ADDR", &address.to_string()), address));
    }
    for (bench, _) in &benches {
        workers.push(bench.start(&[]).await);
    }
    let ids = paid.enqueue(&(0..8).map(|n| job(n, "acme")).collect::<Vec<_>>()).await;
    let others = paid.enqueue(&(0..3).map(|n| job(n, "ben")).collect::<Vec<_>>()).await;
    let poor = paid.enqueue(&[job(0, "poor"), job(1, "poor")]).await;
    let records = settled(&paid, &ids).await;
    let others = paid.done(&others).await;
    assert!(settled(&paid, &poor).await.iter().all(is_spent));
    let asked = paid.simulator.asked(Endpoint::Chat);
    assert!(!asked.iter().any(|body| body.to_string().contains("of poor")), "not one call");
    let parked: Vec<_> = records.iter().filter(|record| record.state == State::Parked).collect();
    assert!(parked.len() >= 6, "{} of 8 wait", parked.len());
    for record in &parked {
        assert_waits_for_midnight(record, budget);
    }
    assert_told(&paid, &parked[0].id).await;
    // Whoever comes later gets no further, and what another job has is had again for nothing.
    let late = settled(&paid, &paid.enqueue(&[job(99, "acme")]).await).await;
    assert!(is_spent(&late[0]), "{late:?}");
    if let Some((n, _)) = (0..8).zip(&records).find(|(_, record)| record.state == State::Done) {
        let again = paid.done(&paid.enqueue(&[job(n, "acme")]).await).await;
        assert_usd(again[0].cost.spent_usd, 0.0, "had again");
    }
    let spent = paid.usd_paid(None) - before - sum(&others).spent_usd;
    assert!(spent <= budget, "{spent} of {budget} were paid");
    assert!(spent > budget - price, "{spent} of {budget} were paid, and more could have been");
    counts_what_was_paid(&paid, "acme", spent).await;
    let mut asks = HashMap::new();
    for (_, address) in &benches {
        let page = until("the worker answers", async || get(*address, "/metrics").await).await;
        for result in ["taken", "spent", "unknown"] {
            let label = format!("result=\"{result}\"");
            let found = count(&page, "stillcast_budget_asks_total", &[&label]);
            *asks.entry(result).or_insert(0) += found;
        }
    }
    assert!(asks["taken"] > 0 && asks["spent"] >= 7 && asks["unknown"] == 0, "{asks:?}");
}

fn assert_waits_for_midnight(record: &JobRecord, budget: f64) {
    let error = record.error.as_ref().unwrap();
    assert_eq!((record.attempt, record.reason.as_deref()), (0, Some("budget")), "{record:?}");
    let said = format!(
        "waits for the next day (UTC): the budget of acme, {budget} US dollars a day (TENANT_BUDGETS), has too \
         little left for this call of 0.0"
    );
    assert!(error.message.starts_with(&said), "{error:?}");
    assert!(matches!(error.stage, Some(StageName::Transcript | StageName::Tts)), "{error:?}");
    let late = (record.wakes_at.unwrap() - midnight()).num_seconds();
    assert!((0..=62).contains(&late), "{late} s behind midnight");
}

/// Whoever asks why it does not run hears of the budget; and so does whoever counts what waits. On a slow machine it
/// may just be looking whether it can go on.
async fn assert_told(paid: &PaidHarness, id: &str) {
    let endpoint = QueueEndpoint::new(&paid.server.url(), QUEUE).unwrap();
    let inspector = Inspector::connect(endpoint).await.unwrap();
    until("it says that it waits for the budget", async || {
        let why = inspector.why(id).await.ok()??.waiting()?;
        let is_told = why.code == "budget" && why.sentence.contains("the budget of acme");
        let stats = inspector.stats().await.ok()?;
        let waits = inspector.waits(&stats).await.ok()?;
        let jobs = waits.iter().find(|wait| wait.reason == "budget").map(|wait| wait.jobs);
        let is_counted = stats.states.parked > 0 && jobs == Some(stats.states.parked);
        (is_told && is_counted && why.until > Some(Utc::now())).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_go_on_when_their_budget_is_raised_and_buy_nothing_twice() {
    let (paid, price, first) = opened().await;
    let before = paid.usd_paid(None);
    let harness = paid.harness().set(SETTING, &format!("*:{}", 1.3 * price));
    let worker = harness.start(&[]).await;
    let ids = paid.enqueue(&(0..3).map(|n| job(n, "acme")).collect::<Vec<_>>()).await;
    let records = settled(&paid, &ids).await;
    assert!(records.iter().any(is_spent), "{records:?}");
    worker.kill().await;
    // What was spent today is spent, whatever has happened to the worker.
    let same = harness.start(&[]).await;
    let late = settled(&paid, &paid.enqueue(&[job(9, "acme")]).await).await;
    assert!(is_spent(&late[0]), "{late:?}");
    same.kill().await;
    let raised = paid.harness().set(SETTING, &format!("*:{}", 20.0 * price));
    let _worker = raised.start(&[]).await;
    let ids: Vec<JobId> = ids.into_iter().chain([JobId::parse(&late[0].id).unwrap()]).collect();
    let records = paid.done(&ids).await;
    assert!(records.iter().all(|record| record.attempt == 1), "{records:?}");
    let bought = paid.bought(Endpoint::Chat);
    assert!(bought.values().all(|count| *count == 1), "{bought:?}");
    let toll = paid.toll(Endpoint::Speech, &[&ids[..], &[first]].concat()).await;
    assert_eq!((toll.under_way, toll.on_their_way), (0, 0), "each was bought once, and is kept");
    counts_what_was_paid(&paid, "acme", paid.usd_paid(None) - before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_worker_had_under_way_is_counted_once() {
    a_day_that_lasts().await;
    let paid = PaidHarness::open(slow_voice()).await;
    let harness = paid.harness().set(SETTING, "*:5").set("LEASE_TTL", "3");
    let worker = harness.start(&[]).await;
    paid.simulator.hold(Endpoint::Speech);
    let ids = paid.enqueue(&[job(1, "acme")]).await;
    until("calls are under way", async || {
        (paid.simulator.held(Endpoint::Speech) > 0).then_some(())
    })
    .await;
    worker.kill().await;
    until("the provider has noticed", async || {
        (paid.simulator.held(Endpoint::Speech) == 0).then_some(())
    })
    .await;
    paid.simulator.release(Endpoint::Speech);
    let cut = counted(&paid, "acme").await;
    assert!(cut > 0.0, "what it had taken stays taken");
    let _worker = harness.start(&[]).await;
    paid.done(&ids).await;
    let (counted, journal) = (counted(&paid, "acme").await, paid.usd_paid(None));
    // Each finished call once; of those under way, whose price a provider may charge or not, at most all.
    assert!(counted >= journal - MILLIONTH && counted <= journal + cut, "{counted}, {journal}");
}

#[tokio::test]
async fn a_budget_that_says_nothing_and_one_of_calls_without_a_price_are_refused() {
    for (budgets, named) in [("*:5", "TTS_PRICE"), ("acme=5", "acme:25, *:5")] {
        let harness = WorkerHarness::new().set(SETTING, budgets).set("TTS_PROVIDER", "openai");
        let ended = harness.set("TTS_BASE_URL", "http://127.0.0.1:9/v1").run(&["--check"]).await;
        assert_eq!(ended.code, 78, "{}", ended.stderr);
        assert!(ended.stderr.contains(SETTING) && ended.stderr.contains(named), "{}", ended.stderr);
    }
}
