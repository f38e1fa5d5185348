//! The pages of the whole queue: dead letters by cause, the stages, and the switch that stops it all.

use redis::AsyncCommands;
use stillcast_enqueue::StageName;
use tests::many::dead_jobs;
use tests::wait::until;

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
async fn more_dead_letters_than_a_listing_holds_are_replayed_by_a_bulk_action() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    // A hundred of one cause, then a hundred of the next.
    let ids = dead_jobs(&desk.server, 620).await.unwrap();
    // What somebody has removed the request of cannot be replayed: that is told.
    let mut redis = desk.server.connection().await.unwrap();
    let _: u64 = redis.del(format!("{{q:stillcast}}:body:{}", ids[0])).await.unwrap();
    // Whoever reports them announces that; here nobody has.
    let mut news = redis::pipe();
    for id in &ids {
        news.publish("{q:stillcast}:events", format!("{id}:dead")).ignore();
    }
    let () = news.query_async(&mut redis).await.unwrap();
    let headline = async || {
        browser.open(&format!("{}/dead", desk.url)).await;
        Some(browser.text("#headline").await).filter(|says| says == "620 jobs are dead.")
    };
    until("the server knows them all", headline).await;
    let first = browser.text(".cause").await;
    assert!(first.contains("fault-0") && first.contains("100 jobs"), "{first}");
    assert_eq!(browser.count(".cause").await, 7);
    browser.click(".cause .button").await;
    browser.until_says("#headline", "Replay 100 jobs?").await;
    browser.click("#begin").await;
    browser.until_says("#headline", "99 jobs replayed").await;
    browser.until_says("main", "body-gone").await;
    desk.open("/dead").await;
    browser.until_says("#headline", "521 jobs are dead.").await;
}

#[tokio::test]
async fn stages_show_their_times_and_what_fails_in_them() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    desk.open("/stages").await;
    assert!(browser.text("main").await.contains("No dead job is on record."));
    // Four runs of some nine seconds and of two tries each, a wait, and two failed calls.
    let counts = [
        ("run:tts:38", "4"),
        ("wait:tts:0", "4"),
        ("tries:tts", "8"),
        ("miss:tts", "4"),
        ("error:tts:openai:rate-limited", "2"),
        ("hit:image", "4"),
    ];
    desk.tally(&counts).await;
    let _ = desk.enqueue().await;
    let _ = desk.end_next(death(StageName::Upload, "fs", "store-refused")).await;
    browser.until_says("section[aria-labelledby=died-title]", "store-refused upload · fs").await;
    desk.open("/stages?hours=24").await;
    assert_eq!(browser.text("[aria-current=true]").await, "24 h");
    let tts = browser.text("section[aria-labelledby=tts-title]").await;
    let tts: Vec<&str> = tts.split_whitespace().collect();
    let told =
        ["4 runs, 0 % had again, 2.00 tries each, 2 calls failed", "works 9.3 s 9.3 s 9.3 s"];
    for says in told {
        assert!(tts.join(" ").contains(says), "{says}: {tts:?}");
    }
    assert_eq!(browser.count("section[aria-labelledby=tts-title] svg").await, 2);
    assert_eq!(browser.count("section[aria-labelledby=tts-title] path").await, 6);
    let image = browser.text("section[aria-labelledby=image-title]").await;
    assert!(image.contains("0 runs, 100 % had again"), "{image}");
    let failed = browser.text("section[aria-labelledby=failed-title]").await;
    assert!(failed.contains("rate-limited tts · openai"), "{failed}");
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
