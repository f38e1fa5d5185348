//! A filter finds the jobs that it means, whatever happens to them, to Redis, or to what is heard.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};
use stillcast_enqueue::keys::Keys;

use tests::wait::until;

use crate::support::{ADMIN, Answer, Api, dead, request};

/// The address of a search.
fn path(filter: &str) -> String {
    let url = Url::parse_with_params("http://api/v1/jobs", [("filter", filter)]).unwrap();
    format!("/v1/jobs?{}", url.query().unwrap())
}

fn ids(answer: &Answer) -> BTreeSet<String> {
    let answer = answer.json();
    let jobs = answer["jobs"].as_array().into_iter().flatten();
    jobs.map(|job| job["id"].as_str().unwrap().to_owned()).collect()
}

/// Until a filter finds exactly these jobs.
async fn finds(api: &Api, filter: &str, wanted: &[&str]) {
    let wanted: BTreeSet<String> = wanted.iter().map(|id| (*id).to_owned()).collect();
    let what = format!("`{filter}` finds {wanted:?}");
    until(&what, async || {
        let found = api.get(&path(filter)).await;
        let is_ready = found.status == StatusCode::OK;
        let matches = is_ready.then(|| found.json()["search"]["matches"].as_u64().unwrap());
        (ids(&found) == wanted && matches == Some(wanted.len() as u64)).then_some(())
    })
    .await;
}

async fn enqueue(api: &Api, more: &Value) -> String {
    let mut body = request();
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = api.post("/v1/jobs", &body).await;
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_filter_finds_what_it_means_and_follows_each_change() {
    let api = Api::start().await;
    let first = enqueue(&api, &json!({"priority": 9, "metadata": {"show": "evening walk"}})).await;
    let other = enqueue(&api, &json!({"tenant": "acme", "format": "video"})).await;
    finds(&api, "", &[&first, &other]).await;
    finds(&api, "meta.show=\"evening walk\"", &[&first]).await;
    finds(&api, "priority<9 format:video -tenant:default", &[&other]).await;
    finds(&api, &format!("id:{first},nobody state:ready age<1h"), &[&first]).await;
    finds(&api, "age>1h", &[]).await;

    api.report_next(&first, dead()).await;
    finds(&api, "state:dead code:voice-*", &[&first]).await;
    finds(&api, "state:ready", &[&other]).await;
    let found = api.get(&path("state:dead")).await.json();
    assert_eq!(
        (&found["search"]["searched"], &found["search"]["left_out"]),
        (&json!(2), &json!(0))
    );
    assert!(found["search"]["as_of"].is_string(), "{found}");

    let _ = api.post(&format!("/v1/jobs/{other}/cancel"), &json!({})).await;
    let _ = api.send(Method::DELETE, &format!("/v1/jobs/{other}"), &[], None).await;
    finds(&api, "", &[&first]).await;
}

#[tokio::test]
async fn a_tenant_s_token_finds_its_own_jobs_whatever_it_asks_for() {
    let own = "own-0123456789abcdef";
    let tokens = format!("all:{ADMIN}:*:admin own:{own}:acme:admin");
    let api = Api::start_with(&[("API_TOKENS", &tokens), ("API_REQUESTS_PER_MINUTE", "0")]).await;
    let all = format!("Authorization: Bearer {ADMIN}");
    for tenant in ["acme", "other", "other"] {
        let mut body = request();
        body["tenant"] = json!(tenant);
        let _ = api.send(Method::POST, "/v1/jobs", &[&all], Some(body.to_string())).await;
    }
    let search = async |bearer: &str, filter: &str| {
        let bearer = format!("Authorization: Bearer {bearer}");
        api.send(Method::GET, &path(filter), &[&bearer], None).await
    };
    until("the server knows all three", async || {
        let found = search(ADMIN, "").await;
        (ids(&found).len() == 3).then_some(())
    })
    .await;
    for filter in ["", "tenant:other,acme", "-tenant:nobody"] {
        let found = search(own, filter).await.json();
        assert_eq!(found["search"]["matches"], 1, "{filter}: {found}");
        assert_eq!(found["jobs"][0]["tenant"], "acme", "{filter}");
    }
    assert_eq!(search(own, "tenant:other").await.json()["search"]["matches"], 0);
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_refused_by_its_place() {
    let api = Api::start().await;
    for (filter, says) in [
        ("stat:dead", "at character 1"),
        ("state:dead age>5", "at character 16"),
        ("state:gone", "one of delayed, ready"),
        ("meta.show=\"secret walk", "the quote that ends the text"),
    ] {
        let problem = api.get(&path(filter)).await.problem(400, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], "?filter");
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{filter}: {detail}");
    }
}

#[tokio::test]
async fn pages_of_a_search_hold_each_job_once_while_others_come() {
    let api = Api::start().await;
    let mut wanted = Vec::new();
    for _ in 0..7 {
        wanted.push(api.enqueue().await);
    }
    let known: Vec<&str> = wanted.iter().map(String::as_str).collect();
    finds(&api, "state:ready", &known).await;
    let (mut seen, mut next) = (Vec::new(), format!("{}&limit=2", path("state:ready")));
    loop {
        let page = api.get(&next).await;
        let list = page.json();
        seen.extend(list["jobs"].as_array().unwrap().iter().map(|job| job["id"].clone()));
        let link = page.header("link").to_owned();
        let Some((link, _)) = link.split_once('>') else { break };
        link.trim_start_matches('<').clone_into(&mut next);
        let _ = api.enqueue().await;
    }
    wanted.reverse();
    assert_eq!(json!(seen), json!(wanted), "the newest first, and none that came later");
    // A place in one search is none in another.
    let page = api.get(&format!("{}&limit=2", path("state:ready"))).await.json();
    let cursor = page["next"].as_str().unwrap();
    let foreign = format!("{}&cursor={cursor}", path("state:dead"));
    let problem = api.get(&foreign).await.problem(400, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "?cursor");
}

/// What nobody has announced, and what was announced while nobody heard it.
#[tokio::test]
async fn what_was_not_heard_is_found_all_the_same() {
    let mut api = Api::start().await;
    let (gone, stays) = (api.enqueue().await, api.enqueue().await);
    finds(&api, "", &[&gone, &stays]).await;
    let keys = Keys::new("stillcast").unwrap();
    api.server.say(&["DEL", &keys.job(&gone)]).await.unwrap();
    api.server.say(&["ZREM", &keys.named("ready"), &gone]).await.unwrap();
    api.server.say(&["HSET", &keys.job(&stays), "priority", "1"]).await.unwrap();
    // Whoever has heard nothing for a while compares everything.
    api.server.say(&["CLIENT", "KILL", "TYPE", "pubsub"]).await.unwrap();
    finds(&api, "priority:1", &[&stays]).await;
    finds(&api, "", &[&stays]).await;

    api.server.kill().await.unwrap();
    let away = api.get(&path("")).await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE, "{away:?}");
    api.server.resume().await.unwrap();
    api.server.say(&["HSET", &keys.job(&stays), "priority", "2"]).await.unwrap();
    finds(&api, "priority:2", &[&stays]).await;
}
