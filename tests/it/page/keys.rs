//! The pages by keyboard: a palette, short keys, and a list of them.

use tests::wait::until;

use crate::desk::Desk;

/// How `WebDriver` writes keys that have no letter.
const CONTROL: char = '\u{e009}';
const DOWN: &str = "\u{e015}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

#[tokio::test]
async fn the_palette_leads_to_pages_jobs_and_actions() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    let id = desk.enqueue().await;
    desk.open("/").await;
    let arrived = async |path: &str| {
        until(path, async || (browser.path().await == path).then_some(())).await;
        // A page takes keys once its script runs.
        until("keys are taken", async || (browser.count(".palette").await > 0).then_some(())).await;
    };
    browser.press(&format!("{CONTROL}k")).await;
    browser.press("dead").await;
    browser.until_says("#commands", "Go to Dead letters").await;
    assert_eq!(browser.find_barriers().await, Vec::<String>::new());
    browser.press(ENTER).await;
    arrived("/dead").await;
    browser.click("#palette-open").await;
    browser.press(&id).await;
    browser.press(ENTER).await;
    arrived(&format!("/jobs/{id}")).await;
    browser.press(&format!("{CONTROL}k")).await;
    browser.until_says("#commands [aria-selected=true]", "Cancel").await;
    browser.press(DOWN).await;
    browser.until_says("#commands [aria-selected=true]", "Go to Overview").await;
    browser.press(ESCAPE).await;
    assert_eq!(browser.count("dialog[open]").await, 0);
    desk.assert_quiet().await;
}

#[tokio::test]
async fn keys_walk_lists_and_are_told() {
    let desk = Desk::start().await;
    let browser = &desk.browser;
    for _ in 0..3 {
        let _ = desk.enqueue().await;
    }
    desk.open("/").await;
    let arrived = async |path: &str| {
        until(path, async || browser.path().await.starts_with(path).then_some(())).await;
        // A page takes keys once its script runs.
        until("keys are taken", async || (browser.count(".palette").await > 0).then_some(())).await;
    };
    browser.press("gj").await;
    arrived("/jobs").await;
    browser.press("/").await;
    assert_eq!(browser.text_of("return document.activeElement.id").await, "q");
    browser.press("stage:tts j").await;
    assert_eq!(browser.text_of("return document.activeElement.value").await, "stage:tts j");
    let _ = browser.run("document.activeElement.blur()").await;
    browser.press("jjk").await;
    let second = "return String([...document.querySelectorAll('[data-row]')].indexOf(document.activeElement))";
    assert_eq!(browser.text_of(second).await, "0");
    browser.press("?").await;
    browser.until_says("dialog[open]", "the palette").await;
    browser.click("dialog[open] button").await;
    browser.press(&format!("j{ENTER}")).await;
    arrived("/jobs/").await;
    browser.press("gq").await;
    arrived("/queue").await;
    browser.press("t").await;
    browser.until_says("#theme", "dark").await;
    desk.assert_quiet().await;
}

#[tokio::test]
async fn an_identifier_is_copied() {
    let desk = Desk::start().await;
    let id = desk.enqueue().await;
    desk.open(&format!("/jobs/{id}")).await;
    let _ = desk.browser.run("document.addEventListener('copy', () => { window.copied = String(getSelection()) || document.activeElement.value })").await;
    desk.browser.click("[data-copy]").await;
    desk.browser.until_says("[data-copy]", "Copied").await;
    assert_eq!(desk.browser.text_of("return window.copied").await, id);
}
