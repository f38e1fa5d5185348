//! Jobs found by a filter, and one job with everything that can be done about it.

use std::time::Duration;

use queue::{Outcome, ParkReason, Report};
use stillcast_enqueue::{Job, StageName, WebhookUrl};
use tests::wait::until;

use crate::desk::{Desk, audio, death, sound};

#[tokio::test]
async fn a_filter_stands_in_the_address_and_pages_go_on_from_it() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    for _ in 0..53 {
        let _ = desk.enqueue().await;
    }
    let _ = desk.end_next(death(StageName::Tts, "openai", "voice-unknown")).await;
    // What is searched follows the queue at a moment's distance, and the page follows that.
    let rows = async |number: u64| {
        let what = format!("{number} rows");
        until(&what, async || (browser.count("[data-row]").await == number).then_some(())).await;
    };
    desk.open("/jobs").await;
    rows(50).await;
    browser.write("#q", "state:ready age<1h").await;
    browser.click(".search button").await;
    browser.until_says("#found", "52 jobs in all.").await;
    assert_eq!(browser.path().await, "/jobs?q=state%3Aready+age%3C1h");
    rows(50).await;
    browser.click("#next").await;
    rows(2).await;
    browser.click(".chips a[href='/jobs?q=state:dead']").await;
    browser.until_says(".jobs", "voice-unknown in tts").await;
    rows(1).await;
    desk.open("/jobs?q=stat:dead").await;
    browser.until_says("#fault", "The filter takes").await;
    desk.open("/jobs?q=state:expired").await;
    browser.until_says("main", "No job is meant by").await;
    desk.assert_quiet().await;
}

#[tokio::test]
async fn what_a_filter_means_is_done_to_all_of_them_once_somebody_agrees() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    let delivered = desk.enqueue().await;
    let _ = desk.end_next(desk.delivery(&delivered, b"sound")).await;
    for _ in 0..3 {
        let _ = desk.enqueue().await;
        let _ = desk.end_next(death(StageName::Tts, "openai", "voice-unknown")).await;
    }
    desk.open("/jobs?q=code:voice-*").await;
    browser.until_says("#found", "3 jobs in all.").await;
    browser.click(".found a[href*='action=replay']").await;
    browser.until_says("#headline", "Replay 3 jobs?").await;
    browser.until_says("#price", "It costs at most $0.1").await;
    browser.write("#why", "the voice is back").await;
    browser.click("#begin").await;
    browser.until_says("#headline", "3 jobs replayed").await;
    browser.until_says(".lead", "3 of 3 have been looked at.").await;
    desk.open("/audit").await;
    browser.until_says("main", "“the voice is back”").await;
    desk.open("/bulk?action=purge&q=state:ready").await;
    browser.until_says("main", "None of the jobs that were found can have it.").await;
    desk.assert_quiet().await;
}

#[tokio::test]
async fn a_pasted_identifier_leads_to_its_job() {
    let desk = Desk::start().await;
    let id = desk.enqueue().await;
    desk.open("/jobs").await;
    desk.browser.write("#q", &id).await;
    desk.browser.click(".search button").await;
    desk.browser.until_says("#headline", "Audio waits for a worker").await;
    assert_eq!(desk.browser.path().await, format!("/jobs/{id}"));
    desk.assert_quiet().await;
}

#[tokio::test]
async fn a_job_is_followed_heard_and_removed() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    let id = desk.enqueue().await;
    desk.open(&format!("/jobs/{id}")).await;
    let held = desk.claim().await;
    browser.until_says("#headline", "Audio is being made").await;
    held.report(&desk.delivery(&id, &sound().await)).await;
    browser.until_says("#headline", "Audio is done").await;
    browser.until_says("main", "The result").await;
    let play = "const player = document.querySelector('audio'); player.muted = true;\
                player.play().catch((error) => { player.title = error })";
    let _ = browser.run(play).await;
    let come = "const player = document.querySelector('audio');\
                return player.title || (player.currentTime > 0 && player.duration > 0.5)";
    let plays = until("it plays, or says why not", async || {
        Some(browser.run(come).await).filter(|come| *come != false)
    });
    assert_eq!(plays.await, true);
    assert!(browser.text(".waterfall .critical").await.contains("collection"));
    assert_eq!(browser.count(".waterfall li").await, 6);
    assert_eq!(browser.count(".waterfall .critical").await, 5);
    assert!(browser.text("main").await.contains("$0.03"));
    browser.click("#purge").await;
    browser.click("#purge-surely").await;
    until("the list", async || (browser.path().await == "/jobs").then_some(())).await;
    browser.until_says("main", "No job has come in yet").await;
    desk.assert_quiet().await;
}

#[tokio::test]
async fn a_dead_job_says_what_to_do_and_is_replayed_then_cancelled() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    let webhook = Some(WebhookUrl::parse("https://example.org/hook").unwrap());
    let id = desk.enqueue_job(&Job { webhook, ..audio() }).await;
    let _ = desk.end_next(death(StageName::Tts, "openai", "voice-unknown")).await;
    desk.open(&format!("/jobs/{id}")).await;
    let failure = browser.text(".failure").await;
    assert!(
        failure.contains("voice-unknown") && failure.contains("in the tts stage, by openai"),
        "{failure}"
    );
    assert!(failure.contains("Ask for a voice that the provider has"), "{failure}");
    browser.click("#resend").await;
    browser.until_says("main", "the next attempt").await;
    browser.click("#replay").await;
    browser.until_says("#headline", "Audio waits for a worker").await;
    browser.click("#cancel").await;
    browser.write("#why-cancel", "a mistake").await;
    browser.click("#cancel-surely").await;
    browser.until_says("#headline", "Audio was cancelled").await;
    browser.until_says("main", "loopback cancelled it: “a mistake”").await;
    desk.assert_quiet().await;
}

#[tokio::test]
async fn a_dead_job_is_replayed_from_a_stage_with_its_price_before_the_click() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    let delivered = desk.enqueue().await;
    let _ = desk.end_next(desk.delivery(&delivered, b"sound")).await;
    let options = serde_json::from_str(r#"{"voice": "slt"}"#).unwrap();
    let id = desk.enqueue_job(&audio().with_options(options)).await;
    let _ = desk.end_next(death(StageName::Tts, "openai", "voice-unknown")).await;
    until("the price is known", async || {
        desk.open(&format!("/jobs/{id}")).await;
        browser.click("#remake").await;
        let says = browser.text("#remake-from").await;
        says.contains("from tts: up to $0.04").then_some(())
    })
    .await;
    assert_eq!(browser.run("return document.querySelector('#remake-voice').value").await, "slt");
    browser.write("#remake-voice", "a b").await;
    browser.click("#remake-surely").await;
    browser.until_says("main", "`options.voice` takes").await;
    let _ = browser.console().await;
    desk.open(&format!("/jobs/{id}")).await;
    browser.click("#remake").await;
    browser.write("#remake-voice", "nova").await;
    let _ = browser.run("document.querySelector('#remake-from').value = 'transcript'").await;
    browser.write("#why-remake", "too deep").await;
    browser.click("#remake-surely").await;
    browser.until_says("#headline", "Audio waits for a worker").await;
    let said = "loopback replayed it from transcript, voice=nova: “too deep”";
    browser.until_says("main", said).await;
    desk.assert_quiet().await;
}

#[tokio::test]
async fn a_waiting_job_says_what_it_waits_for() {
    let desk = Desk::start().await;
    let id = desk.enqueue().await;
    let park = |reason| Outcome::Park { reason, wake: Duration::from_mins(5), error: None };
    let _ = desk.end_next(Report::from(park(ParkReason::Rate))).await;
    desk.open(&format!("/jobs/{id}")).await;
    assert!(desk.browser.text("#why").await.contains("provider"));
}

#[tokio::test]
async fn a_tenant_s_page_shows_no_other_tenant_s_jobs_and_a_reader_hears_nothing() {
    let tokens = "acme:acme-0123456789abcdef:acme:read+operate";
    let desk = Desk::start_with(&[("API_TOKENS", tokens)]).await;
    let browser = &desk.browser;
    let theirs = desk.enqueue_job(&Job { tenant: "other".to_owned(), ..audio() }).await;
    let _ = desk.end_next(death(StageName::Tts, "theirs", "voice-unknown")).await;
    let own = desk.enqueue_job(&Job { tenant: "acme".to_owned(), ..audio() }).await;
    let _ = desk.end_next(desk.delivery(&own, b"sound")).await;
    desk.open("/jobs").await;
    browser.write("#token", "acme-0123456789abcdef").await;
    browser.click("main button").await;
    browser.until_says(".jobs", "acme").await;
    for path in ["/jobs", "/jobs?q=provider:theirs", "/dead", "/stages", "/", "/audit"] {
        desk.open(path).await;
        let text = browser.text("main").await;
        let text = text.replace("provider:theirs", "");
        assert!(!text.contains("theirs") && !text.contains(&theirs), "{path}: {text}");
    }
    desk.open(&format!("/jobs/{own}")).await;
    assert_eq!(browser.count("audio").await, 0);
    browser.open(&format!("{}/jobs/{theirs}", desk.url)).await;
    browser.until_says("main", "unknown-job").await;
    browser.open(&format!("{}/jobs/{own}/artifact", desk.url)).await;
    browser.until_says("main", "forbidden").await;
}
