//! How the fleet is scaled goes in; what `promtool` says of its query on a bad day comes out.

mod autoscaler;
mod day;
mod fleet;

use std::path::Path;

use child::Spec;
use tests::foreign::root;

use crate::kubernetes::{fleet, one};
use crate::tools::{Copies, broken, run, text_of, yaml};

const TRIED: &str = "deploy/kubernetes/keda/scaling.test.yml";

/// What `promtool` says of the tests in `file`.
async fn tried(file: &Path) -> Result<String, String> {
    run(Spec::new("promtool").args(["test", "rules"]).arg(file)).await
}

#[tokio::test]
async fn the_query_is_right_on_a_bad_day_and_each_simpler_one_is_wrong() {
    tried(&root().join(TRIED)).await.unwrap();
    let whole = text_of(TRIED);
    let copies = Copies::new();
    for (right, wrong) in [
        // A second server doubles the fleet.
        ("max(stillcast_desired", "sum(stillcast_desired"),
        // Work is cut off that a server has not seen yet.
        (
            "scalar(count(stillcast_slots{queue=\"stillcast\",pool=\"jobs\",state=\"busy\"} > 0) or vector(0))",
            "0",
        ),
        // An old server's last words make the fleet smaller.
        ("max(stillcast_desired", "min(stillcast_desired"),
        // Whoever tells nothing means zero.
        (
            "max(stillcast_desired_replicas{queue=\"stillcast\"})",
            "(max(stillcast_desired_replicas{queue=\"stillcast\"}) or vector(0))",
        ),
        // Another queue's work is taken for ours.
        ("max(stillcast_desired_replicas{queue=\"stillcast\"})", "max(stillcast_desired_replicas)"),
    ] {
        let file = copies.write("scaling.test.yml", &broken(&whole, right, wrong));
        assert!(tried(&file).await.is_err(), "nothing is wrong with `{wrong}`");
    }
}

#[tokio::test]
async fn what_is_tried_is_what_scales_and_nothing_known_is_no_zero() {
    let fleet = fleet().await;
    let spec = &one(&fleet, "ScaledObject", "stillcast-worker")["spec"];
    let trigger = &spec["triggers"][0]["metadata"];
    let query = trigger["query"].as_str().unwrap();
    let tries = yaml(&root().join(TRIED)).await;
    let tests = tries[0]["tests"].as_array().unwrap();
    let asked = tests.iter().flat_map(|test| test["promql_expr_test"].as_array().unwrap());
    for expression in asked.map(|asked| asked["expr"].as_str().unwrap()) {
        assert_eq!(expression, query, "{TRIED} (left), scaling.yaml (right)");
    }
    assert_eq!(trigger["ignoreNullValues"], "false", "an empty answer would be a zero");
    assert_eq!(trigger["threshold"], "1", "the query says how many workers");
    assert_eq!(spec["triggers"][0]["metricType"], "AverageValue", "else there is no fallback");
    assert_eq!(spec["fallback"]["behavior"], "currentReplicasIfHigher");
    assert!(spec["minReplicaCount"].as_u64().unwrap() >= 1, "somebody must find what is due");
    let down = &spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"];
    assert_eq!(down["policies"][0]["value"], 1);
    let worker = one(&fleet, "Deployment", "stillcast-worker");
    assert!(worker["spec"]["replicas"].is_null(), "two would decide how many there are");
}
