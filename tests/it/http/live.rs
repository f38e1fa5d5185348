//! A sound is heard over HTTP while it is made, by those who may, and its playlist ends however its job does.

use child::Running;
use reqwest::Method;
use serde_json::json;
use tests::program::{Program, binary};
use tests::simulator::{Endpoint, Fault, Latency, Options, Simulator, Voice};
use tests::wait::until;

use crate::support::{ADMIN, Answer, Api};

/// A server, a worker beside it, and a voice that needs a second for a passage.
struct Studio {
    api: Api,
    simulator: Simulator,
    _worker: Running,
}

impl Studio {
    async fn open(tokens: &str) -> Self {
        let api =
            Api::start_with(&[("API_TOKENS", tokens), ("API_REQUESTS_PER_MINUTE", "0")]).await;
        let folder = api.server.folder();
        let latency =
            Latency { first_audio: 1.0, real_time_factor: 0.0, scale: 1.0, ..Latency::NONE };
        let options = Options { latency, voice: Voice::Hurried, ..Options::quick(folder) };
        let simulator = Simulator::start(options).await.unwrap();
        let worker = Program::at(binary("stillcast-worker"))
            .providers("offline")
            .env("TTS_PROVIDER", "openai")
            .env("OPENAI_BASE_URL", simulator.base_url())
            .env("OPENAI_API_KEY", "sk-canary-live")
            .env("TTS_SLOTS", "1")
            .env("REDIS_URL", api.server.url())
            .env("STORAGE_URL", format!("file://{}/store", folder.display()))
            .env("STILLCAST_HOME", folder.join("worker"))
            .env("WORKER_ADDR", "off");
        let worker = worker.spawn(&[]).await.unwrap();
        Self { api, simulator, _worker: worker }
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        let bearer = format!("Authorization: Bearer {token}");
        self.api.send(Method::GET, path, &[&bearer], None).await
    }

    async fn post(&self, path: &str, body: &serde_json::Value) -> Answer {
        let bearer = format!("Authorization: Bearer {ADMIN}");
        self.api.send(Method::POST, path, &[&bearer], Some(body.to_string())).await
    }

    /// A job that is heard while it is made, and its list as soon as there is one.
    async fn listen(&self, text: &str) -> (String, String) {
        let options = json!({"live": true});
        let request = json!({"source": {"text": text}, "format": "audio", "options": options,
            "max_attempts": 1});
        let accepted = self.post("/v1/jobs", &request).await.json();
        let id = accepted["id"].as_str().unwrap().to_owned();
        let list = until("something is heard", async || {
            let list = self.get(&list_of(&id), ADMIN).await;
            if list.status.is_success() {
                return Some(list);
            }
            let _ = list.problem(409, "not-heard");
            None
        });
        let list = list.await;
        assert_eq!(list.header("content-type"), "application/vnd.apple.mpegurl");
        assert_eq!(list.header("cache-control"), "private, no-store");
        (id, list.text)
    }

    /// The list once the job has ended like this.
    async fn ended(&self, id: &str, state: &str) -> String {
        let path = format!("/v1/jobs/{id}");
        let has_ended = async || {
            let record = self.get(&path, ADMIN).await.json();
            (record["state"] == state).then_some(record)
        };
        let record = until(&format!("the job is {state}"), has_ended).await;
        assert!(record["live"].as_str().unwrap().ends_with("/index.m3u8"), "{record}");
        self.get(&list_of(id), ADMIN).await.text
    }
}

fn list_of(id: &str) -> String {
    format!("/v1/jobs/{id}/live/index.m3u8")
}

fn assert_grown(before: &str, after: &str) {
    let before = before.trim_end_matches("#EXT-X-ENDLIST\n");
    assert!(after.starts_with(before), "{before}\n{after}");
    assert!(after.ends_with("#EXT-X-ENDLIST\n"), "{after}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_is_heard_while_it_is_made_by_those_who_may() {
    let (acme, reader) = ("acme-0123456789abcdef", "read-0123456789abcdef");
    let tokens = format!("root:{ADMIN}:*:admin acme:{acme}:acme:enqueue reader:{reader}:*:read");
    let studio = Studio::open(&tokens).await;
    let (id, open) = studio.listen("Rain.").await;
    studio.simulator.hold(Endpoint::Speech);
    assert!(!open.contains("ENDLIST"), "{open}");
    let _ = studio.get(&list_of(&id), acme).await.problem(404, "unknown-job");
    let _ = studio.get(&list_of(&id), reader).await.problem(403, "forbidden");

    studio.simulator.release(Endpoint::Speech);
    let whole = studio.ended(&id, "done").await;
    assert_grown(&open, &whole);
    let map = whole.split("URI=\"").nth(1).unwrap().split('"').next().unwrap();
    for name in whole.lines().filter(|line| !line.starts_with('#')).chain([map]) {
        let path = format!("/v1/jobs/{id}/live/{name}");
        let bearer = format!("Bearer {ADMIN}");
        let sending = reqwest::Client::new().get(studio.api.url(&path));
        let part = sending.header("authorization", bearer).send().await.unwrap();
        assert_eq!(
            (part.status().as_u16(), &part.headers()["content-type"]),
            (200, &"audio/mp4".parse().unwrap())
        );
        assert!(part.bytes().await.unwrap().len() > 100, "{name}");
        let _ = studio.get(&path, acme).await.problem(404, "unknown-job");
        let _ = studio.get(&path, reader).await.problem(403, "forbidden");
    }
    for name in ["0/init.mp4", &map.replace("init.mp4", "index.json")] {
        let path = format!("/v1/jobs/{id}/live/{name}");
        let _ = studio.get(&path, ADMIN).await.problem(409, "not-heard");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_dies_or_is_ended_leaves_a_list_with_an_end() {
    let studio = Studio::open(&format!("root:{ADMIN}:*:admin")).await;
    let (id, open) = studio.listen("Rain.").await;
    studio.simulator.hold(Endpoint::Speech);
    let cancelled = studio.post(&format!("/v1/jobs/{id}/cancel"), &json!({})).await;
    assert!(cancelled.status.is_success(), "{cancelled:?}");
    assert_grown(&open, &studio.ended(&id, "cancelled").await);
    studio.simulator.release(Endpoint::Speech);

    let (id, open) = studio.listen("Snow.").await;
    let refused =
        Fault::Status { status: 400, code: "invalid_input".to_owned(), headers: Vec::new() };
    studio.simulator.script(Endpoint::Speech, [Some(refused)]);
    let ended = studio.ended(&id, "dead").await;
    assert_grown(&open, &ended);
    assert!(!ended.contains("/last-"), "it was not whole: {ended}");

    let bearer = format!("Authorization: Bearer {ADMIN}");
    let _ = studio.api.send(Method::DELETE, &format!("/v1/jobs/{id}"), &[&bearer], None).await;
    let live = studio.api.server.folder().join(format!("store/media/default/{id}"));
    assert!(!live.exists(), "a purge takes what was heard along");
}
