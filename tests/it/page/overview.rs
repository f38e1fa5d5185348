//! The first page: it says how the queue is, in words, and goes on saying so without being loaded anew.

use std::time::Duration;

use queue::{Outcome, ParkReason, Report};
use stillcast_enqueue::{ErrorReport, StageName};

use crate::desk::{Desk, death};

#[tokio::test]
async fn it_follows_the_queue_without_being_loaded_anew() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    desk.open("/").await;
    assert_eq!(browser.text("#headline").await, "All is quiet.");
    let _ = browser.run("window.isTheSame = true").await;
    let id = desk.enqueue().await;
    browser.until_says("#headline", "1 job is waiting.").await;
    browser.until_says("#alerts", "Jobs wait, and no worker has signed on. 1 job waits.").await;
    let held = desk.claim().await;
    assert_eq!(held.id, id);
    browser.until_says("#headline", "1 job is being made.").await;
    held.report(&desk.delivery(&id, b"sound")).await;
    browser.until_says("#headline", "All is quiet.").await;
    browser.until_says("main", "$0.03").await;
    let refused = Outcome::Park {
        reason: ParkReason::Provider,
        wake: Duration::from_mins(10),
        error: Some(ErrorReport {
            stage: Some(StageName::Tts),
            ..ErrorReport::new("key-refused", "the key was refused")
        }),
    };
    let _ = desk.enqueue().await;
    let _ = desk.end_next(Report::from(refused)).await;
    browser.until_says("#alerts", "The provider of the tts stage refuses us (key-refused).").await;
    let _ = desk.enqueue().await;
    let _ = desk.end_next(death(StageName::Tts, "openai", "voice-unknown")).await;
    browser.until_says("#alerts", "1 job has died.").await;
    browser.until_says(".menu", "1").await;
    assert_eq!(browser.run("return window.isTheSame").await, true, "the page was loaded anew");
    desk.assert_quiet().await;
}

#[tokio::test]
async fn whoever_comes_back_to_it_has_missed_nothing() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    desk.open("/").await;
    let hide = "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});\
                document.dispatchEvent(new Event('visibilitychange'))";
    let _ = browser.run_with(hide, &serde_json::json!([true])).await;
    let _ = desk.enqueue().await;
    // Whatever a hidden page hears it does not draw: its stream is closed.
    assert_eq!(browser.run("return live.source").await, serde_json::Value::Null);
    let _ = browser.run_with(hide, &serde_json::json!([false])).await;
    browser.until_says("#headline", "1 job is waiting.").await;
    desk.assert_quiet().await;
}

#[tokio::test]
async fn the_light_turns_red_when_a_promise_is_broken() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    let id = desk.enqueue().await;
    desk.open("/").await;
    browser.until_says("#proof", "sound").await;
    // A job that is in no index is lost.
    let key = "{q:stillcast}:ready";
    desk.server.say(&["ZREM", key, &id]).await.unwrap();
    browser.until_says("#proof", "broken").await;
    browser.until_says("#alerts", "The queue breaks").await;
    desk.assert_quiet().await;
}

#[tokio::test]
async fn it_says_everything_without_scripts() {
    let desk = Desk::start().await;
    let _ = desk.enqueue().await;
    desk.browser.let_scripts_run(false).await;
    desk.browser.open(&format!("{}/", desk.url)).await;
    desk.browser.let_scripts_run(true).await;
    assert_eq!(desk.browser.text("#headline").await, "1 job is waiting.");
    assert_eq!(desk.browser.count("button:not([hidden])").await, 1, "only the theme's");
    desk.assert_quiet().await;
}
