//! The description holds for whatever is sent: schemathesis, which we did not write, makes requests of
//! it, good and bad ones, and looks whether each answer is as described.

use std::time::Duration;

use child::Spec;
use futures::future::join_all;
use tests::foreign::{printed_within, python, root};

use crate::support::{ADMIN, Api};

/// How much is asked: requests of each operation and phase, by which seeds side by side, and how long
/// that may take.
struct Extent {
    examples: u32,
    seeds: Vec<u32>,
    timeout: Duration,
}

impl Extent {
    /// Each time the same few; `just fuzz-api` sends more than 50,000 in all, each time others.
    #[expect(clippy::disallowed_methods, reason = "whoever fuzzes says how much")]
    fn asked() -> Self {
        let asked = std::env::var("API_EXAMPLES").ok();
        let Some(examples) = asked.map(|text| text.parse::<u32>().expect("a number")) else {
            return Self { examples: 8, seeds: vec![1], timeout: Duration::from_secs(150) };
        };
        // One process of it keeps one processor busy, and this server less than another.
        let seeds = (0..2).map(|_| fastrand::u32(..)).collect();
        Self { examples: examples.div_ceil(2), seeds, timeout: Duration::from_hours(3) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_as_it_is_described() {
    let tokens = format!("all:{ADMIN}:*:admin");
    let api = Api::start_with(&[("API_TOKENS", &tokens), ("API_REQUESTS_PER_MINUTE", "0")]).await;
    let Extent { examples, seeds, timeout } = Extent::asked();
    let runs =
        seeds.iter().map(|seed| printed_within(timeout, schemathesis(&api, examples, *seed)));
    for said in join_all(runs).await {
        let said = said.unwrap();
        println!("{said}");
        assert!(said.contains("No issues found"), "{said}");
    }
}

fn schemathesis(api: &Api, examples: u32, seed: u32) -> Spec {
    Spec::new(python())
        // It keeps what it has met where it runs.
        .folder(api.server.folder())
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(root().join("tests/it/http/schemathesis.toml"))
        .args(["run", &api.url("/openapi.json"), "--max-examples", &examples.to_string()])
        .args(["--seed", &seed.to_string()])
        .arg("--header")
        .arg(format!("Authorization: Bearer {ADMIN}"))
}
