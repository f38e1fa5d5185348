//! A Redis that speaks TLS, under a certificate of an authority that no system knows.

use stillcast_enqueue::{JobRecord, State};
use tests::authority::Authority;
use tests::program::{Program, Ran, binary};
use tests::server::Server;

const TEXT: &str = "The harbour was quiet, and a ferry turned around slowly in the evening light.";

/// A server, and the certificate that opens it.
struct TlsHarness {
    server: Server,
    trusted: String,
}

impl TlsHarness {
    async fn new() -> Self {
        let authority = Authority::new().await.unwrap();
        let server = Server::start_tls(authority).await.unwrap();
        let trusted = server.certificate().unwrap().display().to_string();
        Self { server, trusted }
    }

    fn at(&self, program: Program, trusted: &str) -> Program {
        program.env("REDIS_URL", self.server.tls_url()).env("REDIS_CA_FILE", trusted)
    }

    fn stillcast(&self, trusted: &str) -> Program {
        self.at(Program::stillcast(self.server.folder()), trusted)
    }

    /// A lease that ends before the job does, unless its renewals arrive.
    fn worker(&self, trusted: &str) -> Program {
        let store = format!("file://{}", self.server.folder().join("store").display());
        self.at(Program::at(binary("stillcast-worker")), trusted)
            .providers("offline")
            .env("STORAGE_URL", store)
            .env("STILLCAST_HOME", self.server.folder().join("home"))
            .env("WORKER_ADDR", "off")
            .env("LEASE_TTL", "3")
    }
}

#[tokio::test]
async fn a_job_is_enqueued_made_and_looked_at_over_tls() {
    let harness = TlsHarness::new().await;
    let stillcast = harness.stillcast(&harness.trusted);
    let enqueue = ["enqueue", "--text", "-", "--format", "video", "--json"];
    let _ = stillcast.run_with(&enqueue, TEXT).await.unwrap().expect(0);
    let _ = harness.worker(&harness.trusted).run(&["--until-empty"]).await.unwrap().expect(0);
    let jobs: serde_json::Value = stillcast.run(&["jobs", "--json"]).await.unwrap().json();
    let record: JobRecord = serde_json::from_value(jobs["jobs"][0].clone()).unwrap();
    // Not how often it was interrupted: a starved machine connects too slowly for such a lease, but
    // twenty interruptions without a checkpoint end a job whose renewals never arrive.
    let course = (record.state, record.attempt, record.crashes);
    assert_eq!(course, (State::Done, 1, 0), "{record:?}");
    let cached = harness.server.keys("{stillcast:stillcast:cache}:*").await.unwrap();
    assert!(!cached.is_empty(), "the shared cache was reached too");
    // The address itself may say whom to trust.
    let says_so = format!("{}?ca_file={}", harness.server.tls_url(), harness.trusted);
    let program = harness.stillcast("").env("REDIS_URL", says_so);
    let _ = program.run(&["queue", "stats"]).await.unwrap().expect(0);
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_is_named_with_what_to_do() {
    let (harness, other) = (TlsHarness::new().await, Authority::new().await.unwrap());
    let other = other.certificate().display().to_string();
    let advised = |ran: Ran| {
        let ran = ran.expect(69);
        assert!(ran.stderr.contains("peer certificate"), "{ran:?}");
        assert!(ran.stderr.contains("REDIS_CA_FILE"), "{ran:?}");
    };
    for trusted in [other.as_str(), ""] {
        advised(harness.worker(trusted).run(&["--until-empty"]).await.unwrap());
        advised(harness.stillcast(trusted).run(&["queue", "stats"]).await.unwrap());
        advised(
            harness.stillcast(trusted).run_with(&["enqueue", "--text", "-"], TEXT).await.unwrap(),
        );
    }
}

#[tokio::test]
async fn a_file_without_certificates_is_a_setting_to_mend() {
    let harness = TlsHarness::new().await;
    for trusted in ["/nowhere/ca.pem", file!()] {
        let stats = harness.stillcast(trusted).run(&["queue", "stats"]).await.unwrap();
        let check = harness.worker(trusted).run(&["--check"]).await.unwrap();
        for ran in [stats, check] {
            assert!(ran.clone().expect(78).stderr.contains(trusted), "{ran:?}");
        }
    }
}
