//! The description is the API: it stands in the repository, and each example in it is true.

use child::Spec;
use reqwest::StatusCode;
use tests::foreign::{node_modules, printed, python, root};

use crate::support::Api;

/// Read by those who write clients; made anew by `just openapi`.
const KEPT: &str = "deploy/openapi.json";

#[tokio::test]
async fn the_description_in_the_repository_is_what_is_served() {
    let api = Api::start().await;
    let served = api.get("/openapi.json").await;
    assert_eq!(served.status, StatusCode::OK);
    assert_eq!(served.json()["openapi"], "3.1.0");
    let kept = std::fs::read_to_string(root().join(KEPT)).unwrap();
    let same = kept.trim_end() == served.text.trim_end();
    assert!(same, "deploy/openapi.json differs from what is served: run `just openapi`");
}

#[tokio::test]
async fn each_example_of_a_request_is_taken() {
    let api = Api::start().await;
    let description = api.get("/openapi.json").await.json();
    let example = &description["components"]["schemas"]["JobRequest"]["example"];
    let answer = api.post("/v1/jobs", example).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
}

/// Two that we did not write read it: each reference leads somewhere, each operation says who may, each
/// example is as its schema has it.
#[tokio::test]
async fn foreign_readers_find_no_fault_in_it() {
    let kept = root().join(KEPT);
    let python = Spec::new(python()).args(["-m", "openapi_spec_validator"]);
    let said = printed(python.arg(&kept)).await.unwrap();
    assert!(said.trim_end().ends_with(": OK"), "{said}");
    let redocly = node_modules("@redocly/cli").join("@redocly/cli/bin/cli.js");
    let redocly = Spec::new("node").arg(redocly).env("REDOCLY_TELEMETRY", "off").arg("lint");
    let redocly = redocly.arg("--config").arg(root().join("tests/it/http/redocly.yaml")).arg(&kept);
    printed(redocly).await.unwrap();
}
