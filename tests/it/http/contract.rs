//! The description holds for whatever is sent: schemathesis, which we did not write, makes requests of
//! it, good and bad ones, and looks whether each answer is as described.

use std::time::Duration;

use child::Spec;
use tests::foreign::{printed_within, python, root};

use crate::support::{ADMIN, Api};

/// How much is asked: requests of each operation and phase, by which seed, and how long that may take.
struct Extent {
    examples: String,
    seed: u32,
    timeout: Duration,
}

impl Extent {
    /// Each time the same few; `just fuzz-api` sends more than 50,000 in all, each time others.
    #[expect(clippy::disallowed_methods, reason = "whoever fuzzes says how much")]
    fn asked() -> Self {
        match std::env::var("API_EXAMPLES") {
            Ok(examples) => {
                let timeout = Duration::from_hours(1);
                Self { examples, seed: fastrand::u32(..), timeout }
            }
            Err(_) => Self { examples: "8".to_owned(), seed: 1, timeout: Duration::from_secs(150) },
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_as_it_is_described() {
    let tokens = format!("all:{ADMIN}:*:admin");
    let api = Api::start_with(&[("API_TOKENS", &tokens), ("API_REQUESTS_PER_MINUTE", "0")]).await;
    let Extent { examples, seed, timeout } = Extent::asked();
    let schemathesis = Spec::new(python())
        // It keeps what it has met where it runs.
        .folder(api.server.folder())
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(root().join("tests/it/http/schemathesis.toml"))
        .args(["run", &api.url("/openapi.json"), "--max-examples", &examples])
        .args(["--seed", &seed.to_string()])
        .arg("--header")
        .arg(format!("Authorization: Bearer {ADMIN}"));
    let said = printed_within(timeout, schemathesis).await.unwrap();
    println!("{said}");
    assert!(said.contains("No issues found"), "{said}");
}
