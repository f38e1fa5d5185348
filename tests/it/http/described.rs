//! The description is the API: it stands in the repository, and each example in it is true.

use std::path::Path;

use reqwest::StatusCode;

use crate::support::Api;

/// Read by those who write clients; made anew by `just openapi`.
const KEPT: &str = "../deploy/openapi.json";

#[tokio::test]
async fn the_description_in_the_repository_is_what_is_served() {
    let api = Api::start().await;
    let served = api.get("/openapi.json").await;
    assert_eq!(served.status, StatusCode::OK);
    assert_eq!(served.json()["openapi"], "3.1.0");
    let kept = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(KEPT)).unwrap();
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
