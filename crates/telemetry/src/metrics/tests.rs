//! Events go in; names, values and labels on the page come out.

use std::time::Duration;

use super::word::Word;
use super::*;

/// Dashboards and alerts hang on these names.
const NAMES: [&str; 41] = [
    "stillcast_build info",
    "stillcast_wait_seconds histogram",
    "stillcast_job_duration_seconds histogram",
    "stillcast_attempts counter",
    "stillcast_slots gauge",
    "stillcast_stage_duration_seconds histogram",
    "stillcast_stage_wait_seconds histogram",
    "stillcast_stage_run_seconds histogram",
    "stillcast_stage_tries counter",
    "stillcast_checkpoint_seconds histogram",
    "stillcast_cache_requests counter",
    "stillcast_cost_usd counter",
    "stillcast_lease_lost counter",
    "stillcast_self_fences counter",
    "stillcast_recovered counter",
    "stillcast_crashes counter",
    "stillcast_interrupts counter",
    "stillcast_poison counter",
    "stillcast_stale_writes_rejected counter",
    "stillcast_breaker_open gauge",
    "stillcast_provider_requests counter",
    "stillcast_provider_duration_seconds histogram",
    "stillcast_provider_responses counter",
    "stillcast_provider_limit_asks counter",
    "stillcast_provider_limit_wait_seconds histogram",
    "stillcast_budget_asks counter",
    "stillcast_model_shutdown_timestamp_seconds gauge",
    "stillcast_spans counter",
    "stillcast_children_cpu_seconds counter",
    "stillcast_children gauge",
    "stillcast_children_resident_memory_bytes gauge",
    "gen_ai_client_inference_usage_input_tokens counter",
    "gen_ai_client_inference_usage_output_tokens counter",
    "gen_ai_client_inference_usage_cache_read_input_tokens counter",
    "gen_ai_client_inference_usage_reasoning_output_tokens counter",
    "gen_ai_client_operation_duration_seconds histogram",
    "gen_ai_client_operation_time_to_first_chunk_seconds histogram",
    "gen_ai_client_operation_time_per_output_chunk_seconds histogram",
    "process_cpu_seconds counter",
    "process_resident_memory_bytes gauge",
    "process_open_fds gauge",
];

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn busy() -> Metrics {
    let metrics = Metrics::new("9.9.9", "evening", 4);
    metrics.claimed(Duration::from_millis(1500));
    metrics.reported("done", Duration::from_secs(20));
    attempt(&metrics);
    metrics.model_shuts_down("tts", "a-voice", Some(1_799_193_600));
    metrics
}

/// All that an attempt counts.
fn attempt(metrics: &Metrics) {
    metrics.interrupted();
    metrics.checkpoint_kept("tts", Duration::from_millis(250));
    metrics.attempt_ended("none", "none");
    metrics.stage_ended(("tts", StageOutcome::ok), (0.5, 3.0), 2, Some(TRACE));
    metrics.cache_asked("hit");
    metrics.money_booked("tts", "spent", 0.25);
    metrics.money_booked("tts", "spent", 0.5);
    metrics.provider_called(("tts", "openai"), "ok", Duration::from_secs(2));
    metrics.provider_answered(("tts", "openai"), Some(429));
    metrics.provider_answered(("tts", "openai"), Some(418));
    metrics.provider_answered(("tts", "openai"), None);
    metrics.account_asked(("tts", "openai"), "granted", Some(Duration::from_secs(3)));
    metrics.account_asked(("tts", "openai"), "requests", None);
    metrics.budget_asked("spent");
    let call = |gen_ai_output_type| GenAiCall {
        gen_ai_operation_name: "chat".into(),
        gen_ai_output_type: Word::Borrowed(gen_ai_output_type),
        gen_ai_provider_name: "openai".into(),
        gen_ai_request_model: "m\"1".to_owned(),
    };
    let used = TokenUse { input: Some(30), output: Some(400), reasoning: Some(7), cached: Some(5) };
    metrics.tokens_used(&call("text"), used);
    metrics.tokens_used(&call("speech"), TokenUse::default());
    metrics.model_called(&call("text"), Duration::from_secs(3));
    metrics.first_chunk(&call("text"), Duration::from_millis(500));
    metrics.next_chunk(&call("text"), Duration::from_millis(20));
    metrics.spans().count("dropped", 3);
}

#[test]
fn the_names_stay() {
    let page = busy().encode();
    let types: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert_eq!(types, NAMES);
    assert_eq!(page.matches("# EOF").count(), 1);
    assert!(page.ends_with("# EOF\n"));
}

/// Without the label that all of this house's have.
fn page_of(metrics: &Metrics) -> String {
    let page = metrics.encode();
    page.replace("{queue=\"evening\"}", "").replace("queue=\"evening\",", "")
}

#[test]
fn each_name_of_this_house_says_the_queue_and_no_other_does() {
    for line in busy().encode().lines().filter(|line| !line.starts_with('#')) {
        let is_ours = line.starts_with("stillcast_");
        assert_eq!(line.contains("queue=\"evening\""), is_ours, "{line}");
    }
}

#[test]
fn what_is_counted_is_what_is_shown() {
    let page = page_of(&busy());
    for line in [
        "stillcast_build_info{version=\"9.9.9\"} 1",
        "stillcast_wait_seconds_sum 1.5",
        "stillcast_job_duration_seconds_count{state=\"done\"} 1",
        "stillcast_stage_duration_seconds_sum{stage=\"tts\",outcome=\"ok\"} 3.5",
        "stillcast_stage_wait_seconds_sum{stage=\"tts\"} 0.5",
        "stillcast_stage_run_seconds_sum{stage=\"tts\"} 3.0",
        "stillcast_stage_tries_total{stage=\"tts\"} 2",
        "stillcast_slots{pool=\"jobs\",state=\"busy\"} 1",
        "stillcast_slots{pool=\"jobs\",state=\"free\"} 3",
        "stillcast_checkpoint_seconds_sum{stage=\"tts\"} 0.25",
        "stillcast_cache_requests_total{result=\"hit\"} 1",
        "stillcast_cost_usd_total{stage=\"tts\",kind=\"spent\"} 0.75",
        "stillcast_lease_lost_total 0",
        "stillcast_provider_requests_total{stage=\"tts\",provider=\"openai\",code=\"ok\"} 1",
        "stillcast_provider_duration_seconds_sum{stage=\"tts\",provider=\"openai\"} 2.0",
        "stillcast_provider_responses_total{stage=\"tts\",provider=\"openai\",status=\"429\"} 1",
        "stillcast_provider_responses_total{stage=\"tts\",provider=\"openai\",status=\"4xx\"} 1",
        "stillcast_provider_responses_total{stage=\"tts\",provider=\"openai\",status=\"none\"} 1",
        "stillcast_provider_limit_asks_total{stage=\"tts\",provider=\"openai\",result=\"requests\"} 1",
        "stillcast_provider_limit_wait_seconds_sum{stage=\"tts\",provider=\"openai\"} 3.0",
        "stillcast_budget_asks_total{result=\"spent\"} 1",
        "stillcast_model_shutdown_timestamp_seconds{stage=\"tts\",model=\"a-voice\"} 1799193600",
        "stillcast_spans_total{result=\"dropped\"} 3",
    ] {
        assert!(page.lines().any(|found| found == line), "`{line}` is not in\n{page}");
    }
}

#[test]
fn tokens_have_the_names_of_the_conventions() {
    let page = busy().encode();
    for (name, modality, number) in [
        ("input", "text", 30),
        ("output", "text", 400),
        ("input", "unknown", 0),
        ("output", "unknown", 0),
        ("reasoning_output", "text", 7),
        ("cache_read_input", "text", 5),
    ] {
        let line = format!(
            "gen_ai_client_inference_usage_{name}_tokens_total{{gen_ai_operation_name=\"chat\",\
             gen_ai_provider_name=\"openai\",gen_ai_request_model=\"m\\\"1\",\
             gen_ai_token_modality=\"{modality}\"}} {number}"
        );
        assert!(page.lines().any(|found| found == line), "`{line}` is not in\n{page}");
    }
    assert!(page.contains("time_to_first_chunk_seconds_sum{"), "{page}");
}

#[test]
fn an_exemplar_leads_from_a_bucket_to_a_trace() {
    let page = busy().encode();
    let exemplar = format!(" # {{trace_id=\"{TRACE}\"}} 3.5 ");
    let of = |line: &&str| line.starts_with("stillcast_stage_duration_seconds_bucket");
    let found: Vec<&str> = page.lines().filter(of).filter(|line| line.contains(" # ")).collect();
    assert_eq!(found.len(), 1, "{page}");
    assert!(found[0].contains(&exemplar) && found[0].contains("le=\"5.0\""), "{}", found[0]);
}

/// What another process tells, line by line, is counted as if it had happened here.
#[test]
fn what_is_relayed_is_counted_where_it_is_told() {
    let (tell, told) = std::sync::mpsc::channel();
    let elsewhere = Metrics::relayed("9.9.9", "evening", move |counted| {
        tell.send(serde_json::to_string(&counted).unwrap()).unwrap();
    });
    attempt(&elsewhere);
    let here = Metrics::new("9.9.9", "evening", 4);
    here.claimed(Duration::from_millis(1500));
    here.reported("done", Duration::from_secs(20));
    here.model_shuts_down("tts", "a-voice", Some(1_799_193_600));
    for line in told.try_iter() {
        here.count(serde_json::from_str(&line).unwrap());
    }
    let counted = |metrics: &Metrics| {
        let of_kernel = |line: &&str| line.contains("process_") || line.contains("children");
        // An exemplar says when.
        let bare = |line: &str| line.split(" # ").next().unwrap_or_default().to_owned();
        let page = metrics.encode();
        let mut lines: Vec<_> = page.lines().filter(|line| !of_kernel(line)).map(bare).collect();
        // Label sets come in no order.
        lines.sort();
        lines
    };
    assert_eq!(counted(&here), counted(&busy()));
    let nothing = Metrics::new("9.9.9", "evening", 1);
    assert_eq!(counted(&elsewhere), counted(&nothing), "it counts nothing itself");
}

#[test]
fn a_job_that_left_frees_its_slot() {
    let metrics = busy();
    metrics.left();
    assert!(page_of(&metrics).contains("stillcast_slots{pool=\"jobs\",state=\"free\"} 4\n"));
}

#[test]
fn the_process_is_what_the_kernel_says() {
    let page = page_of(&busy());
    let value = |name: &str| -> f64 {
        let line = page.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        line.trim().parse().unwrap()
    };
    assert!(value("process_resident_memory_bytes ") > 1e6, "{page}");
    assert!(value("process_open_fds ") >= 3.0);
    assert!(value("process_cpu_seconds_total ") >= 0.0);
    assert!(value("stillcast_children ") >= 0.0);
}
