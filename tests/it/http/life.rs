//! One job from its request to its removal, and the queue as a whole, over HTTP.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Api, dead, request};

#[tokio::test]
async fn a_job_is_enqueued_shown_listed_cancelled_and_purged() {
    let api = Api::start().await;
    let body = json!({"source": {"text": "A walk."}, "format": "video", "priority": 7,
                      "metadata": {"episode": "9"}});
    let accepted = api.post("/v1/jobs", &body).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    let id = accepted.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(accepted.json(), json!({"id": id, "state": "ready", "duplicate": false}));
    let path = accepted.header("location").to_owned();
    assert_eq!(path, format!("/v1/jobs/{id}"));

    let shown = api.get(&path).await;
    let record = shown.json();
    assert_eq!((&record["state"], &record["priority"]), (&json!("ready"), &json!(7)));
    assert_eq!((&record["metadata"]["episode"], &record["revision"]), (&json!("9"), &json!(0)));
    let tag = format!("If-None-Match: {}", shown.header("etag"));
    let known = api.send(Method::GET, &path, &[&tag], None).await;
    assert_eq!((known.status, known.text.as_str()), (StatusCode::NOT_MODIFIED, ""));

    let listed = api.get("/v1/jobs?state=ready").await.json();
    assert_eq!((&listed["jobs"][0]["id"], &listed["next"]), (&json!(id), &json!(null)));
    let _ = api.send(Method::DELETE, &path, &[], None).await.problem(409, "not-ended");
    for _ in 0..2 {
        let cancelled = api.post(&format!("{path}/cancel"), &json!({})).await;
        assert_eq!(cancelled.json(), json!({"id": id, "answer": "cancelled"}));
    }
    let changed = api.send(Method::GET, &path, &[&tag], None).await;
    assert_eq!(changed.json()["state"], "cancelled");
    assert!(changed.json()["revision"].as_u64() > Some(0));
    let purged = api.send(Method::DELETE, &path, &[], None).await;
    assert_eq!(purged.json(), json!({"id": id, "answer": "purged"}));
    let _ = api.get(&path).await.problem(404, "unknown-job");
}

#[tokio::test]
async fn dead_jobs_are_listed_and_replayed_each_with_its_answer() {
    let api = Api::start().await;
    let id = api.enqueue().await;
    let _ = api.post(&format!("/v1/jobs/{id}/replay"), &json!({})).await.problem(409, "not-dead");
    api.report_next(&id, dead()).await;
    let listed = api.get("/v1/dead").await.json();
    assert_eq!(listed["jobs"][0]["error"]["code"], "voice-unknown");
    let _ =
        api.post(&format!("/v1/jobs/{id}/cancel"), &json!({})).await.problem(409, "already-ended");
    let replayed = api.post("/v1/dead/replay", &json!({"ids": [id, "nobody"]})).await.json();
    assert_eq!(replayed["granted"], json!([id]));
    assert_eq!(replayed["refused"][0]["id"], "nobody");
    assert_eq!(replayed["refused"][0]["code"], "unknown-job");
    assert_eq!(api.get("/v1/dead").await.json()["jobs"], json!([]));
}

#[tokio::test]
async fn a_dead_job_is_replayed_from_a_stage_with_other_options() {
    let api = Api::start().await;
    let id = api.enqueue().await;
    api.report_next(&id, dead()).await;
    let path = format!("/v1/jobs/{id}/replay?why=a%20wrong%20voice");
    for (body, pointer, says) in [
        (json!({"from": "lunch"}), "/from", "one of `collection`"),
        (json!({"options": {"mood": "calm"}}), "/options/mood", "there are `voice`"),
        (json!({"options": {"voice": "a b"}}), "/options/voice", "takes"),
        (json!({"options": {"voice": ""}}), "/options/voice", "a name, or null"),
        (json!({"options": {"variant": "3"}}), "/options/variant", "a whole number"),
        (json!({"from": "image", "options": {"voice": "anna"}}), "/from", "`voice` is decided"),
    ] {
        let problem = api.post(&path, &body).await.problem(400, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem}");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    let body = json!({"options": {"voice": "anna", "language": null}});
    assert_eq!(api.post(&path, &body).await.json()["answer"], "ready");
    let line = api.get("/v1/audit?limit=1").await.json()["entries"][0].clone();
    let told = (&line["action"], &line["changes"], &line["why"]);
    let changes = json!("from transcript, language unset, voice=anna");
    assert_eq!(told, (&json!("replay"), &changes, &json!("a wrong voice")));
    let key = format!("{{q:stillcast}}:body:{id}");
    let request: String =
        redis::AsyncCommands::get(&mut api.server.connection().await.unwrap(), key).await.unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&request).unwrap()["options"],
        json!({"voice": "anna"})
    );
}

#[tokio::test]
async fn whoever_waits_is_answered_at_the_end_or_when_the_time_is_over() {
    let api = Api::start().await;
    let over = api.send(Method::POST, "/v1/jobs", &["Prefer: wait=1"], Some(request().to_string()));
    let over = over.await;
    assert_eq!((over.status, over.header("preference-applied")), (StatusCode::ACCEPTED, "wait=1"));
    assert_eq!(over.json()["job"]["state"], "ready");
    let id = over.json()["id"].as_str().unwrap().to_owned();

    let path = format!("/v1/jobs/{id}?wait=60");
    let (shown, ()) = tokio::join!(api.get(&path), api.report_next(&id, dead()));
    assert_eq!((shown.status, &shown.json()["state"]), (StatusCode::OK, &json!("dead")));

    // With an ETag, any change is worth an answer.
    let id = api.enqueue().await;
    let shown = api.get(&format!("/v1/jobs/{id}")).await;
    let tag = format!("If-None-Match: {}", shown.header("etag"));
    let path = format!("/v1/jobs/{id}?wait=60");
    let tags = [tag.as_str()];
    let (waiting, cancel) = (api.send(Method::GET, &path, &tags, None), async {
        api.post(&format!("/v1/jobs/{id}/cancel"), &json!({})).await
    });
    let (changed, _) = tokio::join!(waiting, cancel);
    assert_eq!(changed.json()["state"], "cancelled");
}

#[tokio::test]
async fn a_batch_answers_each_request_and_one_that_is_wrong_hides_no_other() {
    let api = Api::start().await;
    let mut keyed = request();
    keyed["idempotency_key"] = json!("evening9");
    let mut wrong = request();
    wrong["priority"] = json!(10);
    let body = json!({"jobs": [keyed, wrong, keyed, request()]});
    let results = api.post("/v1/jobs:batch", &body).await.json()["results"].clone();
    assert_eq!(results.as_array().unwrap().len(), 4);
    assert_eq!(results[0]["duplicate"], false);
    assert_eq!(results[1]["errors"][0]["pointer"], "/priority");
    assert_eq!((&results[2]["duplicate"], &results[2]["id"]), (&json!(true), &results[0]["id"]));
    assert_eq!(results[3]["state"], "ready");
    assert_eq!(api.get("/v1/queue").await.json()["depth"], 2);

    for (jobs, got) in [(vec![], 0), (vec![request(); 501], 501)] {
        let refused = api.post("/v1/jobs:batch", &json!({"jobs": jobs})).await;
        let problem = refused.problem(400, "invalid-request");
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.ends_with(&format!("got {got}")), "{detail}");
    }
}

#[tokio::test]
async fn the_queue_is_shown_paused_resumed_and_measured() {
    let api = Api::start().await;
    let _ = api.enqueue().await;
    assert_eq!(api.get("/v1/queue").await.json()["states"]["ready"], 1);
    let paused = api.post("/v1/queue/pause", &json!({})).await.json();
    assert_eq!(paused, json!({"paused": true, "changed": true}));
    assert_eq!(api.get("/v1/queue").await.json()["paused"], true);
    let page = api.get("/metrics").await;
    for line in [
        "stillcast_jobs{queue=\"stillcast\",state=\"ready\"} 1",
        "stillcast_waiting_jobs{queue=\"stillcast\",state=\"ready\",reason=\"paused\"} 1",
        "stillcast_paused{queue=\"stillcast\"} 1",
        "stillcast_enqueued_jobs_total{queue=\"stillcast\"} 1",
        "stillcast_desired_replicas{queue=\"stillcast\"} 1",
    ] {
        assert!(page.text.lines().any(|found| found == line), "`{line}` is not in\n{}", page.text);
    }
    assert!(page.text.ends_with("# EOF\n"));
    let resumed = api.post("/v1/queue/resume", &json!({})).await.json();
    assert_eq!(resumed, json!({"paused": false, "changed": true}));
    assert_eq!(api.get("/v1/workers").await.json(), json!({"workers": []}));
    assert_eq!(api.get("/healthz").await.text, "live\n");
    assert_eq!(api.get("/readyz").await.text, "ready\n");
}

/// Waiting jobs in the order of their turn, each of them on one page, however short the pages.
#[tokio::test]
async fn pages_hold_each_job_once_while_others_come_and_go() {
    let api = Api::start().await;
    let mut ids = Vec::new();
    for _ in 0..7 {
        ids.push(api.enqueue().await);
    }
    let (mut seen, mut path) = (Vec::new(), "/v1/jobs?limit=2".to_owned());
    loop {
        let page = api.get(&path).await;
        let list = page.json();
        seen.extend(list["jobs"].as_array().unwrap().iter().map(|job| job["id"].clone()));
        let Some(next) = list["next"].as_str() else { break };
        let link = page.header("link").to_owned();
        path = format!("/v1/jobs?cursor={next}&limit=2");
        assert_eq!(link, format!("<{path}>; rel=\"next\""));
        // A page's place stays good when its last job leaves.
        let last = seen.last().unwrap().as_str().unwrap().to_owned();
        let _ = api.post(&format!("/v1/jobs/{last}/cancel"), &json!({})).await;
    }
    let waiting: Vec<_> = seen[..7].iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(waiting, ids);
}
