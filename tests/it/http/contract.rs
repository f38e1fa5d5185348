//! The description holds for whatever is sent: schemathesis, which we did not write, makes requests of
//! it, good and bad ones, and looks whether each answer is as described.

use child::Spec;
use tests::foreign::{printed, python, root};

use crate::support::{ADMIN, Api};

/// Requests of each operation and phase; `just fuzz-api` sends more than 50,000 in all.
const EXAMPLES: &str = "8";

#[expect(clippy::disallowed_methods, reason = "whoever fuzzes says for how long")]
fn examples() -> String {
    std::env::var("API_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_as_it_is_described() {
    let tokens = format!("all:{ADMIN}:*:admin");
    let api = Api::start_with(&[("API_TOKENS", &tokens), ("API_REQUESTS_PER_MINUTE", "0")]).await;
    let schemathesis = Spec::new(python())
        // It keeps what it has met where it runs.
        .folder(api.server.folder())
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(root().join("tests/it/http/schemathesis.toml"))
        .args(["run", &api.url("/openapi.json"), "--max-examples", &examples()])
        .arg("--header")
        .arg(format!("Authorization: Bearer {ADMIN}"));
    let said = printed(schemathesis).await.unwrap();
    assert!(said.contains("No issues found"), "{said}");
}
