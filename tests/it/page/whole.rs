//! As somebody new sees it: `stillcast dev`, its page, a job that a real worker makes, and its sound.

use serde_json::{Value, json};
use tests::program::{Program, first_line};
use tests::wait::until;

use crate::browser::Browser;

#[tokio::test]
async fn a_job_is_watched_heard_and_remembered_on_the_page_of_dev() {
    let home = tempfile::tempdir().unwrap();
    let program = Program::stillcast(home.path());
    let mut dev = program.providers("offline").spawn(&["dev", "--json"]).await.unwrap();
    let line: Value = serde_json::from_str(&first_line(&mut dev).await.unwrap()).unwrap();
    let url = line["url"].as_str().unwrap();
    let browser = Browser::start().await;
    browser.open(&format!("{url}/")).await;
    browser.until_says("main", "No job has come in yet.").await;
    let request = json!({"source": {"text": "A long day by the sea."}, "format": "audio"});
    let sending = reqwest::Client::new().post(format!("{url}/v1/jobs"));
    let sending = sending.header("content-type", "application/json").body(request.to_string());
    let accepted: Value = sending.send().await.unwrap().json().await.unwrap();
    browser.until_says("#tiles a[href$=done]", "1").await;
    browser.open(&format!("{url}/jobs/{}", accepted["id"].as_str().unwrap())).await;
    browser.until_says("#headline", "Audio is done").await;
    // Where a worker has told when each stage began, their bars do not all begin at the same place.
    let begins = "return new Set([...document.querySelectorAll('.waterfall rect:nth-child(2)')]\
                  .map((bar) => bar.getAttribute('x'))).size";
    assert!(browser.run(begins).await.as_u64() > Some(2));
    let play = "const player = document.querySelector('audio'); player.muted = true;\
                player.play().catch((error) => { player.title = error })";
    let _ = browser.run(play).await;
    let come = "const player = document.querySelector('audio');\
                return player.title || (player.currentTime > 0 && player.duration > 60)";
    let plays = until("it plays, or says why not", async || {
        Some(browser.run(come).await).filter(|come| *come != false)
    });
    assert_eq!(plays.await, true);
    // The player has its captions, and what is said stands below it.
    let cues = "return document.querySelector('audio').textTracks[0].cues.length";
    assert!(browser.run(cues).await.as_u64() > Some(20));
    let said = until("a caption", async || {
        Some(browser.text("#caption").await).filter(|said| !said.trim().is_empty())
    });
    let said = said.await;
    assert!(!said.contains('<') && said.contains(char::is_alphabetic), "{said}");
    let file = |name: &str| format!("main a[href$='extras/{name}']");
    assert_eq!(browser.count(&file("captions.srt")).await, 1);
    assert_eq!(browser.count(&file("chapters.txt")).await, 1);
    assert!(browser.text("#words").await.is_empty(), "the words are shown on a click");
    browser.click("main details:has(#words) summary").await;
    browser.until_says("#words", "breath").await;
    // Workers tell what they have done every few seconds.
    browser.open(&format!("{url}/?hours=24")).await;
    browser.until_says("#past", "1 job").await;
    assert_eq!(browser.text("#past [aria-current]").await, "24 h");
    assert_eq!(browser.count("#past svg").await, 3);
    assert_eq!(browser.find_barriers().await, Vec::<String>::new());
    let console = browser.console().await;
    assert!(console.is_empty(), "{console:?}");
}
