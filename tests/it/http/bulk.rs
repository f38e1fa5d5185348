//! Many jobs are cancelled, replayed or purged: first a plan with its price, then each of them once.

use std::collections::BTreeMap;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use queue::Outcome;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stillcast_enqueue::State;

use tests::many::{dead_jobs, open};
use tests::wait::until;

use crate::support::{ADMIN, Api, dead, request, serve};

/// More than one call takes, by far.
const MANY: usize = 10_000;

/// A dry run, once the server knows `jobs` of them.
async fn plan(api: &Api, action: &str, filter: &str, jobs: usize) -> Value {
    let body = json!({"action": action, "filter": filter});
    until("the server knows them", async || {
        let answer = api.post("/v1/jobs/bulk", &body).await;
        let is_known = answer.status == StatusCode::OK && answer.json()["jobs"] == jobs;
        is_known.then(|| answer.json())
    })
    .await
}

/// Begins what was planned; where it is shown.
async fn begin(api: &Api, plan: &Value) -> String {
    let begun = api.post("/v1/jobs/bulk", &json!({"plan": plan["plan"]})).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{begun:?}");
    begun.header("location").to_owned()
}

async fn ended(api: &Api, place: &str) -> Value {
    until("it has ended", async || {
        let bulk = api.get(place).await.json();
        bulk["ended_at"].is_string().then_some(bulk)
    })
    .await
}

/// Delivers the next job, which has cost so much.
async fn deliver(api: &Api, id: &str, cost: &str) {
    let (_, outcome) = api.deliver(id, b"sound");
    report(api, id, cost, outcome).await;
}

async fn report(api: &Api, id: &str, cost: &str, outcome: Outcome) {
    let key = format!("{{q:stillcast}}:job:{id}");
    api.server.say(&["HSET", &key, "cost", cost]).await.unwrap();
    api.report_next(id, outcome).await;
}

#[tokio::test]
async fn a_plan_tells_its_price_and_happens_once_however_often_it_is_sent() {
    let api = Api::start().await;
    let ids = [api.enqueue().await, api.enqueue().await, api.enqueue().await];
    let cost = |spent: f64| json!({"spent_usd": spent, "avoided_usd": 0.25, "wasted_usd": 1.0});
    deliver(&api, &ids[0], &cost(0.75).to_string()).await;
    report(&api, &ids[1], &cost(0.5).to_string(), dead()).await;
    report(&api, &ids[2], &cost(0.0).to_string(), dead()).await;
    let mut last = request();
    last["priority"] = json!(0);
    let waits = api.post("/v1/jobs", &last).await.json()["id"].as_str().unwrap().to_owned();

    let plan = plan(&api, "replay", "age<1h", 2).await;
    // The dearest was worth one dollar; half a dollar of it is kept.
    assert_eq!(plan["price"], json!({"at_most_usd": 1.5, "kept_usd": 0.5}));
    assert_eq!((&plan["filter"], &plan["left_out"]), (&json!("age<1h"), &json!(0)));
    assert_eq!(api.get("/v1/bulk").await.json(), json!({"bulks": []}), "nothing has begun");

    let place = begin(&api, &plan).await;
    let bulk = ended(&api, &place).await;
    let told = ["state", "total", "granted", "refused", "by", "action"].map(|name| &bulk[name]);
    let wanted = [json!("done"), json!(2), json!(2), json!({}), json!("loopback"), json!("replay")];
    assert_eq!(told, wanted.each_ref());
    for id in &ids[1..] {
        api.report_next(id, dead()).await;
    }
    assert_eq!(begin(&api, &plan).await, place);
    assert_eq!(api.get(&place).await.json(), bulk, "it has happened");
    let states = ids.iter().chain([&waits]).map(async |id| {
        api.get(&format!("/v1/jobs/{id}")).await.json()["state"].as_str().unwrap().to_owned()
    });
    let states = futures::future::join_all(states).await;
    assert_eq!(states, ["done", "dead", "dead", "ready"]);
    let audit = api.get("/v1/audit").await.json();
    let lines = audit["entries"].as_array().unwrap();
    assert_eq!(lines.len(), 1, "one line for all of its jobs: {audit}");
    let told = ["action", "result", "filter", "jobs"].map(|name| &lines[0][name]);
    let wanted = [json!("replay"), json!("running"), json!("age<1h"), json!(2)];
    assert_eq!(told, wanted.each_ref());
    let listed = api.get("/v1/bulk").await.json();
    assert_eq!(listed, json!({"bulks": [bulk]}));
    let stopped = api.post(&format!("{place}/stop"), &json!({})).await.json();
    assert_eq!(stopped["state"], "done", "what is done is not stopped any more");
}

/// Each replay grows the record's revision by one: twice would be seen.
#[tokio::test]
async fn each_job_is_replayed_once_though_its_server_is_killed() {
    let mut api = Api::start().await;
    dead_jobs(&api.server, MANY).await.unwrap();
    let inspector = open(&api.server).await.unwrap();
    let revisions = async || -> BTreeMap<String, u64> {
        let (mut all, mut cursor) = (BTreeMap::new(), None);
        loop {
            let page = inspector.list(None, 500, cursor.as_ref()).await.unwrap();
            all.extend(page.jobs.into_iter().map(|job| (job.id, job.revision)));
            let Some(next) = page.next else { return all };
            cursor = Some(next);
        }
    };
    let before = revisions().await;
    assert_eq!(before.len(), MANY);

    let (mut first, url) = serve(&api.program).await;
    // The one of the test would work on it too.
    let client = reqwest::Client::new();
    let ask = async |body: Value| {
        let asked = client.post(format!("{url}/v1/jobs/bulk")).json(&body);
        asked.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let plan = until("the server knows them", async || {
        let plan = ask(json!({"action": "replay", "filter": ""})).await;
        (plan["jobs"] == MANY).then_some(plan)
    })
    .await;
    api.stop();
    let bulk = ask(json!({"plan": plan["plan"]})).await;
    let id = bulk["id"].as_str().unwrap();
    until("some have had it", async || {
        let granted = inspector.bulk(id).await.unwrap().unwrap().granted;
        (granted > 0).then_some(())
    })
    .await;
    kill(Pid::from_raw(first.pid()), Signal::SIGKILL).unwrap();
    first.wait().await.unwrap_err();
    let left = inspector.bulk(id).await.unwrap().unwrap();
    assert!(!left.state.has_ended(), "it was killed in the middle: {left:?}");

    let (_second, _) = serve(&api.program).await;
    let bulk = until("another server has done the rest", async || {
        let bulk = inspector.bulk(id).await.unwrap().unwrap();
        bulk.state.has_ended().then_some(bulk)
    })
    .await;
    assert_eq!((bulk.total, bulk.granted), (Some(MANY as u64), MANY as u64), "{bulk:?}");
    let stats = inspector.stats().await.unwrap();
    assert_eq!(stats.states.of(State::Ready), MANY as u64, "{stats:?}");
    let once = before.into_iter().map(|(id, revision)| (id, revision + 1)).collect();
    assert_eq!(revisions().await, once);
    let verified = inspector.verify().await.unwrap();
    assert_eq!(verified.violations.first(), None);
}

#[tokio::test]
async fn a_purge_of_many_takes_their_files_along() {
    let api = Api::start().await;
    let mut files = Vec::new();
    for _ in 0..3 {
        let id = api.enqueue().await;
        let (path, outcome) = api.deliver(&id, b"sound");
        api.report_next(&id, outcome).await;
        files.push(path);
    }
    let stays = api.enqueue().await;
    let plan = plan(&api, "purge", "state:done", 3).await;
    assert_eq!(plan["price"], json!(null), "only a replay costs");
    let bulk = ended(&api, &begin(&api, &plan).await).await;
    assert_eq!((&bulk["granted"], &bulk["refused"]), (&json!(3), &json!({})));
    assert!(files.iter().all(|path| !path.exists()), "{files:?}");
    let left = api.get("/v1/jobs").await.json();
    assert_eq!(left["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(left["jobs"][0]["id"], json!(stays));
}

#[tokio::test]
async fn a_plan_is_good_unchanged_for_its_tenant_and_for_who_may() {
    let own = "own-0123456789abcdef";
    let app = "app-0123456789abcdef";
    let tokens = format!("all:{ADMIN}:*:admin own:{own}:acme:admin app:{app}:acme:enqueue");
    let api = Api::start_with(&[("API_TOKENS", &tokens), ("API_REQUESTS_PER_MINUTE", "0")]).await;
    let post = async |token: &str, path: &str, body: Value| {
        let bearer = format!("Authorization: Bearer {token}");
        api.send(Method::POST, path, &[&bearer], Some(body.to_string())).await
    };
    for tenant in ["acme", "other"] {
        let body = json!({"source": {"text": "A walk."}, "format": "audio", "tenant": tenant});
        let _ = post(ADMIN, "/v1/jobs", body).await;
    }
    let dry = json!({"action": "cancel", "filter": ""});
    let plan = until("the server knows both", async || {
        let all = post(ADMIN, "/v1/jobs/bulk", dry.clone()).await;
        (all.json()["jobs"] == 2).then(|| all.json()["plan"].clone())
    })
    .await;
    let foreign = post(own, "/v1/jobs/bulk", json!({"plan": plan})).await;
    let _ = foreign.problem(403, "tenant-refused");
    let theirs = post(app, "/v1/jobs/bulk", dry.clone()).await.json();
    assert_eq!(theirs["jobs"], 1, "its own: {theirs}");
    let replay = json!({"action": "replay", "filter": ""});
    let _ = post(app, "/v1/jobs/bulk", replay).await.problem(403, "forbidden");
    let text = theirs["plan"].as_str().unwrap();
    for changed in [format!("0{text}"), text.replacen('a', "b", 1), "0.0".to_owned()] {
        let refused = post(app, "/v1/jobs/bulk", json!({"plan": changed})).await;
        let problem = refused.problem(400, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], "/plan");
    }
    for odd in [json!({}), json!({"action": "cancel"}), json!({"plan": text, "filter": ""})] {
        let _ = post(app, "/v1/jobs/bulk", odd).await.problem(400, "invalid-request");
    }
    let fault = post(app, "/v1/jobs/bulk", json!({"action": "cancel", "filter": "x:y"})).await;
    assert_eq!(fault.problem(400, "invalid-request")["errors"][0]["pointer"], "/filter");

    let begun = post(app, "/v1/jobs/bulk", json!({"plan": text})).await;
    let place = begun.header("location").to_owned();
    let get = async |token: &str, path: &str| {
        let bearer = format!("Authorization: Bearer {token}");
        api.send(Method::GET, path, &[&bearer], None).await
    };
    let bulk = until("it has ended", async || {
        let bulk = get(own, &place).await.json();
        (bulk["state"] == "done").then_some(bulk)
    })
    .await;
    assert_eq!((&bulk["granted"], &bulk["tenant"]), (&json!(1), &json!("acme")));
    let jobs = get(ADMIN, "/v1/jobs").await.json();
    let of = |tenant: &str| {
        let mut jobs = jobs["jobs"].as_array().unwrap().iter();
        jobs.find(|job| job["tenant"] == tenant).unwrap()["state"].clone()
    };
    assert_eq!((of("acme"), of("other")), (json!("cancelled"), json!("ready")));
    // What was wished of all tenants' jobs is no tenant's to see.
    let all = post(ADMIN, "/v1/jobs/bulk", json!({"plan": plan})).await;
    let place = all.header("location").to_owned();
    let _ = get(own, &place).await.problem(404, "unknown-bulk");
    let _ = post(own, &format!("{place}/stop"), json!({})).await.problem(404, "unknown-bulk");
}
