//! A Redis, a server of the API on it, and a client that holds every answer to the description.

use std::path::PathBuf;
use std::time::Duration;

use child::Running;
use queue::{Claim, ClaimRequest, Clock, Endpoint, Limits, Outcome, Report, Reported, Scripts};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use stillcast_enqueue::{Artifact, ErrorReport, ExtraFile};
use tests::program::Program;
use tests::server::Server;

/// Longest wait for one answer; reaching it is a failure.
const LIMIT: Duration = Duration::from_secs(90);
/// What the jobs are about: never in any answer but the transcript.
pub(crate) const TEXT: &str = "A secret walk along the shore.";
/// The token of everything, for all tenants.
pub(crate) const ADMIN: &str = "admin-0123456789abcdef";

pub(crate) struct Api {
    pub(crate) server: Server,
    pub(crate) program: Program,
    url: String,
    client: Client,
    serving: Option<Running>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Api {
    /// Without tokens, as on a machine of one's own.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[("API_REQUESTS_PER_MINUTE", "0")]).await
    }

    pub(crate) async fn start_with(settings: &[(&str, &str)]) -> Self {
        let server = Server::start().await.unwrap();
        let folder = server.folder();
        let program = Program::stillcast(&folder.join("home"))
            .env("REDIS_URL", server.url())
            .env("STORAGE_URL", format!("file://{}/store", folder.display()));
        let program =
            settings.iter().fold(program, |program, (name, value)| program.env(name, *value));
        let (serving, url) = serve(&program).await;
        let client = Client::builder().timeout(LIMIT).redirect(reqwest::redirect::Policy::none());
        Self { server, program, url, client: client.build().unwrap(), serving: Some(serving) }
    }

    /// Ends the server of the API, in the middle of whatever it does.
    pub(crate) fn stop(&mut self) {
        self.serving = None;
    }

    /// The process of the server.
    pub(crate) fn pid(&self) -> i32 {
        self.serving.as_ref().unwrap().pid()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Sends one request; each header is `name: value`, and a body is called JSON unless a header
    /// says otherwise.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[&str],
        body: Option<String>,
    ) -> Answer {
        let mut request = self.client.request(method, self.url(path));
        let mut named = HeaderMap::new();
        if body.is_some() {
            named.insert("content-type", HeaderValue::from_static("application/json"));
        }
        for header in headers {
            let (name, value) = header.split_once(": ").unwrap();
            let name: HeaderName = name.parse().unwrap();
            named.insert(name, value.parse().unwrap());
        }
        request = request.headers(named);
        request = body.into_iter().fold(request, reqwest::RequestBuilder::body);
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[], Some(body.to_string())).await
    }

    /// Enqueues one job; its identifier.
    pub(crate) async fn enqueue(&self) -> String {
        let answer = self.post("/v1/jobs", &request()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// A stream of events that has begun.
    pub(crate) async fn follow(&self, id: &str, headers: &[&str]) -> Response {
        let mut request = self.client.get(self.url(&format!("/v1/jobs/{id}/events")));
        for header in headers {
            let (name, value) = header.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        request.send().await.unwrap()
    }

    /// Claims the next job as a worker would, and reports what became of it.
    pub(crate) async fn report_next(&self, id: &str, outcome: Outcome) {
        let endpoint = Endpoint::new(&self.server.url(), "stillcast").unwrap();
        let connection = endpoint.shared(Duration::from_secs(5)).await.unwrap();
        let scripts = Scripts::new(endpoint.keys().clone(), Clock::Server);
        let (worker, lease_ttl) = ("worker", Duration::from_secs(30));
        let request = ClaimRequest { worker, nonce: id, lease_ttl, held: 0 };
        let claim = scripts.claim(&mut connection.clone(), &request).await.unwrap();
        let Claim::Job(job) = claim else { panic!("{claim:?}") };
        assert_eq!(job.id, id);
        let calls = scripts.lease(connection, id, &job.token);
        let report = Report::from(outcome);
        let answer = calls.report(&report, Duration::ZERO, &Limits::default()).await.unwrap();
        assert!(matches!(answer, Reported::Accepted(_)), "{answer:?}");
    }

    /// Puts a file where the artifact of a job lies, and tells of it as a worker would.
    pub(crate) fn deliver(&self, id: &str, bytes: &[u8]) -> (PathBuf, Outcome) {
        let key = format!("media/default/{id}/0e.m4a");
        let path = self.server.folder().join("store").join(&key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        let artifact = Artifact {
            url: format!("file://{}", path.display()),
            key,
            path: Some(path.display().to_string()),
            bytes: bytes.len() as u64,
            content_type: "audio/mp4".to_owned(),
            duration_s: 1.0,
            sha256: "0e".to_owned(),
            extras: std::collections::BTreeMap::new(),
        };
        (path, Outcome::Done { artifact: Box::new(artifact) })
    }

    /// The same with captions beside it.
    pub(crate) fn deliver_with_captions(
        &self,
        id: &str,
        bytes: &[u8],
        captions: &str,
    ) -> (PathBuf, Outcome) {
        let (path, mut outcome) = self.deliver(id, bytes);
        std::fs::write(self.captions_of(id), captions).unwrap();
        if let Outcome::Done { artifact } = &mut outcome {
            let extra = ExtraFile {
                url: String::new(),
                key: format!("media/default/{id}/0e.vtt"),
                path: None,
                bytes: captions.len() as u64,
                content_type: "text/vtt; charset=utf-8".to_owned(),
                sha256: "0e".to_owned(),
            };
            artifact.extras.insert("captions.vtt".to_owned(), extra);
        }
        (path, outcome)
    }

    /// Where the captions of a job lie.
    pub(crate) fn captions_of(&self, id: &str) -> PathBuf {
        self.server.folder().join(format!("store/media/default/{id}/0e.vtt"))
    }
}

/// A server of the API, and where it answers.
pub(crate) async fn serve(program: &Program) -> (Running, String) {
    tests::program::serve(program).await.unwrap()
}

/// The port of an address.
pub(crate) fn port_of(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// A request that nothing is wrong with.
pub(crate) fn request() -> Value {
    json!({"source": {"text": TEXT}, "format": "audio"})
}

pub(crate) fn dead() -> Outcome {
    Outcome::Dead { error: ErrorReport::new("voice-unknown", "there is no such voice") }
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        assert!(!text.contains("secret walk"), "{text}");
        assert!(headers.contains_key("x-request-id"), "{headers:?}");
        Self { status, headers, text }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts that it is this problem, told as RFC 9457 has it; the problem.
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(
            (self.status.as_u16(), problem["code"].as_str()),
            (status, Some(code)),
            "{self:?}"
        );
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("/problems/{code}"));
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert_eq!(problem["retryable"], self.headers.contains_key("retry-after"), "{self:?}");
        problem
    }
}
