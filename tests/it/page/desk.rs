//! A Redis, a server of the pages on it, and a worker's hands: jobs come, run, end and die as told.

use std::time::Duration;

use child::Running;
use queue::{
    Claim, ClaimRequest, Clock, Endpoint, Limits, Outcome, Report, Reported, Scripts, Verb,
};
use stillcast_enqueue::connection::SharedConnection;
use stillcast_enqueue::{
    Artifact, Cost, ErrorReport, Job, Producer, Source, StageName, StageRecord,
};
use tests::program::{Program, serve};
use tests::server::Server;

use crate::browser::Browser;

pub(crate) struct Desk {
    pub(crate) server: Server,
    pub(crate) url: String,
    pub(crate) browser: Browser,
    pub(crate) producer: Producer,
    _serving: Running,
}

/// A job that a worker holds.
pub(crate) struct Held {
    pub(crate) id: String,
    token: String,
    scripts: Scripts,
    connection: SharedConnection,
}

impl Held {
    /// What became of it.
    pub(crate) async fn report(&self, report: &Report) {
        let calls = self.scripts.lease(self.connection.clone(), &self.id, &self.token);
        let answer =
            calls.report(report, Duration::from_secs(1), &Limits::default()).await.unwrap();
        assert!(matches!(answer, Reported::Accepted(_)), "{answer:?}");
    }
}

impl Desk {
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
        let (serving, url) = serve(&program).await.unwrap();
        let producer = Producer::connect(&server.url()).await.unwrap();
        Self { server, url, browser: Browser::start().await, producer, _serving: serving }
    }

    /// Opens a page, and asserts that it had nothing to complain about.
    pub(crate) async fn open(&self, path: &str) {
        self.browser.open(&format!("{}{path}", self.url)).await;
        self.assert_quiet().await;
    }

    /// Nothing has failed in the browser since the last look.
    pub(crate) async fn assert_quiet(&self) {
        let console = self.browser.console().await;
        assert!(console.is_empty(), "{console:?}");
    }

    /// Brings one job in; its identifier.
    pub(crate) async fn enqueue(&self) -> String {
        self.enqueue_job(&audio()).await
    }

    pub(crate) async fn enqueue_job(&self, job: &Job) -> String {
        self.producer.enqueue(job).await.unwrap().id.to_string()
    }

    /// Claims the next job as a worker would.
    pub(crate) async fn claim(&self) -> Held {
        let endpoint = Endpoint::new(&self.server.url(), "stillcast").unwrap();
        let connection = endpoint.shared(Duration::from_secs(5)).await.unwrap();
        let scripts = Scripts::new(endpoint.keys().clone(), Clock::Server);
        let nonce = fastrand::u64(..).to_string();
        let lease_ttl = Duration::from_mins(5);
        let request = ClaimRequest { worker: "desk-1", nonce: &nonce, lease_ttl, held: 0 };
        let claim = scripts.claim(&mut connection.clone(), &request).await.unwrap();
        let Claim::Job(job) = claim else { panic!("{claim:?}") };
        Held { id: job.id, token: job.token, scripts, connection }
    }

    /// Tells the history what a worker has counted, by name.
    pub(crate) async fn tally(&self, counts: &[(&str, &str)]) {
        let endpoint = Endpoint::new(&self.server.url(), "stillcast").unwrap();
        let mut connection = endpoint.shared(Duration::from_secs(5)).await.unwrap();
        let scripts = Scripts::new(endpoint.keys().clone(), Clock::Server);
        let mut call = scripts.call(Verb::Tally);
        for (name, count) in counts {
            call.arg(*name).arg(*count);
        }
        let told: (u64, u64) = call.invoke_async(&mut connection).await.unwrap();
        assert_eq!(told.1, 0, "each name has found room");
    }

    /// Claims the next job and reports what became of it; its identifier.
    pub(crate) async fn end_next(&self, report: Report) -> String {
        let held = self.claim().await;
        held.report(&report).await;
        held.id
    }

    /// What a worker tells of a delivered job; its file lies in the store.
    pub(crate) fn delivery(&self, id: &str, bytes: &[u8]) -> Report {
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
            duration_s: 301.0,
            sha256: "0e".repeat(32),
            extras: std::collections::BTreeMap::new(),
        };
        let cost = Cost { spent_usd: 0.0312, avoided_usd: 0.011, wasted_usd: 0.0 };
        let (stages, cost) = (Some(stages()), Some(cost));
        Report { stages, cost, ..Report::from(Outcome::Done { artifact: Box::new(artifact) }) }
    }
}

/// A request that nothing is wrong with.
pub(crate) fn audio() -> Job {
    Job::audio(Source::Text("A secret walk along the shore.".to_owned()))
}

/// One second of a tone, as a worker delivers speech.
pub(crate) async fn sound() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tone.m4a");
    let to = file.to_str().unwrap();
    let input = ["-loglevel", "error", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", to];
    let _ = Program::at("ffmpeg").run(&input).await.unwrap().expect(0);
    std::fs::read(file).unwrap()
}

/// A failure that only a person can mend.
pub(crate) fn death(stage: StageName, provider: &str, code: &str) -> Report {
    let error = ErrorReport {
        stage: Some(stage),
        provider: Some(provider.to_owned()),
        ..ErrorReport::new(code, format!("the {stage} stage cannot go on: {code}"))
    };
    Report::from(Outcome::Dead { error })
}

fn stages() -> Vec<StageRecord> {
    let stage = |stage, wait_s, run_s, tries, provider: &str| StageRecord {
        wait_s,
        run_s,
        tries,
        cached: tries == 0,
        ..StageRecord::cached(stage, Some(provider.to_owned()))
    };
    vec![
        stage(StageName::Collection, 0.0, 0.02, 1, "request"),
        stage(StageName::Transcript, 0.1, 6.4, 1, "openai"),
        stage(StageName::Tts, 0.4, 9.1, 2, "openai"),
        stage(StageName::Image, 0.0, 0.0, 0, "openai"),
        stage(StageName::Encode, 0.2, 3.3, 1, "ffmpeg"),
        stage(StageName::Upload, 0.0, 0.4, 1, "fs"),
    ]
}
