//! Programs that are not this process: Python with a plain Redis client, and the example of the docs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use child::{ChildError, Spec};
use serde_json::{Value, json};
use stillcast_enqueue::{JobId, State};
use tests::fleet::{Fleet, QUEUE, WorkerOptions};
use tests::program::binary;
use tests::script::Script;

const SIX_CALLS: &str = env!("CARGO_BIN_EXE_six_calls");
const WAIT_TIMEOUT: Duration = Duration::from_mins(1);
const MAX_ANSWER: usize = 64 * 1024;

#[expect(clippy::disallowed_methods, reason = "the test runner hands the interpreter over")]
fn python() -> PathBuf {
    let found = std::env::var_os("STILLCAST_TEST_PYTHON");
    found.map(PathBuf::from).expect(
        "STILLCAST_TEST_PYTHON is not set: run the tests with `tests/run`, which makes a Python \
         with redis-py, or point it at one (`pip install redis`)",
    )
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// What `enqueue.py` prints.
async fn python_enqueues(fleet: &Fleet, jobs: &Value) -> Vec<(String, String, String)> {
    let (printed, _) = Spec::new(python())
        .arg(root().join("tests/it/producers/enqueue.py"))
        .args([&fleet.server.url(), QUEUE])
        .arg(root().join("crates/enqueue/lua/enqueue.lua"))
        .arg(jobs.to_string())
        .timeout(WAIT_TIMEOUT)
        .output(MAX_ANSWER)
        .await
        .unwrap();
    serde_json::from_slice(&printed).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_redis_client_in_python_enqueues() {
    let fleet = Fleet::start().await.unwrap();
    let text = serde_json::to_string(&Script::of(5)).unwrap();
    let job = json!({"id": "py-1", "text": text, "format": "audio", "idempotency_key": "evening-9",
        "metadata": {"from": "python"}, "tenant": "acme", "priority": 9});
    let other = json!({"id": "py-2", "text": "Rain.", "format": "audio", "tenant": "acme",
        "idempotency_key": "evening-9"});
    let late = json!({"id": "py-3", "text": text, "format": "video", "deadline": 1});
    let future =
        json!({"id": "py-4", "text": text, "format": "video", "run_at": 4_102_444_800_000_i64});

    let answers = python_enqueues(&fleet, &json!([job, job, other, late, future])).await;
    let answer = |status: &str, id: &str, state: &str| (status.into(), id.into(), state.into());
    assert_eq!(
        answers,
        [
            answer("created", "py-1", "ready"),
            answer("duplicate", "py-1", "ready"),
            answer("mismatch", "py-1", "ready"),
            answer("deadline-passed", "py-3", ""),
            answer("created", "py-4", "delayed"),
        ]
    );

    let _worker = fleet.worker("worker", &WorkerOptions::of(SIX_CALLS)).await.unwrap();
    let record = fleet.ended(&[JobId::parse("py-1").unwrap()]).await.unwrap().remove(0);
    assert_eq!((record.state, record.attempt, record.priority), (State::Done, 1, 9));
    assert_eq!((record.tenant.as_str(), record.metadata["from"].as_str()), ("acme", "python"));
    let again = python_enqueues(&fleet, &json!([job])).await;
    assert_eq!(again, [answer("duplicate", "py-1", "done")]);
}

async fn run_example(fleet: &Fleet, text: &str) -> Result<Value, ChildError> {
    let spec = Spec::new(binary("examples/enqueue")).arg(text).timeout(WAIT_TIMEOUT);
    let spec = spec.env("REDIS_URL", fleet.server.url()).env("QUEUE_NAME", QUEUE);
    let (printed, _) = spec.output(MAX_ANSWER).await?;
    Ok(serde_json::from_slice(&printed).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_enqueues_waits_and_prints_the_record() {
    let fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &WorkerOptions::of(SIX_CALLS)).await.unwrap();
    let text = serde_json::to_string(&Script::of(5)).unwrap();
    let record = run_example(&fleet, &text).await.unwrap();
    assert_eq!((&record["state"], &record["format"]), (&json!("done"), &json!("audio")));

    // What is no script kills its job, and the example says so.
    let failed = run_example(&fleet, "A long day by the sea.").await;
    assert!(matches!(failed, Err(ChildError::Status { code: 1, .. })), "{failed:?}");
}
