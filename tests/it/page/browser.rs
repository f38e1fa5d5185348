//! A headless Chromium, driven over `WebDriver`: pages are opened, read, clicked and measured.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use child::Running;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::program::Program;
use tests::wait::until;
use tokio::io::{AsyncBufReadExt, BufReader};

/// Longest wait for one answer of the driver; reaching it is a failure.
const LIMIT: Duration = Duration::from_secs(90);
/// How `WebDriver` calls an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// What the driver says once it listens.
const LISTENS: &str = "started successfully on port ";

/// What Chromium is started with. Without a sandbox, since tests may run as root; it dies with its
/// driver, since the two talk through a pipe.
const ARGUMENTS: [&str; 7] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--remote-debugging-pipe",
    // Nobody is there to click on a player.
    "--autoplay-policy=no-user-gesture-required",
    "--window-size=1280,900",
];

/// One browser, with one window.
pub(crate) struct Browser {
    client: reqwest::Client,
    session: String,
    _driver: Running,
    _folder: TempDir,
}

impl Browser {
    /// 1280 by 900, and light.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::at("chromedriver").env("HOME", folder.path());
        let mut driver = program.env("TMPDIR", folder.path()).spawn(&["--port=0"]).await.unwrap();
        let port = port_of(&mut driver).await;
        let client = reqwest::Client::builder().timeout(LIMIT).build().unwrap();
        let url = format!("http://127.0.0.1:{port}/session");
        let data = format!("--user-data-dir={}", folder.path().join("data").display());
        let arguments: Vec<&str> = ARGUMENTS.into_iter().chain([data.as_str()]).collect();
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let answer = client.post(&url).body(wanted.to_string()).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let session = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{answer}"));
        let session = format!("{url}/{session}");
        Self { client, session, _driver: driver, _folder: folder }
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        self.try_post(path, body).await.unwrap_or_else(|error| panic!("{path} {body}: {error}"))
    }

    async fn try_post(&self, path: &str, body: &Value) -> Result<Value, Value> {
        let sending = self.client.post(format!("{}{path}", self.session)).body(body.to_string());
        let answer = sending.send().await.unwrap();
        let is_fine = answer.status().is_success();
        let mut answer: Value = answer.json().await.unwrap();
        let value = answer["value"].take();
        if is_fine { Ok(value) } else { Err(value) }
    }

    /// Opens a page, and waits until it is loaded.
    pub(crate) async fn open(&self, url: &str) {
        let _ = self.post("/url", &json!({"url": url})).await;
    }

    /// The path at which it is, with its query.
    pub(crate) async fn path(&self) -> String {
        self.text_of("return location.pathname + location.search").await
    }

    /// What a script returns; `arguments` are its own.
    pub(crate) async fn run_with(&self, script: &str, arguments: &Value) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": arguments})).await
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.run_with(script, &json!([])).await
    }

    /// What a script says at last: its only argument takes the answer.
    pub(crate) async fn run_later(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({"script": script, "args": []})).await
    }

    pub(crate) async fn text_of(&self, script: &str) -> String {
        self.run(script).await.as_str().unwrap_or_default().to_owned()
    }

    async fn find(&self, css: &str) -> Option<String> {
        let wanted = json!({"using": "css selector", "value": css});
        let found = self.try_post("/element", &wanted).await.ok()?;
        Some(found[ELEMENT].as_str()?.to_owned())
    }

    async fn element(&self, css: &str) -> String {
        until(css, async || self.find(css).await).await
    }

    /// Clicks as a person would: what is covered or outside cannot be clicked.
    pub(crate) async fn click(&self, css: &str) {
        let element = self.element(css).await;
        let _ = self.post(&format!("/element/{element}/click"), &json!({})).await;
    }

    /// Writes into a field, in place of what stands there.
    pub(crate) async fn write(&self, css: &str, text: &str) {
        let element = self.element(css).await;
        let _ = self.post(&format!("/element/{element}/clear"), &json!({})).await;
        let _ = self.post(&format!("/element/{element}/value"), &json!({"text": text})).await;
    }

    /// Presses keys one after the other; those that are held, such as Control, stay so to the end.
    pub(crate) async fn press(&self, keys: &str) {
        let down = |key: char| json!({"type": "keyDown", "value": key});
        let up = |key: char| json!({"type": "keyUp", "value": key});
        let is_held = |key: &char| ('\u{e008}'..='\u{e00a}').contains(key);
        let mut steps = Vec::new();
        for key in keys.chars() {
            steps.push(down(key));
            if !is_held(&key) {
                steps.push(up(key));
            }
        }
        steps.extend(keys.chars().filter(is_held).map(up));
        let keyboard = json!({"actions": [{"type": "key", "id": "keys", "actions": steps}]});
        let _ = self.post("/actions", &keyboard).await;
    }

    /// What stands in an element, as it is seen.
    pub(crate) async fn text(&self, css: &str) -> String {
        let script = "return document.querySelector(arguments[0])?.innerText ?? ''";
        self.run_with(script, &json!([css])).await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an element says `words`.
    pub(crate) async fn until_says(&self, css: &str, words: &str) {
        let what = format!("{css} says {words:?}");
        until(&what, async || self.text(css).await.contains(words).then_some(())).await;
    }

    /// How many elements there are.
    pub(crate) async fn count(&self, css: &str) -> u64 {
        let script = "return document.querySelectorAll(arguments[0]).length";
        self.run_with(script, &json!([css])).await.as_u64().unwrap()
    }

    /// One command of Chromium's own protocol.
    pub(crate) async fn command(&self, name: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": name, "params": parameters})).await
    }

    /// Makes the window so wide, as a phone or a screen is.
    pub(crate) async fn become_wide(&self, width: u32) {
        let is_phone = width < 600;
        let size = json!({"width": width, "height": if is_phone { 844 } else { 900 },
                          "deviceScaleFactor": 1, "mobile": is_phone});
        let _ = self.command("Emulation.setDeviceMetricsOverride", &size).await;
    }

    /// What the system prefers: `light` or `dark`.
    pub(crate) async fn prefer(&self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        let _ = self.command("Emulation.setEmulatedMedia", &json!({"features": features})).await;
    }

    /// Lets pages run their scripts, or not.
    pub(crate) async fn let_scripts_run(&self, may: bool) {
        let _ = self.command("Emulation.setScriptExecutionDisabled", &json!({"value": !may})).await;
    }

    /// The cookies of the page, also those that scripts do not see.
    pub(crate) async fn cookies(&self) -> Value {
        let answer = self.client.get(format!("{}/cookie", self.session)).send().await.unwrap();
        let mut answer: Value = answer.json().await.unwrap();
        answer["value"].take()
    }

    /// What the browser's console has said since the last time.
    pub(crate) async fn console(&self) -> Vec<String> {
        let lines = self.post("/se/log", &json!({"type": "browser"})).await;
        lines.as_array().unwrap().iter().map(|line| line["message"].to_string()).collect()
    }

    /// What axe finds against WCAG 2.2 AA, one line an element.
    pub(crate) async fn find_barriers(&self) -> Vec<String> {
        let library = std::fs::read_to_string(axe()).unwrap();
        let _ = self.run(&library).await;
        let script = "const done = arguments[arguments.length - 1];\
            const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];\
            axe.run(document, {runOnly: tags}).then((found) => done(found.violations.flatMap((rule) =>\
            rule.nodes.map((node) => rule.id + ': ' + node.target.join(' ') + ' ' + (node.any[0]?.message ?? '')))))";
        let found = self.run_later(script).await;
        found.as_array().unwrap().iter().map(ToString::to_string).collect()
    }

    /// A picture of the whole page.
    pub(crate) async fn picture(&self, file: &Path) {
        let whole = json!({"captureBeyondViewport": true, "format": "png"});
        let taken = self.command("Page.captureScreenshot", &whole).await;
        std::fs::write(file, STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()).unwrap();
    }
}

async fn port_of(driver: &mut Running) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let reading = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, port)) = line.split_once(LISTENS) {
                return port.trim_end_matches('.').parse().unwrap();
            }
        }
        panic!("the driver has not started")
    };
    let port = tokio::time::timeout(LIMIT, reading).await.unwrap();
    // Whatever else it says goes to nobody, and must not stop it.
    driver.stdout = Some(lines.into_inner().into_inner());
    port
}

/// `target/mocks/node_modules/axe-core/axe.min.js`.
fn axe() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let file = test.ancestors().nth(3).unwrap().join("mocks/node_modules/axe-core/axe.min.js");
    assert!(file.is_file(), "{} is not there: tests/run installs it", file.display());
    file
}
