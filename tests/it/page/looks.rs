//! How every page looks: nothing that keeps anybody out, nothing that weighs, in light and in dark, on
//! a phone and on a screen. Pictures of all of them lie in `target/tmp/pages`.

use std::path::Path;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use queue::{Outcome, ParkReason};
use serde_json::{Value, json};
use stillcast_enqueue::{ErrorReport, Job, StageName};
use tests::wait::until;

use crate::desk::{Desk, audio, death, sound};

/// Bytes that a page may weigh, all in all.
const PAGE: u64 = 150_000;
/// Bytes that our own scripts may have, as they are written.
const SCRIPT: usize = 15_000;

#[tokio::test]
async fn no_light_page_keeps_anybody_out_or_weighs() {
    no_page_keeps_anybody_out_or_weighs("light").await;
}

#[tokio::test]
async fn no_dark_page_keeps_anybody_out_or_weighs() {
    no_page_keeps_anybody_out_or_weighs("dark").await;
}

async fn no_page_keeps_anybody_out_or_weighs(theme: &str) {
    let desk = Desk::start().await;
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&pictures).unwrap();
    desk.browser.prefer(theme).await;
    for (name, path) in pages_of_a_busy_queue(&desk).await {
        for width in [1280, 390] {
            let told = format!("{name} {theme} {width}");
            desk.browser.become_wide(width).await;
            desk.open(&path).await;
            let open =
                "document.querySelectorAll('main details').forEach((one) => { one.open = true })";
            let _ = desk.browser.run(open).await;
            desk.browser.picture(&pictures.join(format!("{name}-{theme}-{width}.png"))).await;
            let wide = desk.browser.run("return document.documentElement.scrollWidth").await;
            assert!(wide.as_u64() <= Some(width.into()), "{told} is {wide} wide");
            let barriers = desk.browser.find_barriers().await;
            assert!(barriers.is_empty(), "{told}: {barriers:#?}");
            let weight = weight(&desk).await;
            assert!((2_000..PAGE).contains(&weight), "{told} weighs {weight} bytes");
        }
    }
    desk.assert_quiet().await;
}

/// Every page, with something of everything on it.
async fn pages_of_a_busy_queue(desk: &Desk) -> Vec<(&'static str, String)> {
    let mut done = String::new();
    for _ in 0..8 {
        let id = desk.enqueue().await;
        done = desk.end_next(desk.delivery(&id, &sound().await)).await;
    }
    let mut dead = String::new();
    for (stage, code) in [(StageName::Tts, "voice-unknown"), (StageName::Upload, "store-refused")] {
        for _ in 0..3 {
            let _ = desk.enqueue().await;
            dead = desk.end_next(death(stage, "openai", code)).await;
        }
    }
    let refused = ErrorReport {
        stage: Some(StageName::Tts),
        ..ErrorReport::new("key-refused", "the key was refused")
    };
    let (reason, wake) = (ParkReason::Provider, Duration::from_mins(10));
    let _ = desk.enqueue().await;
    let parked = desk.end_next(Outcome::Park { reason, wake, error: Some(refused) }.into()).await;
    let _ = desk.enqueue().await;
    let running = desk.claim().await;
    let metadata = [("episode".to_owned(), "9".to_owned())].into();
    let ready = desk.enqueue_job(&Job { metadata, ..audio() }).await;
    let _ =
        desk.enqueue_job(&Job { run_at: Some(Utc::now() + TimeDelta::hours(2)), ..audio() }).await;
    desk.tally(&COUNTS).await;
    let bulk = bulk(desk).await;
    let job = |id: &str| format!("/jobs/{id}");
    vec![
        ("overview", "/".to_owned()),
        ("jobs", "/jobs".to_owned()),
        ("filter", "/jobs?q=stat:dead".to_owned()),
        ("none", "/jobs?q=state:expired".to_owned()),
        ("found", "/jobs?q=state:dead".to_owned()),
        ("plan", "/bulk?action=replay&q=state:dead".to_owned()),
        ("bulk", format!("/bulk/{bulk}")),
        ("done", job(&done)),
        ("dead-job", job(&dead)),
        ("parked", job(&parked)),
        ("running", job(&running.id)),
        ("ready", job(&ready)),
        ("dead", "/dead".to_owned()),
        ("stages", "/stages".to_owned()),
        ("queue", "/queue".to_owned()),
        ("audit", "/audit".to_owned()),
    ]
}

/// What workers have counted, so that something is drawn.
const COUNTS: [(&str, &str); 16] = [
    ("run:collection:3", "8"),
    ("run:transcript:35", "6"),
    ("run:transcript:41", "2"),
    ("wait:transcript:12", "8"),
    ("tries:transcript", "9"),
    ("miss:transcript", "8"),
    ("run:tts:38", "8"),
    ("tries:tts", "12"),
    ("miss:tts", "8"),
    ("error:tts:openai:rate-limited", "4"),
    ("hit:image", "8"),
    ("run:encode/audio:30", "8"),
    ("run:upload:20", "8"),
    ("job:done", "8"),
    ("job:dead", "6"),
    ("spent", "249600"),
];

/// A bulk action that has ended; its identifier.
async fn bulk(desk: &Desk) -> String {
    let client = reqwest::Client::new();
    let send = async |body: Value| -> Value {
        let url = format!("{}/v1/jobs/bulk", desk.url);
        client.post(url).json(&body).send().await.unwrap().json().await.unwrap()
    };
    let plan = until("the server knows the job", async || {
        let plan = send(json!({"action": "cancel", "filter": "state:delayed"})).await;
        (plan["jobs"] == 1).then(|| plan["plan"].clone())
    });
    let begun = send(json!({"plan": plan.await})).await;
    begun["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_empty_queue_and_a_login_are_for_everybody_too() {
    let tokens = "anna:anna-0123456789abcdef:*:admin";
    let desk = Desk::start_with(&[("API_TOKENS", tokens)]).await;
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&pictures).unwrap();
    for theme in ["light", "dark"] {
        desk.browser.prefer(theme).await;
        desk.open("/login").await;
        desk.browser.picture(&pictures.join(format!("login-{theme}.png"))).await;
        assert_eq!(desk.browser.find_barriers().await, Vec::<String>::new());
    }
    desk.browser.write("#token", "anna-0123456789abcdef").await;
    desk.browser.click("main button").await;
    desk.browser.until_says("#headline", "quiet").await;
    for (name, path) in
        [("first", "/"), ("no-jobs", "/jobs"), ("no-dead", "/dead"), ("no-stages", "/stages")]
    {
        desk.open(path).await;
        desk.browser.picture(&pictures.join(format!("{name}-dark.png"))).await;
        assert_eq!(desk.browser.find_barriers().await, Vec::<String>::new(), "{path}");
    }
}

/// What was sent for the page that is open: itself, and all that it asked for.
async fn weight(desk: &Desk) -> u64 {
    let script = "return [...performance.getEntriesByType('navigation'),\
        ...performance.getEntriesByType('resource')].reduce((sum, one) => sum + one.decodedBodySize, 0)";
    desk.browser.run(script).await.as_u64().unwrap()
}

#[tokio::test]
async fn everything_is_its_own_and_its_script_is_small() {
    let desk = Desk::start().await;
    desk.open("/").await;
    let sources = "return performance.getEntriesByType('resource').map((one) => one.name)";
    let sources = desk.browser.run(sources).await;
    let sources: Vec<&str> = sources.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(sources.iter().all(|source| source.starts_with(&desk.url)), "{sources:?}");
    let mut bytes = 0;
    for source in sources.iter().filter(|source| source.rsplit('.').next() == Some("js")) {
        let answer = reqwest::get(*source).await.unwrap();
        assert!(answer.headers()["cache-control"].to_str().unwrap().contains("immutable"));
        bytes += answer.bytes().await.unwrap().len();
    }
    assert!((1..=SCRIPT).contains(&bytes), "{bytes} bytes of scripts");
    let answer = reqwest::get(&desk.url).await.unwrap();
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
}
