//! A job is followed by server-sent events: at once, at each change, and to its end, whatever dies.

use std::time::Duration;

use futures::StreamExt;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use tests::forwarder::Forwarder;

use crate::support::{Api, dead, port_of, serve};

/// How long a client waits before it comes back.
const COME_BACK: Duration = Duration::from_millis(200);

/// One event as it came.
#[derive(Debug, Default, PartialEq)]
struct Event {
    name: String,
    id: String,
    data: String,
}

/// Reads a stream to its end.
async fn events(response: Response) -> Vec<Event> {
    assert_eq!(response.status(), StatusCode::OK);
    let mut text = String::new();
    let mut body = response.bytes_stream();
    // A server that is killed ends the stream in the middle.
    while let Some(Ok(bytes)) = body.next().await {
        text.push_str(std::str::from_utf8(&bytes).unwrap());
    }
    parse(&text)
}

/// Whole events only.
fn parse(text: &str) -> Vec<Event> {
    let blocks = text.split_inclusive("\n\n").filter(|block| block.ends_with("\n\n"));
    let event = |block: &str| {
        block.lines().fold(Event::default(), |mut event, line| {
            match line.split_once(": ") {
                Some(("event", name)) => name.clone_into(&mut event.name),
                Some(("id", id)) => id.clone_into(&mut event.id),
                Some(("data", data)) => data.clone_into(&mut event.data),
                _ => {}
            }
            event
        })
    };
    blocks.map(event).filter(|event| !event.name.is_empty()).collect()
}

fn states(events: &[Event]) -> Vec<Value> {
    let jobs = events.iter().filter(|event| event.name == "job");
    jobs.map(|event| serde_json::from_str::<Value>(&event.data).unwrap()["state"].clone()).collect()
}

#[tokio::test]
async fn a_job_is_seen_at_once_at_each_change_and_to_its_end() {
    let api = Api::start().await;
    let id = api.enqueue().await;
    let response = api.follow(&id, &[]).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let (events, ()) = tokio::join!(events(response), api.report_next(&id, dead()));
    assert_eq!(states(&events).first(), Some(&json!("ready")), "{events:?}");
    assert_eq!(states(&events).last(), Some(&json!("dead")), "{events:?}");
    let last = events.last().unwrap();
    assert_eq!((last.name.as_str(), last.data.as_str()), ("end", "dead"));
    let ids: Vec<u64> = events
        .iter()
        .filter(|event| event.name == "job")
        .map(|event| event.id.parse().unwrap())
        .collect();
    assert!(ids.is_sorted(), "{ids:?}");

    // Whoever comes back is told the end again, also when they have its revision.
    let known = format!("Last-Event-ID: {}", ids.last().unwrap());
    let again = self::events(api.follow(&id, &[&known]).await).await;
    assert_eq!(states(&again), [json!("dead")]);
}

#[tokio::test]
async fn a_job_that_is_purged_meanwhile_ends_its_stream() {
    let api = Api::start().await;
    let id = api.enqueue().await;
    let response = api.follow(&id, &["Last-Event-ID: 0"]).await;
    let purge = async {
        let _ = api.post(&format!("/v1/jobs/{id}/cancel"), &json!({})).await;
    };
    let (events, ()) = tokio::join!(events(response), purge);
    assert_eq!(states(&events), [json!("cancelled")], "revision 0 was known");
}

/// Clients come back to a server that is killed again and again; none misses the end.
#[tokio::test]
async fn no_client_misses_the_end_however_often_the_server_is_killed() {
    let api = Api::start().await;
    let (serving, url) = serve(&api.program).await;
    let balancer = Forwarder::start(port_of(&url)).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(api.enqueue().await);
    }
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let place = balancer.url().replace("redis", "http");
    let follow = async |number: usize| {
        let path = format!("{place}/v1/jobs/{}/events", ids[number % ids.len()]);
        let mut known: Option<String> = None;
        loop {
            let asked = client.get(&path);
            let asked = known.iter().fold(asked, |asked, id| asked.header("last-event-id", id));
            let seen = match asked.send().await {
                Ok(response) => events(response).await,
                Err(_) => Vec::new(),
            };
            if let Some(end) = seen.last().filter(|event| event.name == "end") {
                return end.data.clone();
            }
            known =
                seen.into_iter().rfind(|event| event.name == "job").map(|event| event.id).or(known);
            // A browser waits as long as `retry` says.
            tokio::time::sleep(COME_BACK).await;
        }
    };
    let clients = futures::future::join_all((0..1_000).map(follow));
    let kills = async {
        let mut serving = serving;
        for id in &ids {
            kill(Pid::from_raw(serving.pid()), Signal::SIGKILL).unwrap();
            serving.wait().await.unwrap_err();
            // Its end comes while nobody serves.
            api.report_next(id, dead()).await;
            let (next, url) = serve(&api.program).await;
            balancer.lead_to(port_of(&url));
            serving = next;
        }
        serving
    };
    let (ends, _serving) = tokio::join!(clients, kills);
    assert!(ends.iter().all(|end| end == "dead"), "{ends:?}");
}
