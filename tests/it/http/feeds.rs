//! A tenant's podcast, as two foreign readers, a grammar and a podcast app see it.

use child::Spec;
use queue::Outcome;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::foreign::{printed, python, root, told};

use crate::support::{ADMIN, Answer, Api, request};

const ACME: &str = "acme-0123456789abcdef";
const OTHER: &str = "other-0123456789abcde";
/// What a title may hold: markup, an entity, a control character, and what is beyond ASCII.
const TITLE: &str = "Rain & <b>\u{1b}sea</b> – “静か” ]]>";

async fn open() -> Api {
    let tokens =
        format!("root:{ADMIN}:*:admin acme:{ACME}:acme:enqueue other:{OTHER}:other:enqueue");
    Api::start_with(&[("API_TOKENS", &tokens), ("API_REQUESTS_PER_MINUTE", "0")]).await
}

async fn get(api: &Api, path: &str, authorization: &str) -> Answer {
    api.send(Method::GET, path, &[&format!("Authorization: {authorization}")], None).await
}

/// A finished job of the tenant.
async fn deliver(api: &Api, tenant: &str, metadata: &Value) -> String {
    let body = json!({"metadata": metadata, "tenant": tenant, "source": request()["source"],
        "format": "audio"});
    let bearer = format!("Authorization: Bearer {ADMIN}");
    let accepted = api.send(Method::POST, "/v1/jobs", &[&bearer], Some(body.to_string())).await;
    let id = accepted.json()["id"].as_str().unwrap().to_owned();
    let (_, outcome) = api.deliver_with_captions(&id, b"some sound", "WEBVTT\n");
    let Outcome::Done { mut artifact } = outcome else { panic!("it is done") };
    artifact.duration_s = 203.4;
    api.report_next(&id, Outcome::Done { artifact }).await;
    id
}

/// What the readers of `read_feed.py` make of a feed: nothing but what both say.
async fn read(api: &Api, feed: &str) -> Value {
    let file = api.server.folder().join("feed.xml");
    std::fs::write(&file, feed).unwrap();
    let program = Spec::new(python()).arg(root().join("tests/it/http/read_feed.py"));
    told(program.arg(root().join("tests/it/http/rss.rng")).arg(file)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_readers_find_every_episode_and_no_fault() {
    let api = open().await;
    let first = deliver(&api, "acme", &json!({})).await;
    let second = deliver(&api, "acme", &json!({"title": TITLE, "description": "A & B"})).await;
    deliver(&api, "other", &json!({"title": "of somebody else"})).await;
    let feed = get(&api, "/v1/feeds/acme.xml", &format!("Bearer {ACME}")).await;
    assert_eq!(feed.status, StatusCode::OK, "{feed:?}");
    assert_eq!(feed.header("content-type"), "application/rss+xml; charset=utf-8");
    let seen = read(&api, &feed.text).await;
    assert_eq!(seen["faults"], json!([]), "{}", feed.text);
    assert_eq!(seen["itself"], api.url("/v1/feeds/acme.xml"));
    let episodes = seen["episodes"].as_array().unwrap();
    let told = |key: &str| episodes.iter().map(|one| one[key].clone()).collect::<Vec<_>>();
    assert_eq!(told("guid"), [json!(second), json!(first)], "from the newest");
    assert_eq!(told("title"), [json!(TITLE.replace('\u{1b}', "")), json!("Guided meditation")]);
    for (id, one) in [&second, &first].into_iter().zip(episodes) {
        let file = json!([api.url(&format!("/v1/jobs/{id}/artifact")), 10, "audio/mp4"]);
        assert_eq!((&one["enclosure"], &one["seconds"]), (&file, &json!(203)), "{one}");
        assert_eq!(one["transcript"], api.url(&format!("/v1/jobs/{id}/extras/captions.vtt")));
        let record = get(&api, &format!("/v1/jobs/{id}"), &format!("Bearer {ACME}")).await.json();
        let finished = record["finished_at"].as_str().unwrap();
        assert_eq!(one["published"], json!(finished.split(['.', 'Z']).next().unwrap()));
    }
    let again = get(&api, "/v1/feeds/acme.xml", &format!("Bearer {ACME}")).await;
    assert_eq!(again.text, feed.text, "links are stable");

    // The command writes the same.
    let base = api.url("");
    let ran = api.program.run(&["feed", "--tenant", "acme", "--url", &base]).await.unwrap();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.stdout.trim_end(), feed.text.trim_end());
    let ran = api.program.run(&["feed", "--url", "acme.xml"]).await.unwrap();
    assert_eq!((ran.code, ran.stderr.contains("--url takes an address")), (2, true), "{ran:?}");
}

/// What Ruby's reader of RSS says of a feed, which demands what its grammar and podcast apps demand.
async fn judged(api: &Api, feed: &str) -> String {
    let file = api.server.folder().join("judged.xml");
    std::fs::write(&file, feed).unwrap();
    let program = Spec::new("ruby").arg(root().join("tests/it/http/judge_feed.rb")).arg(file);
    printed(program).await.unwrap().trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_judge_finds_no_fault_and_one_in_each_broken_copy() {
    let api = open().await;
    deliver(&api, "acme", &json!({})).await;
    deliver(&api, "acme", &json!({"title": TITLE, "description": "A & B"})).await;
    let feed = get(&api, "/v1/feeds/acme.xml", &format!("Bearer {ACME}")).await.text;
    assert_eq!(judged(&api, &feed).await, "episodes: 2", "{feed}");
    let empty = get(&api, "/v1/feeds/nobody.xml", &format!("Bearer {ADMIN}")).await.text;
    assert_eq!(judged(&api, &empty).await, "episodes: 0", "{empty}");
    for (sound, broken, fault) in [
        ("<itunes:duration>", "<itunes:duration>about ", "is not available"),
        ("<enclosure url=", "<enclosure src=", "attribute <url> is missing"),
        ("</channel>", "<title>twice</title></channel>", "too"),
        ("version=\"2.0\"", "", "version"),
    ] {
        let copy = feed.replacen(sound, broken, 1);
        assert_ne!(copy, feed, "it has no {sound}");
        let said = judged(&api, &copy).await;
        assert!(said.starts_with("fault: ") && said.contains(fault), "{broken}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_podcast_app_reads_and_hears_what_its_token_may() {
    use base64::Engine as _;
    let api = open().await;
    let id = deliver(&api, "acme", &json!({})).await;
    let basic = |name: &str, token: &str| {
        let text = format!("{name}:{token}");
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    };
    let paths = ["/v1/feeds/acme.xml".to_owned(), format!("/v1/jobs/{id}/artifact")];
    for path in &paths {
        assert_eq!(get(&api, path, &basic("acme", ACME)).await.status, StatusCode::OK, "{path}");
        let refused = get(&api, path, &basic("acme", OTHER)).await;
        let _ = refused.problem(401, "unauthorized");
        assert!(refused.header("www-authenticate").contains("Basic realm="), "{refused:?}");
        let _ = get(&api, path, &basic("root", ACME)).await.problem(401, "unauthorized");
        let _ = get(&api, path, "Basic !").await.problem(401, "unauthorized");
    }
    let feed = get(&api, &paths[0], &basic("other", OTHER)).await;
    let _ = feed.problem(403, "tenant-refused");
    let artifact = get(&api, &paths[1], &basic("other", OTHER)).await;
    let _ = artifact.problem(404, "unknown-job");
    // A browser sends what it knows of by itself: nothing that changes something is done so.
    let bearer = format!("Authorization: {}", basic("acme", ACME));
    let posted = api.send(Method::POST, "/v1/jobs", &[&bearer], Some(request().to_string())).await;
    assert_eq!(posted.problem(401, "unauthorized")["status"], 401);
    assert_eq!(posted.header("www-authenticate"), "Bearer");
    let _ = get(&api, "/v1/jobs", &basic("acme", ACME)).await.problem(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_as_long_as_was_asked_for() {
    let api = open().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(deliver(&api, "acme", &json!({})).await);
    }
    let feed = get(&api, "/v1/feeds/acme.xml?limit=2", &format!("Bearer {ACME}")).await.text;
    let there: Vec<bool> = ids.iter().map(|id| feed.contains(&**id)).collect();
    assert_eq!(there, [false, true, true], "the newest");
    for limit in ["0", "501"] {
        let path = format!("/v1/feeds/acme.xml?limit={limit}");
        let _ = get(&api, &path, &format!("Bearer {ACME}")).await.problem(400, "invalid-request");
    }
    for path in ["/v1/feeds/acme", "/v1/feeds/.xml", "/v1/feeds/a%20b.xml"] {
        let _ = get(&api, path, &format!("Bearer {ADMIN}")).await.problem(404, "unknown-path");
    }
    let empty = get(&api, "/v1/feeds/nobody.xml", &format!("Bearer {ADMIN}")).await;
    assert_eq!(
        read(&api, &empty.text).await,
        json!({"faults": [], "episodes": [],
        "itself": api.url("/v1/feeds/nobody.xml")})
    );
}
