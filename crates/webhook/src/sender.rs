//! A message goes in and is sent once; what was answered, or why nothing was, comes out.

use std::error::Error;
use std::iter;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use providers::retry_after;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, ClientBuilder, Proxy, RequestBuilder, Response, Url};
use secrecy::SecretString;
use tokio::time::{Instant, timeout};

use crate::guard::{Allowed, literal};
use crate::resolver::{GuardedResolver, Lookup, NotReached, SystemLookup};
use crate::signature::{InvalidKey, Secrets};
use crate::turns::Turns;

/// Longest wait for a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer's body is waited for: its status has said all that matters.
const BODY: Duration = Duration::from_secs(2);
/// How much of it is read.
const MAX_BODY: usize = 1024;

/// How messages are signed, and where they may go.
pub struct SenderOptions {
    /// Tenant, or `*`, and key; several of one tenant are a rotation.
    pub secrets: Vec<(String, SecretString)>,
    /// Hosts, addresses and blocks beside the public ones; to these `http://` will do.
    pub allow: Vec<String>,
    /// A proxy that resolves and reaches in this host's place, and decides by itself what is public.
    pub proxy: Option<String>,
    /// Longest attempt. Default 15 s.
    pub timeout: Duration,
}

impl Default for SenderOptions {
    fn default() -> Self {
        let (secrets, allow) = (Vec::new(), Vec::new());
        Self { secrets, allow, proxy: None, timeout: Duration::from_secs(15) }
    }
}

impl SenderOptions {
    /// To the one receiver at `url`, which an operator has named, so that it may be inside; signed by
    /// `key`, whoever the tenant.
    pub fn to_own(url: &str, key: SecretString) -> Self {
        let host = Url::parse(url).ok().and_then(|url| Some(url.host_str()?.to_owned()));
        let secrets = vec![("*".to_owned(), key)];
        Self { secrets, allow: host.into_iter().collect(), ..Self::default() }
    }
}

/// Why there is no sender.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// A key is none.
    #[error("WEBHOOK_SECRETS: {0}")]
    Key(#[from] InvalidKey),
    /// Proxy, TLS or connections cannot be set up.
    #[error("WEBHOOK_PROXY, or the machine's TLS: {0}")]
    Http(#[from] reqwest::Error),
}

/// What is sent.
#[derive(Clone, Copy)]
pub struct Message<'message> {
    /// The `webhook-id`; letters, digits and `_`.
    pub id: &'message str,
    /// Whose secret signs it.
    pub tenant: &'message str,
    /// Where it goes.
    pub url: &'message str,
    /// JSON.
    pub body: &'message str,
}

/// What became of one attempt.
#[derive(Clone, Debug)]
pub enum Sent {
    /// It was made.
    Made(Answer),
    /// The tenant has no secret: nothing was sent.
    NoSecret,
    /// The receiver has enough attempts under way: nothing was sent.
    Crowded,
}

/// What was answered, or why nothing was.
#[derive(Clone, Debug)]
pub struct Answer {
    /// When the attempt began.
    pub at: SystemTime,
    /// The status, when there was one; 3xx too, since no redirect is followed.
    pub status: Option<u16>,
    /// One stable word when there was none: `address-invalid`, `http-refused`, `address-refused`,
    /// `name-unknown`, `connection-failed`, `connection-broken` or `timed-out`.
    pub error: Option<&'static str>,
    /// Until the head of the answer, or the failure.
    pub latency: Duration,
    /// The first KiB of the body.
    pub body: Vec<u8>,
    /// How long the receiver asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// Signs and sends. Cheap to share; each attempt has a connection of its own, so that what was looked
/// at before it is what it goes to.
pub struct Sender {
    client: Client,
    secrets: Secrets,
    allowed: Arc<Allowed>,
    turns: Turns,
    timeout: Duration,
}

impl Sender {
    /// A sender with the system's names.
    pub fn new(options: &SenderOptions) -> Result<Self, SenderError> {
        Self::with_lookup(options, Arc::new(SystemLookup))
    }

    pub(crate) fn with_lookup(
        options: &SenderOptions,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, SenderError> {
        let SenderOptions { secrets, allow, proxy, timeout } = options;
        let secrets = Secrets::new(secrets.iter().map(|(tenant, key)| (tenant.as_str(), key)))?;
        let allowed = Arc::new(Allowed::new(allow.iter().map(String::as_str)));
        let client = if let Some(proxy) = proxy {
            builder().proxy(Proxy::all(proxy)?)
        } else {
            // A proxy of the environment would resolve names that nobody has looked at.
            let resolver = GuardedResolver { lookup, allowed: Arc::clone(&allowed) };
            builder().no_proxy().dns_resolver(Arc::new(resolver))
        };
        Ok(Self {
            client: client.build()?,
            secrets,
            allowed,
            turns: Turns::default(),
            timeout: *timeout,
        })
    }

    /// Whether it can sign for anybody.
    pub fn can_sign(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// Makes one attempt, within the time-out and two seconds for the answer's body.
    pub async fn send(&self, message: Message<'_>) -> Sent {
        let at = wall_clock();
        let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let Message { id, tenant, url, body } = message;
        let Some(signature) = self.secrets.sign(tenant, id, seconds, body) else {
            return Sent::NoSecret;
        };
        let url = match self.admit(url) {
            Ok(url) => url,
            Err(word) => return Sent::Made(Answer::failed(at, word)),
        };
        let receiver = format!("{tenant} {}", url.authority());
        let Some(_turn) = self.turns.take(receiver) else { return Sent::Crowded };
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json");
        let request = request.header("webhook-id", id).header("webhook-timestamp", seconds);
        let request = request.header("webhook-signature", signature).body(body.to_owned());
        Sent::Made(attempt(at, request, self.timeout).await)
    }

    /// The address, if its scheme and its host will do; a name is looked at when it is resolved.
    fn admit(&self, url: &str) -> Result<Url, &'static str> {
        let url = Url::parse(url).map_err(|_| "address-invalid")?;
        let host = url.host_str().filter(|_| url.username().is_empty() && url.password().is_none());
        let host = host.ok_or("address-invalid")?;
        let is_named = self.allowed.names(host);
        match url.scheme() {
            "https" => {}
            "http" if is_named => {}
            "http" => return Err("http-refused"),
            _ => return Err("address-invalid"),
        }
        let may = literal(host).is_none_or(|address| self.allowed.may_reach(address));
        if may || is_named { Ok(url) } else { Err(NotReached::Refused.word()) }
    }
}

#[expect(clippy::disallowed_methods, reason = "a receiver judges the timestamp by its own clock")]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}

/// One connection an attempt, no second one behind a caller's back, and no redirects.
fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("stillcast/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
}

async fn attempt(at: SystemTime, request: RequestBuilder, limit: Duration) -> Answer {
    let begun = Instant::now();
    let sent = timeout(limit, request.send()).await;
    let latency = begun.elapsed();
    let response = match sent {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Answer { latency, ..Answer::failed(at, word_of(&error)) },
        Err(_) => return Answer { latency, ..Answer::failed(at, "timed-out") },
    };
    Answer {
        at,
        status: Some(response.status().as_u16()),
        error: None,
        latency,
        retry_after: retry_after(response.headers()),
        body: beginning(response).await,
    }
}

/// What comes of the body in its time.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk[..chunk.len().min(MAX_BODY - body.len())]);
            if body.len() >= MAX_BODY {
                break;
            }
        }
    };
    // Late bytes are left.
    let _ = timeout(BODY, reading).await;
    body
}

impl Answer {
    fn failed(at: SystemTime, word: &'static str) -> Self {
        let (latency, body) = (Duration::ZERO, Vec::new());
        Self { at, status: None, error: Some(word), latency, body, retry_after: None }
    }
}

/// Whose fault it was that nothing was answered. The words of the error stay out: the address may hold
/// a secret.
fn word_of(error: &reqwest::Error) -> &'static str {
    let first: &(dyn Error + 'static) = error;
    let mut chain = iter::successors(Some(first), |&error| error.source());
    if let Some(not_reached) = chain.find_map(|error| error.downcast_ref::<NotReached>()) {
        not_reached.word()
    } else if error.is_timeout() {
        "timed-out"
    } else if error.is_connect() {
        "connection-failed"
    } else {
        "connection-broken"
    }
}
