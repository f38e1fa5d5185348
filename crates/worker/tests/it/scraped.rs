//! A real Prometheus reads two workers and two servers of one queue, while they work.

mod fleet;

use std::collections::BTreeSet;

use stillcast_enqueue::Format;
use tests::simulator::Endpoint;
use tests::wait::until;

use crate::paid_harness::job;
use fleet::{TENANTS, WatchedFleet};

/// As many series as ten tenants may cost.
const MOST_SERIES: f64 = 1_500.0;

#[expect(clippy::cast_precision_loss, reason = "a handful")]
fn float(count: usize) -> f64 {
    count as f64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_prometheus_reads_what_the_fleet_tells_and_so_does_the_dashboard() {
    let fleet = WatchedFleet::start(None).await;
    let done = fleet.work().await;
    depth_is_told_once_by_any_server(&fleet, done).await;
    models_are_the_provider_s_journal(&fleet).await;
    statuses_and_money_are_too(&fleet).await;
    exemplars_lead_to_traces(&fleet).await;
    let prometheus = &fleet.prometheus;
    for (query, least) in [
        ("count(process_resident_memory_bytes{job='stillcast-worker'} > 1e6)", 2.0),
        ("min(process_cpu_seconds_total{job='stillcast-worker'})", 0.0),
        ("min(process_open_fds{job='stillcast-worker'})", 3.0),
        ("count(stillcast_children)", 2.0),
        ("sum(stillcast_children_cpu_seconds_total)", 0.01),
        ("min(stillcast_redis_used_memory_bytes)", 1e5),
    ] {
        let found = prometheus.query(query).await.unwrap();
        assert!(found.first().is_some_and(|one| one.value >= least), "{query}: {found:?}");
    }
    let series = prometheus.query("count({job=~'stillcast-.+'})").await.unwrap()[0].value;
    assert!(series <= MOST_SERIES, "{series} series of two workers, two servers, ten tenants");
    let by = "count by (__name__, job) ({job=~'stillcast-.+',tenant!=''})";
    assert_eq!(prometheus.query(by).await.unwrap(), [], "no series is a tenant's");
    what_waits_is_told_by_its_reason_while_nothing_ends(&fleet).await;
    every_query_of_the_dashboard_has_data(&fleet).await;
}

/// Every server tells the same: their maximum is the depth, their sum is not.
async fn depth_is_told_once_by_any_server(fleet: &WatchedFleet, done: usize) {
    let prometheus = &fleet.prometheus;
    prometheus.settles("max(stillcast_jobs{state='done'})", float(done)).await;
    prometheus.settles("min(stillcast_jobs{state='done'})", float(done)).await;
    prometheus.settles("count(stillcast_jobs{state='done'})", 2.0).await;
    prometheus.settles("count(stillcast_jobs{job='stillcast-worker'}) or vector(0)", 0.0).await;
    prometheus.settles("max(stillcast_workers)", 2.0).await;
    prometheus.settles("max(stillcast_enqueued_jobs_total)", float(done)).await;
}

/// Tokens and chunks, of both workers together.
async fn models_are_the_provider_s_journal(fleet: &WatchedFleet) {
    let bought = fleet.paid.simulator.purchases();
    let sum = |of: fn(&tests::simulator::Purchase) -> usize| float(bought.iter().map(of).sum());
    let usage = |kind: &str| format!("sum(gen_ai_client_inference_usage_{kind}_tokens_total)");
    let prometheus = &fleet.prometheus;
    prometheus.settles(&usage("input"), sum(|one| one.tokens.0)).await;
    prometheus.settles(&usage("output"), sum(|one| one.tokens.1)).await;
    let count = |what: &str| format!("sum(gen_ai_client_operation_{what}_seconds_count)");
    let chats = float(fleet.paid.count(Endpoint::Chat));
    prometheus.settles(&count("time_to_first_chunk"), chats).await;
    let chunks = sum(|one| one.chunks) - chats;
    prometheus.settles(&count("time_per_output_chunk"), chunks).await;
}

async fn statuses_and_money_are_too(fleet: &WatchedFleet) {
    let bought = fleet.paid.simulator.purchases();
    let prometheus = &fleet.prometheus;
    let statuses: BTreeSet<u16> = bought.iter().map(|one| one.status).collect();
    assert!(statuses.len() > 1, "a failure is among them: {statuses:?}");
    for status in statuses {
        let count = bought.iter().filter(|one| one.status == status).count();
        let query = format!("sum(stillcast_provider_responses_total{{status='{status}'}})");
        prometheus.settles(&query, float(count)).await;
    }
    let requests = "sum(stillcast_provider_requests_total{provider='openai'})";
    let timed = "sum(stillcast_provider_duration_seconds_count{provider='openai'})";
    prometheus.settles(requests, float(bought.len())).await;
    prometheus.settles(timed, float(bought.len())).await;
    let paid = fleet.paid.usd_paid(None);
    prometheus.settles("sum(stillcast_cost_usd_total{kind=~'spent|wasted'})", paid).await;
    prometheus
        .settles("count(sum by (kind) (stillcast_cost_usd_total{kind='avoided'}))", 1.0)
        .await;
}

/// Behind a bucket of a stage's time stands a trace that the collector has got.
async fn exemplars_lead_to_traces(fleet: &WatchedFleet) {
    let query = "stillcast_stage_duration_seconds_bucket{stage='tts'}";
    let exemplars = until("Prometheus has exemplars", async || {
        fleet.prometheus.exemplars(query).await.ok().filter(|exemplars| !exemplars.is_empty())
    })
    .await;
    for exemplar in exemplars {
        let trace = &exemplar["trace_id"];
        until("the collector has the trace of an exemplar", async || {
            fleet.collector.spans().iter().any(|span| span.trace == *trace).then_some(())
        })
        .await;
    }
}

/// A provider refuses: what waits for it is told as that, and grows older while no job ends.
async fn what_waits_is_told_by_its_reason_while_nothing_ends(fleet: &WatchedFleet) {
    let prometheus = &fleet.prometheus;
    fleet.revoke();
    let later = chrono::Utc::now() + chrono::TimeDelta::hours(1);
    let _ = fleet.paid.enqueue(&[job(Format::Audio).with_run_at(later)]).await;
    let fresh = job(Format::Video).with_tenant(TENANTS[0]).with_options(fleet::variant(77));
    let _ = fleet.paid.enqueue(&[fresh]).await;
    let jobs = |reason: &str| format!("max(stillcast_waiting_jobs{{reason='{reason}'}})");
    let oldest =
        |reason: &str| format!("max(stillcast_oldest_waiting_age_seconds{{reason='{reason}'}})");
    prometheus.settles(&jobs("date"), 1.0).await;
    prometheus.settles(&oldest("date"), 0.0).await;
    prometheus.settles(&jobs("provider"), 1.0).await;
    let ended = "max(stillcast_jobs{state='done'})";
    let before = prometheus.query(ended).await.unwrap();
    for least in [0.5, 1.0, 2.0] {
        until("the wait grows older", async || {
            let age = prometheus.query(&oldest("provider")).await.ok()?;
            age.first().filter(|age| age.value > least).map(|_| ())
        })
        .await;
    }
    assert_eq!(prometheus.query(ended).await.unwrap(), before, "nothing has ended");
    let states = "max by (state) (stillcast_jobs) - on (state) \
                  sum by (state) (max by (state, reason) (stillcast_waiting_jobs))";
    prometheus.settles(&format!("sum(({states}) != 0) or vector(0)"), 0.0).await;
}

/// What an operator may choose in the dashboard, as Grafana would write it into a query. An hour holds
/// all that the fleet has done, however slow it was.
const CHOSEN: [(&str, &str); 3] =
    [("$queue", "worker-tests"), ("$job", ".+"), ("$__rate_interval", "1h")];

/// Each query that a panel makes, and those that offer what can be chosen.
async fn every_query_of_the_dashboard_has_data(fleet: &WatchedFleet) {
    let board: serde_json::Value =
        serde_json::from_str(include_str!("../../../../deploy/grafana/stillcast.json")).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries: Vec<String> =
        targets.map(|target| chosen(target["expr"].as_str().unwrap())).collect();
    assert!(queries.len() > 50, "only {} queries", queries.len());
    for query in queries {
        fleet.prometheus.has(&query).await;
    }
    for name in ["queue", "job"] {
        let list = board["templating"]["list"].as_array().unwrap();
        let of = |variable: &&serde_json::Value| variable["name"] == name;
        let variable = list.iter().find(of).unwrap();
        let query = variable["query"]["query"].as_str().unwrap();
        let (series, label) = query
            .strip_prefix("label_values(")
            .unwrap()
            .trim_end_matches(')')
            .split_once(", ")
            .unwrap();
        let found =
            fleet.prometheus.query(&format!("count by ({label}) ({series})")).await.unwrap();
        assert!(found.iter().any(|sample| sample.labels.contains_key(name)), "{query}: {found:?}");
    }
}

fn chosen(query: &str) -> String {
    let query =
        CHOSEN.iter().fold(query.to_owned(), |query, (name, value)| query.replace(name, value));
    assert!(!query.contains('$'), "nobody chooses for {query}");
    query
}
