//! A vendor that nobody has heard of: what another one has to say, and what it need not say again.

use std::time::Duration;

use pipeline::{FailureClass, ProviderError};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;

/// Shows its key in a header of its own, and calls things by words of its own.
pub(super) const NEWCOMER: Vendor = Vendor {
    provider: "newcomer",
    key_setting: "NEWCOMER_KEY",
    request_number: "request-id",
    authorize: |request, key| request.header("x-key", key),
    words: |body| {
        body.pointer("/detail/status").and_then(|word| word.as_str()).into_iter().collect()
    },
    meaning: |_, word| (word == "voice_quota_used_up").then_some(Meaning::NoMoney),
    parameters: &[Parameter::set_by("voice", "VOICE"), Parameter::text("text")],
};

/// A server that gives one answer to each call and tells what it was asked.
pub(crate) struct Server {
    pub(crate) base_url: String,
    asked: JoinSet<String>,
}

impl Server {
    pub(crate) async fn answering(head: &str, body: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base_url = format!("http://{}/v1/", listener.local_addr().unwrap());
        let length = body.len();
        let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}");
        let mut asked = JoinSet::new();
        asked.spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let read = socket.read(&mut request).await.unwrap();
            socket.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..read]).into_owned()
        });
        Self { base_url, asked }
    }

    /// One that gives these answers, each on a connection of its own.
    async fn answering_in_turn(heads: &[&'static str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base_url = format!("http://{}/v1/", listener.local_addr().unwrap());
        let heads = heads.to_vec();
        let mut asked = JoinSet::new();
        asked.spawn(async move {
            for head in heads {
                let (mut socket, _) = listener.accept().await.unwrap();
                assert!(socket.read(&mut vec![0; 4096]).await.unwrap() > 0);
                let answer =
                    format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
            String::new()
        });
        Self { base_url, asked }
    }

    fn client(&self) -> ApiClient {
        client(self.base_url.clone())
    }

    async fn asked(mut self) -> String {
        self.asked.join_next().await.unwrap().unwrap()
    }
}

fn client(base_url: String) -> ApiClient {
    let key = Some("canary-key".to_owned().into());
    let account = Account { capability: Capability::Tts, base_url, key, model: "a-voice".into() };
    ApiClient::new(HttpClient::new().unwrap(), &NEWCOMER, account)
}

async fn refused(head: &str, body: &str) -> ProviderError {
    let server = Server::answering(head, body).await;
    server.client().post("/speech", &json!({ "text": "x" })).await.err().expect("it is refused")
}

#[tokio::test]
async fn a_key_is_shown_as_the_vendor_wants_it() {
    let server = Server::answering("200 OK", r#"{"a":1}"#).await;
    let reply = server.client().post("/speech", &json!({ "text": "x" })).await.unwrap();
    assert_eq!(reply.json::<serde_json::Value>(1_000).await.unwrap(), json!({ "a": 1 }));
    let asked = server.asked().await.to_lowercase();
    assert!(asked.starts_with("post /v1/speech http/1.1"), "{asked}");
    assert!(asked.contains("x-key: canary-key") && asked.ends_with(r#"{"text":"x"}"#), "{asked}");
}

#[tokio::test]
async fn a_status_means_the_same_of_every_vendor_and_its_words_are_its_own() {
    let error = refused("401 Unauthorized\r\nrequest-id: r7", "").await;
    assert_eq!((error.provider, error.code), ("newcomer", "key-refused"));
    let said = "the key is refused; set TTS_API_KEY or NEWCOMER_KEY to a valid one (status 401, \
                request r7)";
    assert_eq!(error.message, said);
    let error = refused("401 No", r#"{"detail":{"status":"voice_quota_used_up"}}"#).await;
    assert_eq!((error.code, error.failure), ("quota-exhausted", FailureClass::Misconfigured));
    assert!(error.message.ends_with("(status 401, voice_quota_used_up)"), "{error}");
    let error = refused("503 Later\r\nretry-after: 7", "").await;
    let retry_after = Some(Duration::from_secs(7));
    assert_eq!(error.failure, FailureClass::Transient { retry_after });
}

#[tokio::test]
async fn no_more_of_a_body_is_read_than_was_asked_for() {
    for limit in [3, 4] {
        let server = Server::answering("200 OK", "four").await;
        let read = server.client().get("/speech").await.unwrap().bytes(limit).await;
        assert_eq!(read.is_ok(), limit == 4);
        let Err(error) = read else { continue };
        let said = "the answer is larger than any such answer; is TTS_BASE_URL right?";
        assert_eq!((error.code, error.message.as_str()), ("answer-unreadable", said));
        assert_eq!(error.again, Some(FailureClass::Misconfigured));
    }
    let endless = "x".repeat(1 << 20);
    let error = refused("500 Oh", &endless).await;
    assert_eq!(error.message, "the provider has a fault of its own (status 500)");
}

#[tokio::test]
async fn a_lost_connection_tells_what_the_system_said_and_no_address() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = client(format!("http://somebody:canary-word@{address}/v1"));
    let error = client.get("/speech").await.err().expect("nobody is there");
    assert_eq!(error.code, "connection-failed");
    assert_eq!(error.source.as_ref().unwrap().to_string(), "Connection refused (os error 111)");
    let said = format!("{error} {error:?}");
    assert!(!said.contains("canary"), "{said}");
}

#[tokio::test]
async fn a_server_that_took_the_last_request_refuses_this_one_for_its_text() {
    let server = Server::answering_in_turn(&["400 No", "200 OK", "400 No", "400 No"]).await;
    let client = server.client();
    let mut met = Vec::new();
    for _ in 0..4 {
        let answer = client.post("/speech", &json!({ "text": "x" })).await;
        met.push(answer.err().map(|error| error.failure));
    }
    let (job, setup) = (Some(FailureClass::Permanent), Some(FailureClass::Misconfigured));
    assert_eq!(met, [setup, None, job, setup], "once, it may be the text");
}
