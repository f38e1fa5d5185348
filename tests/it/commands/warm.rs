//! `stillcast warm`: a price before anything is bought, a question that nobody can answer here, a bound that holds,
//! and the same command once more for nothing.

use serde_json::{Value, json};
use tests::program::Program;
use tests::server::Server;
use tests::simulator::{Key, Keys, Options, Simulator};

/// A provider with its prices, and the operators' program beside its worker.
async fn opened() -> (Server, Simulator, Program) {
    let server = Server::start_everysec().await.unwrap();
    let keys = Keys::default().with("sk-canary-9917", Key::default());
    let options = Options { keys, ..Options::quick(server.folder()) };
    let simulator = Simulator::start(options).await.unwrap();
    let program = Program::stillcast(&server.folder().join("home"))
        .providers("openai")
        .env("REDIS_URL", server.url())
        .env("STORAGE_URL", format!("file://{}", server.folder().join("store").display()))
        .env("OPENAI_BASE_URL", simulator.base_url())
        .env("OPENAI_API_KEY", "sk-canary-9917");
    let prices = ["LLM_PRICE_INPUT", "LLM_PRICE_OUTPUT", "TTS_PRICE", "IMAGE_PRICE"];
    let program = prices.iter().fold(program, |program, name| program.env(name, "0.5"));
    (server, simulator, program)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_priced_asked_for_bounded_and_once_more_for_nothing() {
    let (server, simulator, program) = opened().await;
    let file = server.folder().join("evening.jsonl");
    let lines = ["The sea at dusk.", "A hill in the fog."]
        .map(|text| json!({ "source": { "text": text }, "format": "video" }).to_string());
    std::fs::write(&file, lines.join("\n")).unwrap();
    let file = file.to_str().unwrap();
    let asked = program.run(&["warm", file]).await.unwrap().expect(2);
    assert!(
        asked.stderr.contains("2 requests, 0 warm already; the rest costs at most"),
        "{asked:?}"
    );
    assert!(asked.stderr.contains("--yes"), "{asked:?}");
    assert!(simulator.purchases().is_empty(), "nobody has said yes");
    let poor = ["warm", file, "--yes", "--json", "--max-cost", "0.000001"];
    let ran = program.run(&poor).await.unwrap().expect(1);
    let summary: Value = serde_json::from_str(ran.stdout.trim()).unwrap();
    assert_eq!((&summary["stopped"], &summary["made"]), (&json!("max-cost"), &json!(0)), "{ran:?}");
    assert!(ran.stderr.contains("--max-cost"), "{ran:?}");
    assert!(simulator.purchases().is_empty(), "not one call was within it");
    let ran = program.run(&["warm", file, "--yes"]).await.unwrap().expect(0);
    assert!(ran.stdout.starts_with("2 bought, 0 warm before, 0 failed, 0 left; "), "{ran:?}");
    let calls = simulator.purchases().len();
    assert!(calls > 4, "{calls}");
    // Nobody is asked where nothing is bought.
    let ran = program.run(&["warm", file, "--json"]).await.unwrap().expect(0);
    let summary: Value = serde_json::from_str(ran.stdout.trim()).unwrap();
    assert_eq!((&summary["warm"], &summary["usd"]), (&json!(2), &json!(0.0)), "{ran:?}");
    assert_eq!(simulator.purchases().len(), calls);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_request_ends_with_the_code_of_usage_and_names_the_line() {
    let (server, simulator, program) = opened().await;
    let file = server.folder().join("slip.jsonl");
    std::fs::write(&file, "{\"source\":{\"text\":\"Sea.\"},\"format\":\"film\"}").unwrap();
    let ran = program.run(&["warm", file.to_str().unwrap(), "--yes"]).await.unwrap().expect(2);
    assert!(ran.stderr.contains("line 1: ") && ran.stderr.contains("format"), "{ran:?}");
    let nobody = program.run(&["warm", "/nowhere/evening.jsonl", "--yes"]).await.unwrap().expect(2);
    assert!(nobody.stderr.contains("/nowhere/evening.jsonl"), "{nobody:?}");
    assert!(simulator.purchases().is_empty());
}
