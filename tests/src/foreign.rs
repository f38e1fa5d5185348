//! What was written elsewhere, in other languages, and is there for the tests alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use child::Spec;
use serde::de::DeserializeOwned;

/// Longest run of one program; reaching it is a failure.
const WAIT_TIMEOUT: Duration = Duration::from_secs(150);
/// Longest answer of one program, in bytes.
const MAX_ANSWER: usize = 4 << 20;

/// The folder of the repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the repository")
}

/// The Python with the packages of `tests/requirements.txt`.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the test runner hands the interpreter over")]
pub fn python() -> PathBuf {
    let found = std::env::var_os("STILLCAST_TEST_PYTHON");
    found.map(PathBuf::from).expect("STILLCAST_TEST_PYTHON is not set: tests/run sets it")
}

/// What `tests/run` has installed of `package` from npm.
#[must_use]
pub fn node_modules(package: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let target = test.ancestors().nth(3).expect("tests lie in target/<profile>/deps");
    let modules = target.join("mocks/node_modules");
    let is_there = modules.join(package).is_dir();
    assert!(is_there, "{} has no {package}: tests/run installs it", modules.display());
    modules
}

/// Runs a program to its end; it must succeed. What it printed.
pub async fn printed(program: Spec) -> anyhow::Result<String> {
    printed_within(WAIT_TIMEOUT, program).await
}

/// The same, of one that may take as long as this.
pub async fn printed_within(timeout: Duration, program: Spec) -> anyhow::Result<String> {
    let (printed, _) = program.timeout(timeout).output(MAX_ANSWER).await?;
    Ok(String::from_utf8(printed)?)
}

/// The same, as one document of JSON.
pub async fn told<T: DeserializeOwned>(program: Spec) -> anyhow::Result<T> {
    let printed = printed(program).await?;
    serde_json::from_str(&printed).with_context(|| printed.clone())
}
