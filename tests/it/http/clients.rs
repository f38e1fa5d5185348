//! The clients in Python and TypeScript do what they promise, against a real server and a real worker.

use child::{Running, Spec};
use reqwest::Method;
use serde_json::{Value, json};
use tests::foreign::{node_modules, printed, python, root, told};
use tests::program::{Program, binary};
use tests::proxy::Proxy;

use crate::support::{ADMIN, Api, port_of};

const PYTHON: &str = "deploy/clients/python";
const TYPESCRIPT: &str = "deploy/clients/typescript";

/// A server with a token, and a worker that sells nothing.
async fn start() -> (Api, Running) {
    let tokens = format!("all:{ADMIN}:*:admin");
    let api = Api::start_with(&[("API_TOKENS", &tokens), ("API_REQUESTS_PER_MINUTE", "0")]).await;
    let folder = api.server.folder();
    let worker = Program::at(binary("stillcast-worker"))
        .env("REDIS_URL", api.server.url())
        .env("STORAGE_URL", format!("file://{}/store", folder.display()))
        .env("STILLCAST_HOME", folder.join("worker"))
        .env("WORKER_ADDR", "off")
        .providers("offline");
    let working = worker.spawn(&[]).await.unwrap();
    (api, working)
}

/// What a program has seen that uses the client: the same, whatever the language.
async fn assert_sees(api: &Api, program: Spec) {
    let lossy = Proxy::start(port_of(&api.url(""))).await.unwrap();
    lossy.lose_replies("POST /v1/jobs ", 1);
    let file = api.server.folder().join("evening.m4a");
    let program = program.arg(api.url("")).arg(lossy.url().replace("redis", "http"));
    let mut seen: Value = told(program.arg(ADMIN).arg(&file)).await.unwrap();
    assert_eq!(lossy.lost(), 1, "an answer was lost");
    let bytes = seen.as_object_mut().unwrap().remove("bytes").unwrap();
    assert_eq!(bytes, std::fs::metadata(&file).unwrap().len());
    let field = json!([{"pointer": "/priority", "detail": seen["problems"][0][3][0]["detail"]}]);
    let problems = json!([[400, "invalid-request", false, field], [404, "unknown-job", false, []]]);
    let wanted = json!({
        "jobs": 1, "duplicate": true, "states": ["done"], "filtered": [true], "words": true, "captions": "WEBVTT",
        "problems": problems, "failed": "cancelled", "bulk": 1
    });
    assert_eq!(seen, wanted, "one job though its first answer was lost, and all that follows");
    let bearer = format!("Authorization: Bearer {ADMIN}");
    let left = api.send(Method::GET, "/v1/jobs", &[&bearer], None).await.json();
    assert_eq!(left["jobs"].as_array().unwrap().len(), 2, "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_program_brings_jobs_in_follows_them_and_fetches_them() {
    let (api, _working) = start().await;
    let program = Spec::new(python()).env("PYTHONPATH", root().join(PYTHON));
    assert_sees(&api, program.arg(root().join("tests/it/http/use_client.py"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typescript_program_brings_jobs_in_follows_them_and_fetches_them() {
    let (api, _working) = start().await;
    assert_sees(&api, Spec::new("node").arg(root().join("tests/it/http/use_client.ts"))).await;
}

#[tokio::test]
async fn the_clients_types_hold() {
    let folder = root().join(PYTHON);
    let mypy = Spec::new(python()).args(["-m", "mypy", "--strict", "--cache-dir", "/dev/null"]);
    let mypy = mypy.env("MYPYPATH", &folder).arg(folder.join("stillcast"));
    printed(mypy.arg(root().join("tests/it/http/use_client.py"))).await.unwrap();
    let tsc = node_modules("typescript").join("typescript/bin/tsc");
    printed(Spec::new("node").arg(tsc).arg("-p").arg(root().join(TYPESCRIPT))).await.unwrap();
}

/// Fields and words of both clients are those of the description.
#[tokio::test]
async fn the_clients_types_are_those_of_the_description() {
    let description = root().join("deploy/openapi.json");
    let made = node_modules("openapi-typescript").join("openapi-typescript/bin/cli.js");
    let made = printed(Spec::new("node").arg(made).arg(&description)).await.unwrap();
    let kept = root().join(TYPESCRIPT).join("src/schema.d.ts");
    let kept = std::fs::read_to_string(kept).unwrap();
    let is_same = kept.trim_end() == made.trim_end();
    assert!(is_same, "schema.d.ts is not what the description says: run `just clients`");

    let script = root().join("tests/it/http/compare_types.py");
    let compare = Spec::new(python()).env("PYTHONPATH", root().join(PYTHON)).arg(script);
    let compared: usize = told(compare.arg(&description)).await.unwrap();
    assert!(compared >= 15, "only {compared} types were compared");
}
