//! Many at once: requests whose answers are lost, followers of a job, connections.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tests::process::resident;
use tests::proxy::Proxy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{Api, dead, port_of, request};

/// Requests in all, two for each key.
const REQUESTS: usize = 10_000;
const KEYS: usize = REQUESTS / 2;
/// Answers that never come.
const LOST: u64 = 2_000;
/// Who follow a job at once, and how much memory each may cost the server.
const FOLLOWERS: usize = 1_000;
const A_FOLLOWER: usize = 50 << 10;
/// Connections that the server takes.
const CONNECTIONS: usize = 4096;

/// Sends a request until it is answered; the job's identifier.
async fn insist(client: &Client, url: &str, key: usize) -> String {
    loop {
        let asked = client.post(url).header("idempotency-key", format!("key-{key}"));
        let Ok(answer) = asked.json(&request()).send().await else { continue };
        let status = answer.status();
        let Ok(body) = answer.json::<Value>().await else { continue };
        match status {
            StatusCode::ACCEPTED => return body["id"].as_str().unwrap().to_owned(),
            // The one whose answer was lost is still on its way.
            StatusCode::CONFLICT => tokio::task::yield_now().await,
            _ => panic!("{status}: {body}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_whose_answers_are_lost_are_one_job_a_key() {
    let api = Api::start().await;
    let lossy = Proxy::start(port_of(&api.url(""))).await.unwrap();
    let url = format!("{}/v1/jobs", lossy.url().replace("redis", "http"));
    let client = Client::new();
    let sent = (0..REQUESTS).map(|at| {
        // One answer in five, from then on; the tries after it may lose theirs too.
        if at % 1_000 == 0 {
            lossy.lose_replies("POST /v1/jobs ", LOST / 10);
        }
        let key = at % KEYS;
        let (client, url) = (&client, &url);
        async move { (key, insist(client, url, key).await) }
    });
    let answers: Vec<(usize, String)> =
        futures::stream::iter(sent).buffer_unordered(32).collect().await;
    assert!(lossy.lost() >= LOST / 2, "only {} answers were lost", lossy.lost());
    let mut by_key: HashMap<usize, HashSet<String>> = HashMap::new();
    for (key, id) in answers {
        by_key.entry(key).or_default().insert(id);
    }
    assert_eq!(by_key.len(), KEYS);
    let torn: Vec<_> = by_key.iter().filter(|(_, ids)| ids.len() != 1).collect();
    assert!(torn.is_empty(), "{torn:?}");
    let queue = api.get("/v1/queue").await.json();
    assert_eq!(queue["enqueued"], KEYS, "{queue}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_followers_cost_little_and_all_see_the_end() {
    let api = Api::start().await;
    let id = api.enqueue().await;
    // Whatever is made once is there before it is measured.
    for _ in 0..20 {
        let _ = api.follow(&id, &[]).await.chunk().await.unwrap();
    }
    let before = resident(api.pid()).unwrap();
    let mut followers = Vec::new();
    for _ in 0..FOLLOWERS {
        let mut stream = api.follow(&id, &[]).await;
        assert!(stream.chunk().await.unwrap().is_some(), "its record, at once");
        followers.push(stream);
    }
    let each = resident(api.pid()).unwrap().saturating_sub(before) / FOLLOWERS;
    assert!(each <= A_FOLLOWER, "{each} bytes for each");
    api.report_next(&id, dead()).await;
    let ends = followers.into_iter().map(async |stream| stream.text().await.unwrap());
    let ends = futures::future::join_all(ends).await;
    assert!(ends.iter().all(|text| text.contains("event: end\ndata: dead")), "{:?}", ends[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_wait_until_others_have_gone() {
    let api = Api::start().await;
    let port = port_of(&api.url(""));
    // One of them is the test's own client's.
    let _ = api.get("/healthz").await;
    let mut idle = JoinSet::new();
    for _ in 1..CONNECTIONS {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        idle.spawn(async move {
            // Whoever sends nothing is hung up on in the end.
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            rest
        });
    }
    let mut late = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    late.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    // The server is at work meanwhile, for the one that it knows.
    for _ in 0..50 {
        let _ = api.get("/healthz").await;
    }
    let mut answer = [0; 12];
    let early = late.read_exact(&mut answer).now_or_never();
    assert!(early.is_none(), "beyond the limit: {early:?}");
    drop(idle);
    late.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

/// A raw request; whatever comes back until the server hangs up.
async fn say(port: u16, text: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_mins(1), read).await.unwrap().unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn headers_have_a_size_a_number_and_a_time() {
    let api = Api::start().await;
    let port = port_of(&api.url(""));
    let start = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    let many = (0..300).map(|at| format!("x-{at}: y\r\n")).collect::<Vec<_>>().concat();
    assert!(say(port, &format!("{start}{many}\r\n")).await.starts_with("HTTP/1.1 431"));
    let long = format!("{start}x: {}\r\n\r\n", "y".repeat(1 << 20));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    // The server may hang up before it has taken all of it.
    let _ = stream.write_all(long.as_bytes()).await;
    let mut answer = [0; 12];
    let refused = stream.read_exact(&mut answer).await;
    assert!(refused.is_err() || &answer == b"HTTP/1.1 431", "{answer:?}");
    // Half a request: the server does not wait for the other half.
    let never = say(port, "GET /healthz HTTP/1.1\r\nhost: loc").await;
    assert!(never.is_empty() || never.starts_with("HTTP/1.1 408"), "{never}");
    assert_eq!(api.get("/healthz").await.status, StatusCode::OK, "others are answered meanwhile");
}

#[tokio::test]
async fn a_body_has_a_size_whatever_its_head_says() {
    let api = Api::start().await;
    let head = "POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let piece = format!("{:x}\r\n{}\r\n", 64 << 10, " ".repeat(64 << 10));
    let text = format!("{head}{}0\r\n\r\n", piece.repeat(3));
    let answer = say(port_of(&api.url("")), &text).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too-large"), "{answer}");
    assert_eq!(api.get("/v1/queue").await.json()["enqueued"], json!(0));
}
