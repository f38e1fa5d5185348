//! Who gets in: by a token in a form, for as long as it lasts; and nobody by another site's page.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use reqwest::StatusCode;
use tests::wait::until;
use tokio::net::TcpListener;

use crate::desk::Desk;

const TOKEN: &str = "anna-0123456789abcdef";

/// A client that follows nothing, as a form of another site would be sent.
fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.build().unwrap()
}

#[tokio::test]
async fn a_token_in_a_form_opens_the_pages_until_its_session_ends() {
    let tokens = format!("anna:{TOKEN}:*:operate");
    let desk = Desk::start_with(&[("API_TOKENS", &tokens)]).await;
    let browser = &desk.browser;
    desk.open("/jobs?q=state:dead").await;
    assert_eq!(browser.path().await, "/login?next=/jobs%3Fq%3Dstate%3Adead");
    browser.write("#token", "wrong-0123456789abcdef").await;
    browser.click("main button").await;
    browser.until_says("#refused", "none of those").await;
    // That the answer was a refusal, the browser's console says; nothing else.
    let console = browser.console().await;
    assert!(console.len() == 1 && console[0].contains("401"), "{console:?}");
    browser.write("#token", TOKEN).await;
    browser.click("main button").await;
    until("the page", async || (browser.path().await == "/jobs?q=state:dead").then_some(())).await;
    let cookies = browser.cookies().await;
    let session = cookies.as_array().unwrap().iter().find(|one| one["name"] == "stillcast_session");
    let session = session.unwrap();
    assert_eq!(
        (session["httpOnly"].as_bool(), session["sameSite"].as_str()),
        (Some(true), Some("Strict"))
    );
    assert!(!cookies.to_string().contains(TOKEN), "{cookies}");
    browser.click("#logout").await;
    until("the login", async || (browser.path().await == "/login").then_some(())).await;
    desk.open("/").await;
    assert_eq!(browser.path().await, "/login?next=/");
    desk.assert_quiet().await;
}

#[tokio::test]
async fn a_session_dies_with_its_token_and_is_secure_behind_tls() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    std::fs::write(&file, format!("anna:{TOKEN}:*:read\n")).unwrap();
    let desk = Desk::start_with(&[("API_TOKENS_FILE", file.to_str().unwrap())]).await;
    let (client, url) = (client(), &desk.url);
    let login = client.post(format!("{url}/login")).body(format!("token={TOKEN}"));
    let login = login.header("content-type", "application/x-www-form-urlencoded");
    let answer = login.header("x-forwarded-proto", "https").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let status = async || {
        let asked = client.get(format!("{url}/")).header("cookie", cookie).send();
        asked.await.unwrap().status()
    };
    assert_eq!(status().await, StatusCode::OK);
    // What a role may not do on the wire, its session may not do either.
    let pause = client.post(format!("{url}/queue/pause")).header("cookie", cookie);
    let pause = pause.header("content-type", "application/x-www-form-urlencoded").send();
    assert_eq!(pause.await.unwrap().status(), StatusCode::FORBIDDEN);
    std::fs::write(&file, "anna:another-0123456789abcdef:*:read\n").unwrap();
    until("the session is over", async || (status().await == StatusCode::SEE_OTHER).then_some(()))
        .await;
}

/// A page of another site, whose form is sent as soon as it is opened.
async fn another_site(action: String) -> (String, tokio::task::JoinSet<()>) {
    let page = format!(
        "<!doctype html><form method=post action=\"{action}\"></form>\
         <script>document.forms[0].submit()</script>"
    );
    let router = Router::new().route("/", get(async move || Html(page)));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (format!("http://localhost:{port}/"), serving)
}

#[tokio::test]
async fn a_form_of_another_site_reaches_nothing() {
    for tokens in ["", "anna:anna-0123456789abcdef:*:admin"] {
        let desk = Desk::start_with(&[("API_TOKENS", tokens)]).await;
        let browser = &desk.browser;
        if !tokens.is_empty() {
            desk.open("/").await;
            browser.write("#token", TOKEN).await;
            browser.click("main button").await;
            browser.until_says("#headline", "quiet").await;
        }
        let (elsewhere, _serving) = another_site(format!("{}/queue/pause", desk.url)).await;
        browser.open(&elsewhere).await;
        let refused = async || browser.text("main").await.contains("origin-refused").then_some(());
        until("the refusal", refused).await;
        let _ = browser.console().await;
        desk.open("/").await;
        assert_eq!(browser.text("#headline").await, "All is quiet.", "{tokens}");
        // The same form from our own page does what it says.
        desk.open("/queue").await;
        browser.click("#pause").await;
        browser.until_says(".tools", "paused").await;
    }
}

#[tokio::test]
async fn a_link_from_another_site_finds_who_is_logged_in() {
    let tokens = format!("anna:{TOKEN}:*:operate");
    let desk = Desk::start_with(&[("API_TOKENS", &tokens)]).await;
    let browser = &desk.browser;
    desk.open("/").await;
    browser.write("#token", TOKEN).await;
    browser.click("main button").await;
    browser.until_says("#headline", "quiet").await;
    browser.open("data:text/html,<a id=there>there</a>").await;
    let script = "const a = document.querySelector('a'); a.href = arguments[0]; a.click()";
    let _ = browser.run_with(script, &serde_json::json!([format!("{}/dead", desk.url)])).await;
    until("the page", async || (browser.path().await == "/dead").then_some(())).await;
    browser.until_says("h1", "dead").await;
}
