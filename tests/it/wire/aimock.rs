//! The same claims against a mock that we did not write: `aimock` from npm, which `tests/run`
//! installs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use child::{Running, Spec, Stream};
use pipeline::{FailureClass, Finish, ImageGenerator, SpeechSynthesizer};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::adapters::draft;
use crate::harness::{WireHarness, assert_private, prompt, scene, utterance};

/// Longest wait for its first answer; reaching it is a failure, never a pass.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);
const PASSING: FailureClass = FailureClass::Transient { retry_after: None };

/// A running aimock, and a harness whose adapters buy from it.
struct Mock {
    harness: WireHarness,
    port: u16,
    _running: Running,
    _folder: TempDir,
}

/// `target/mocks/node_modules/.bin/llmock`.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(3).unwrap().join("mocks/node_modules/.bin/llmock");
    assert!(program.is_file(), "{} is not there: tests/run installs it", program.display());
    program
}

impl Mock {
    async fn start() -> Self {
        let program = program();
        let folder = tempfile::tempdir().unwrap();
        let mut harness = WireHarness::start().await;
        let picture = harness.painter().draw(&scene()).await.unwrap().value.bytes;
        let fixtures = folder.path().join("fixtures.json");
        std::fs::write(&fixtures, fixtures_with(&picture).to_string()).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let running = start(&program, port, &fixtures).await;
        harness.base_url = format!("http://127.0.0.1:{port}/v1");
        let mock = Self { harness, port, _running: running, _folder: folder };
        mock.answers().await;
        mock
    }

    async fn answers(&self) {
        let asking = async {
            while self.ask("GET", "").await.is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(WAIT_TIMEOUT, asking)
            .await
            .expect("aimock answers; tests/run brings the Node it needs");
    }

    /// Sets what goes wrong from now on.
    async fn chaos(&self, rates: &Value) {
        assert!(self.ask("DELETE", "").await.unwrap().contains(" 200 "));
        let answer = self.ask("POST", &rates.to_string()).await.unwrap();
        assert!(answer.contains(" 200 "), "{answer}");
    }

    async fn ask(&self, verb: &str, body: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        let request = format!(
            "{verb} /__aimock/chaos HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    }
}

async fn start(program: &Path, port: u16, fixtures: &Path) -> Running {
    Spec::new(program)
        .args(["--port", &port.to_string(), "--log-level", "silent", "--fixtures"])
        .arg(fixtures)
        .stdout(Stream::Null)
        .spawn()
        .await
        .unwrap()
}

fn fixtures_with(picture: &[u8]) -> Value {
    let words = "Let the breath come and go as it likes. ".repeat(48);
    let samples = STANDARD.encode([1, 2].repeat(48_000));
    json!({ "fixtures": [
        { "match": { "endpoint": "chat" }, "response": { "content": words } },
        { "match": { "endpoint": "speech" }, "response": { "audio": samples, "format": "pcm" } },
        {
            "match": { "endpoint": "image" },
            "response": { "image": { "b64Json": STANDARD.encode(picture) } },
        },
    ]})
}

#[tokio::test]
async fn words_speech_and_pictures_are_understood() {
    let Mock { harness, .. } = &Mock::start().await;
    let (text, finish) = draft(&harness.writer(), &prompt()).await.unwrap();
    assert_eq!((text.split_whitespace().count(), finish), (432, Finish::Complete));
    let spoken = harness.speaker().speak(&utterance(), Path::new("/nowhere")).await.unwrap();
    assert_eq!(spoken.value.samples, vec![0x0201; 48_000]);
    let picture = harness.painter().draw(&scene()).await.unwrap().value;
    assert_eq!(picture.inspect().unwrap().width, 640);
}

/// It agrees to a socket, and says on it that it knows no such response: a server that speaks is another one.
#[tokio::test]
async fn its_socket_opens_and_its_refusal_there_has_our_class() {
    let mock = Mock::start().await;
    let voice = mock.harness.talker();
    let error = voice.speak(&utterance(), Path::new("/nowhere")).await.unwrap_err();
    assert_eq!((error.code, error.failure), ("provider-failed", PASSING), "{error:?}");
    assert!(error.message.contains("no_fixture_match") && error.wasted.usd() <= 0.0, "{error:?}");
    assert_private(&error);
}

#[tokio::test]
async fn its_chaos_has_our_classes() {
    let mock = Mock::start().await;
    let second = FailureClass::Transient { retry_after: Some(Duration::from_secs(1)) };
    for (chaos, codes, failure) in [
        ("rateLimitRate", &["rate-limited"][..], second),
        ("dropRate", &["provider-failed"], PASSING),
        ("malformedRate", &["answer-unreadable"], PASSING),
        ("disconnectRate", &["connection-broken", "connection-failed"], PASSING),
    ] {
        mock.chaos(&json!({ chaos: 1 })).await;
        let harness = &mock.harness;
        let speech = harness.speaker().speak(&utterance(), Path::new("/nowhere")).await;
        for error in [
            draft(&harness.writer(), &prompt()).await.unwrap_err(),
            speech.unwrap_err(),
            harness.painter().draw(&scene()).await.unwrap_err(),
        ] {
            assert!(codes.contains(&error.code), "{chaos}: {error:?}");
            assert_eq!(error.failure, failure, "{chaos}");
            assert_private(&error);
        }
    }
}
