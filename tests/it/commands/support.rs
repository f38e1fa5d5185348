//! A Redis, the program pointed at it, and jobs in the states that a test needs.

use std::path::PathBuf;
use std::time::Duration;

use queue::{Claim, ClaimRequest, Clock, Endpoint, Limits, Outcome, Report, Reported, Scripts};
use serde_json::Value;
use stillcast_enqueue::ErrorReport;
use tests::program::{Program, Ran};
use tests::server::Server;

/// What the jobs are about: never in any answer.
pub(crate) const TEXT: &str = "A secret walk along the shore.";

pub(crate) struct CommandHarness {
    pub(crate) server: Server,
    pub(crate) program: Program,
}

impl CommandHarness {
    pub(crate) async fn start() -> Self {
        let server = Server::start().await.unwrap();
        let folder = server.folder();
        let program = Program::stillcast(&folder.join("home"))
            .env("REDIS_URL", server.url())
            .env("STORAGE_URL", format!("file://{}/store", folder.display()));
        Self { server, program }
    }

    /// Runs a command; its answer and its words never hold the private text.
    pub(crate) async fn run(&self, args: &[&str]) -> Ran {
        let ran = self.program.run_with(args, TEXT).await.unwrap();
        assert!(!format!("{ran:?}").contains("secret"), "{ran:?}");
        ran
    }

    /// Runs a command that must succeed, for its JSON.
    pub(crate) async fn json(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        self.run(&args).await.expect(0).json()
    }

    /// Enqueues one job, with further arguments.
    pub(crate) async fn enqueue(&self, more: &[&str]) -> String {
        let args: Vec<&str> = ["enqueue", "--text", "-"].iter().chain(more).copied().collect();
        let accepted = self.json(&args).await;
        assert_eq!(accepted["duplicate"], false);
        accepted["id"].as_str().unwrap().to_owned()
    }

    /// Claims the next job as a worker would, and reports it dead.
    pub(crate) async fn fail_next(&self, id: &str) {
        self.fail_next_of(id, unknown_voice()).await;
    }

    /// The same of an error of one's own.
    pub(crate) async fn fail_next_of(&self, id: &str, error: ErrorReport) {
        let endpoint = Endpoint::new(&self.server.url(), "stillcast").unwrap();
        let connection = endpoint.shared(Duration::from_secs(5)).await.unwrap();
        let scripts = Scripts::new(endpoint.keys().clone(), Clock::Server);
        let (worker, lease_ttl) = ("worker", Duration::from_secs(30));
        let request = ClaimRequest { worker, nonce: id, lease_ttl, held: 0 };
        let claim = scripts.claim(&mut connection.clone(), &request).await.unwrap();
        let Claim::Job(job) = claim else { panic!("{claim:?}") };
        assert_eq!(job.id, id);
        let report = Report::from(Outcome::Dead { error });
        let calls = scripts.lease(connection, id, &job.token);
        let answer = calls.report(&report, Duration::ZERO, &Limits::default()).await.unwrap();
        assert_eq!(answer, Reported::Accepted("dead".to_owned()));
    }

    /// Puts a file where a job's artifact would lie.
    pub(crate) fn file_of(&self, id: &str) -> PathBuf {
        self.put(&format!("store/media/default/{id}/digest.m4a"))
    }

    /// Puts a file where a job's unfinished work would lie.
    pub(crate) fn work_of(&self, id: &str) -> PathBuf {
        self.put(&format!("store/work/default/{id}/digest"))
    }

    fn put(&self, path: &str) -> PathBuf {
        let file = self.server.folder().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "sound").unwrap();
        file
    }
}

fn unknown_voice() -> ErrorReport {
    ErrorReport {
        stage: Some(stillcast_enqueue::StageName::Tts),
        provider: Some("offline".to_owned()),
        code: "voice-unknown".to_owned(),
        message: "there is no such voice; choose slt".to_owned(),
    }
}
