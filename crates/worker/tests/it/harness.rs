//! A private Redis, folders and an environment go in; a worker process under test comes out.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use child::{ChildError, Running, Spec};
use futures::FutureExt;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use stillcast_enqueue::capability::Capability;
use stillcast_enqueue::{Producer, ProducerOptions};
use tempfile::TempDir;
use tests::server::Server;
pub(crate) use tests::wait::until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest wait for any event; reaching it is a failure, never a pass.
const WAIT_TIMEOUT: Duration = Duration::from_secs(150);
/// The queue of every test here.
pub(crate) const QUEUE: &str = "worker-tests";

/// The environment of one worker, and the folder in which it lives.
pub(crate) struct WorkerHarness {
    folder: Arc<TempDir>,
    variables: BTreeMap<String, String>,
}

/// How a worker ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl WorkerHarness {
    /// Every required setting, with a Redis that nobody has started.
    pub(crate) fn new() -> Self {
        let folder = Arc::new(tempfile::Builder::new().prefix("sc-").tempdir().unwrap());
        let at = |name: &str| folder.path().join(name).display().to_string();
        let harness = Self { variables: BTreeMap::new(), folder: Arc::clone(&folder) }
            .set("REDIS_URL", &format!("unix://{}", at("nobody.sock")))
            .set("STORAGE_URL", &format!("file://{}", at("store")))
            .set("STILLCAST_HOME", &at("home"))
            .set("QUEUE_NAME", QUEUE)
            .set("WORKER_ADDR", "off")
            .set("LEASE_TTL", "3")
            .set("PATH", &path());
        let offline = Capability::ALL.map(|capability| format!("{capability}_PROVIDER"));
        offline.iter().fold(harness, |harness, name| harness.set(name, "offline"))
    }

    /// The same, on `server`.
    pub(crate) fn on(server: &Server) -> Self {
        Self::new().set("REDIS_URL", &server.url())
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn unset(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder().join("store")
    }

    fn spec(&self, arguments: &[&str]) -> Spec {
        let spec = Spec::new(env!("CARGO_BIN_EXE_stillcast-worker")).env_clear().args(arguments);
        self.variables.iter().fold(spec, |spec, (name, value)| spec.env(name, value))
    }

    /// Starts a worker, and leaves it running.
    pub(crate) async fn start(&self, arguments: &[&str]) -> Worker {
        let log = tempfile::Builder::new().prefix("log-").tempfile_in(self.folder()).unwrap();
        let (file, log) = log.keep().unwrap();
        let running = self.spec(arguments).stderr(child::Stream::File(file)).spawn();
        let running = running.await.unwrap();
        Worker { running, log, _folder: Arc::clone(&self.folder) }
    }

    /// Runs a worker to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        let log = std::fs::File::create(self.folder().join("out")).unwrap();
        let spec = self.spec(arguments).stdout(child::Stream::File(log)).timeout(WAIT_TIMEOUT);
        let ended = spec.run().await;
        let stdout = std::fs::read_to_string(self.folder().join("out")).unwrap();
        match ended {
            Ok(finished) => Ended { code: 0, stdout, stderr: finished.stderr },
            Err(ChildError::Status { code, stderr, .. }) => Ended { code, stdout, stderr },
            Err(error) => panic!("{error}"),
        }
    }
}

/// A running worker; killed when dropped.
pub(crate) struct Worker {
    running: Running,
    log: PathBuf,
    /// Its home, which must outlive it.
    _folder: Arc<TempDir>,
}

impl Worker {
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.running.pid()), signal).unwrap();
    }

    pub(crate) fn pid(&self) -> i32 {
        self.running.pid()
    }

    /// SIGKILL, and waits for its end.
    pub(crate) async fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        let ended = tokio::time::timeout(WAIT_TIMEOUT, self.running.wait()).await;
        assert!(matches!(ended, Ok(Err(ChildError::Signal { .. }))), "{ended:?}");
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.running.wait().now_or_never().is_some()
    }

    /// The exit code.
    pub(crate) async fn end(&mut self) -> i32 {
        let ended = tokio::time::timeout(WAIT_TIMEOUT, self.running.wait()).await;
        match ended.expect("it ends in time") {
            Ok(_) => 0,
            Err(ChildError::Status { code, .. }) => code,
            Err(error) => panic!("{error}"),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the worker needs ours to find FFmpeg")]
fn path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

/// The door in.
pub(crate) async fn producer(server: &Server) -> Producer {
    let options = ProducerOptions { queue_name: QUEUE.to_owned(), ..ProducerOptions::default() };
    Producer::connect_with(&server.url(), options).await.unwrap()
}

/// An address that was free a moment ago.
pub(crate) async fn free_address() -> SocketAddr {
    tests::ports::free_address().await.unwrap()
}

/// The answer to `GET path`, head and body; `None` when nobody listens.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}
