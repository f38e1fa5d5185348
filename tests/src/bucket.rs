//! Two stores that speak S3 and that we did not write: s3s-fs in this process, quick and strict
//! about signatures, and moto, an independent second opinion.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use child::{Running, Spec, Stream};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{HttpError, HttpResponse, S3Result, s3_error};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use crate::ports::free_address;

/// The key that both stores take.
pub const ACCESS_KEY: &str = "test-key";
/// Its secret.
pub const SECRET_KEY: &str = "test-secret";
/// A bucket that exists.
pub const BUCKET: &str = "deliveries";
/// How long moto may take to start; reaching it is a failure, never a pass.
const WAIT_TIMEOUT: Duration = Duration::from_mins(1);

/// A store and what must live as long as it.
pub struct Bucket {
    endpoint: String,
    /// What happens in the store of this process.
    pub script: Arc<Script>,
    folder: Option<TempDir>,
    _serving: JoinSet<()>,
    _moto: Option<Running>,
}

/// What the store of this process does with a request, by the name of its verb.
#[derive(Default)]
pub struct Script {
    steps: Mutex<HashMap<String, Step>>,
    heard: Mutex<Vec<String>>,
    changed: Notify,
}

/// A request that the store of this process has answered; its times are in µs since the epoch.
#[derive(Clone, Debug)]
pub struct Served {
    /// Such as `PUT`.
    pub method: String,
    /// Bucket and key.
    pub path: String,
    /// When its head had come.
    pub began: i64,
    /// When its answer was ready.
    pub ended: i64,
}

/// Instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `InternalError`, with status 500.
    Fail,
    /// `AccessDenied`, with status 403.
    Deny,
    /// Nothing, for ever.
    Hang,
}

impl Script {
    /// From now on `verb`, such as `UploadPart`, is answered so.
    pub fn set(&self, verb: &str, step: Step) {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).insert(verb.to_owned(), step);
    }

    /// From now on every verb is answered as it should be.
    pub fn clear(&self) {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How often a verb was asked for.
    #[must_use]
    pub fn heard(&self, verb: &str) -> usize {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().filter(|known| *known == verb).count()
    }

    /// Waits until a verb was asked for so often.
    pub async fn wait_for(&self, verb: &str, times: usize) {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                if self.heard(verb) >= times {
                    return;
                }
                changed.await;
            }
        };
        let waited = tokio::time::timeout(WAIT_TIMEOUT, waiting).await;
        assert!(waited.is_ok(), "{verb} was asked for {} times", self.heard(verb));
    }

    fn hear(&self, verb: &str) -> Option<Step> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(verb.to_owned());
        self.changed.notify_waiters();
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).get(verb).copied()
    }
}

struct Scripted(Arc<Script>);

#[async_trait::async_trait]
impl S3Access for Scripted {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        if request.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "Signature is required"));
        }
        match self.0.hear(request.s3_op().name()) {
            None => Ok(()),
            Some(Step::Fail) => Err(s3_error!(InternalError)),
            Some(Step::Deny) => Err(s3_error!(AccessDenied)),
            Some(Step::Hang) => std::future::pending().await,
        }
    }
}

impl Bucket {
    /// A store in this process.
    pub async fn here() -> anyhow::Result<Self> {
        Self::told(None).await
    }

    /// The same; `told` hears of each request.
    pub async fn told(told: Option<UnboundedSender<Served>>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let files = FileSystem::new(folder.path());
        let files = files.map_err(|error| anyhow::anyhow!("s3s-fs: {error:?}"))?;
        let script = Arc::new(Script::default());
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        builder.set_access(Scripted(Arc::clone(&script)));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, builder.build(), told));
        let folder = Some(folder);
        Self { endpoint, script, folder, _serving: serving, _moto: None }.made().await
    }

    /// moto, in a process of its own.
    pub async fn moto() -> anyhow::Result<Self> {
        let port = free_address().await?.port();
        let port = port.to_string();
        let spec = Spec::new(python()?)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port])
            .env("PYTHONWARNINGS", "ignore")
            .stderr(Stream::Null);
        let (moto, endpoint) = (Some(spec.spawn().await?), format!("http://127.0.0.1:{port}"));
        let (script, serving) = (Arc::default(), JoinSet::new());
        let bucket = Self { endpoint, script, folder: None, _serving: serving, _moto: moto };
        let address = format!("127.0.0.1:{port}");
        let listening = async {
            while tokio::net::TcpStream::connect(&address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(WAIT_TIMEOUT, listening).await.context("moto does not listen")?;
        bucket.made().await
    }

    async fn made(self) -> anyhow::Result<Self> {
        self.client().create_bucket().bucket(BUCKET).send().await?;
        Ok(self)
    }

    /// Where it listens.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The test's own client, which repeats what fails.
    #[must_use]
    pub fn client(&self) -> Client {
        let key = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "tests");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint)
            .region(Region::new("us-east-1"))
            .credentials_provider(key)
            .force_path_style(true);
        Client::from_conf(config.build())
    }

    /// The names of all objects, sorted.
    pub async fn objects(&self) -> anyhow::Result<Vec<String>> {
        let listed = self.client().list_objects_v2().bucket(BUCKET).send().await?;
        let names = listed.contents().iter().filter_map(|object| object.key());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        Ok(names)
    }

    /// The bytes of one object.
    pub async fn object(&self, key: &str) -> anyhow::Result<Vec<u8>> {
        let found = self.client().get_object().bucket(BUCKET).key(key).send().await?;
        Ok(found.body.collect().await?.to_vec())
    }

    /// Makes an object of the store of this process look as if it had been written so long ago.
    pub fn age(&self, key: &str, by: Duration) -> anyhow::Result<()> {
        let folder = self.folder.as_ref().context("only the store of this process")?;
        age(&folder.path().join(BUCKET).join(key), by)
    }

    /// How many uploads have begun and not ended; s3s-fs cannot say.
    pub async fn pending(&self) -> anyhow::Result<usize> {
        let listed = self.client().list_multipart_uploads().bucket(BUCKET).send().await?;
        Ok(listed.uploads().len())
    }
}

/// Makes a file look as if it had been written so long ago.
pub fn age(file: &Path, by: Duration) -> anyhow::Result<()> {
    let opened = std::fs::File::options().write(true).open(file)?;
    Ok(opened.set_modified(opened.metadata()?.modified()? - by)?)
}

async fn serve(listener: TcpListener, service: S3Service, told: Option<UnboundedSender<Served>>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let (service, told) = (service.clone(), told.clone());
        connections.spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            let service = service_fn(|request| answered(service.clone(), request, told.clone()));
            // A client that goes away in the middle is what some tests are about.
            let _ = builder.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

/// The store's answer; `told` hears of it.
async fn answered(
    service: S3Service,
    request: Request<Incoming>,
    told: Option<UnboundedSender<Served>>,
) -> Result<HttpResponse, HttpError> {
    let Some(told) = told else { return Service::call(&service, request).await };
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let began = now();
    let answer = Service::call(&service, request).await;
    // Who listens no more need not know.
    let _ = told.send(Served { method, path, began, ended: now() });
    answer
}

fn now() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

/// The interpreter of the environment that `tests/run` makes.
#[expect(clippy::disallowed_methods, reason = "the runner of the tests hands it over")]
pub fn python() -> anyhow::Result<OsString> {
    std::env::var_os("STILLCAST_TEST_PYTHON")
        .context("STILLCAST_TEST_PYTHON is not set; tests/run sets it, and installs moto")
}
