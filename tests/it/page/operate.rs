//! The pages of the whole queue: dead letters by cause, the stages, and the switch that stops it all.

use stillcast_enqueue::StageName;

use crate::desk::{Desk, death};

#[tokio::test]
async fn dead_letters_are_replayed_by_their_cause() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    for code in ["voice-unknown", "voice-unknown", "store-refused"] {
        let _ = desk.enqueue().await;
        let _ = desk.end_next(death(StageName::Tts, "openai", code)).await;
    }
    desk.open("/dead").await;
    assert_eq!(browser.text("#headline").await, "3 jobs are dead.");
    assert_eq!(browser.count(".cause").await, 2);
    let first = browser.text(".cause").await;
    assert!(first.contains("voice-unknown") && first.contains("2 jobs"), "{first}");
    browser.click(".cause form button").await;
    browser.until_says("#headline", "1 job is dead.").await;
    assert!(browser.text(".cause").await.contains("store-refused"));
    desk.open("/jobs?q=state:ready").await;
    browser.until_says("#found", "2 jobs in all.").await;
}

#[tokio::test]
async fn stages_show_their_times_and_what_fails_in_them() {
    let desk = Desk::start().await;
    desk.open("/stages").await;
    assert!(desk.browser.text("main").await.contains("No dead job is on record."));
    for _ in 0..4 {
        let id = desk.enqueue().await;
        let _ = desk.end_next(desk.delivery(&id, b"sound")).await;
    }
    let _ = desk.enqueue().await;
    let _ = desk.end_next(death(StageName::Tts, "openai", "voice-unknown")).await;
    desk.browser.until_says("main", "voice-unknown").await;
    desk.browser.until_says("main", "Of the latest 4 jobs").await;
    let tts = desk.browser.text("section[aria-labelledby=tts-title]").await;
    assert!(
        tts.contains("4 runs") && tts.contains("2.00 tries each") && tts.contains("9.1 s"),
        "{tts}"
    );
    let image = desk.browser.text("section[aria-labelledby=image-title]").await;
    assert!(image.contains("100 % from cache"), "{image}");
    desk.assert_quiet().await;
}

#[tokio::test]
async fn the_queue_is_paused_and_resumed_without_scripts() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    browser.let_scripts_run(false).await;
    let press = async |button: &str, says: &str| {
        browser.click(button).await;
        browser.let_scripts_run(true).await;
        browser.until_says("#headline", says).await;
        browser.let_scripts_run(false).await;
    };
    browser.open(&format!("{}/queue", desk.url)).await;
    press("#pause", "The queue is paused.").await;
    press("#resume", "The queue goes on.").await;
    press("#probe", "The queue goes on.").await;
    desk.assert_quiet().await;
}

#[tokio::test]
async fn the_colours_are_those_that_somebody_chose() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    desk.open("/queue").await;
    let paper =
        async || browser.text_of("return getComputedStyle(document.body).backgroundColor").await;
    let light = paper().await;
    browser.click("#theme").await;
    browser.until_says("#theme", "dark").await;
    assert_ne!(paper().await, light);
    assert_eq!(browser.path().await, "/queue");
    browser.prefer("dark").await;
    browser.click("#theme").await;
    browser.until_says("#theme", "light").await;
    assert_eq!(paper().await, light);
    desk.assert_quiet().await;
}

#[tokio::test]
async fn the_audit_says_who_did_what_from_where_and_why() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    desk.open("/audit").await;
    assert!(browser.text("main").await.contains("Nobody has changed anything yet."));
    let id = desk.enqueue().await;
    desk.open(&format!("/jobs/{id}")).await;
    browser.click("#cancel").await;
    browser.click("#cancel-surely").await;
    browser.until_says("#headline", "was cancelled").await;
    desk.open("/queue").await;
    browser.write("#why", "the voice changes").await;
    browser.click("#pause").await;
    browser.until_says("#headline", "paused").await;
    desk.open("/audit").await;
    let said = browser.text("main").await;
    for words in [
        "loopback paused the queue “the voice changes”",
        "loopback cancelled a job",
        "page, paused",
        &id,
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}
