//! The settings go in; the API of the configured queue is served, until somebody ends it.

use std::fmt::Display;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use api::{ApiOptions, FeedOf, ServeError, Teller, Tokens};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use settings::AlertConfig;
use stillcast_enqueue::Identifier;
use telemetry::{Guard, Logging};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use webhook::{Answer, Message, Sender, SenderOptions, Sent};

use crate::cli_error::CliError;
use crate::config::{Config, HttpConfig};
use crate::connect;

/// Whose key signs alerts: there is but one.
const EVERYBODY: &str = "*";

/// A server that listens and does not answer yet.
pub(crate) struct Server {
    listener: TcpListener,
    options: ApiOptions,
    /// Tells of the ends of jobs, beside the workers.
    webhooks: JoinSet<()>,
    /// Hands over the outbox, beside the workers.
    relay: JoinSet<()>,
}

/// The feed of `tenant`, whose episodes podcast apps fetch from `base`.
pub(crate) async fn feed(
    config: &Config,
    (tenant, base): (&str, Option<&str>),
    limit: usize,
) -> anyhow::Result<String> {
    let own = format!("http://{}", config.http.address);
    let base = base.unwrap_or(&own);
    if !api::is_base(base) {
        return Err(CliError::usage("--url takes an address such as https://api.example.org"));
    }
    let tenant = Identifier::parse("tenant", tenant);
    let tenant = tenant.map_err(|fault| CliError::usage(fault.to_string()))?.to_string();
    let inspector = connect::inspector(config).await?;
    Ok(api::feed(&inspector, &FeedOf { tenant: &tenant, base, limit }).await?)
}

/// From here on log lines go to stderr.
pub(crate) fn log(http: &HttpConfig) -> anyhow::Result<Guard> {
    let (format, filter) = &http.log;
    let fault = |error: telemetry::TelemetryError| CliError::configuration(error.to_string());
    let logging = Logging::new(format.parse().map_err(fault)?, filter).map_err(fault)?;
    telemetry::start(&logging).context("logging")
}

impl Server {
    /// Takes the address, and connects to the queue and the store.
    pub(crate) async fn start(config: &Config) -> anyhow::Result<Self> {
        let place = connect::place(config)?;
        let store = match &place.storage_url {
            Some(url) => Some(super::store::store(url, &config.bucket).await?),
            None => None,
        };
        let options = ApiOptions {
            inspector: connect::inspector(config).await?,
            producer: connect::producer(&place.redis_url, config).await?,
            store,
            tokens: tokens(&config.http)?,
            requests_per_minute: config.http.requests_per_minute,
            backlog_target: config.http.backlog_target,
            teller: teller(&config.http)?,
        };
        let listener = listen(config.http.address).await?;
        api::check(listener.local_addr()?, &options.tokens).map_err(misconfigured)?;
        let webhooks = webhook::deliver(connect::endpoint(&place, config)?, &config.webhooks);
        let relay = super::relay::relay(config)?;
        Ok(Self { listener, options, webhooks: webhooks.map_err(misconfigured)?, relay })
    }

    /// The same, or `None` in a build without the API.
    pub(crate) async fn start_if_built(config: &Config) -> anyhow::Result<Option<Self>> {
        Self::start(config).await.map(Some)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Answers until `ends`; then what is under way ends too.
    pub(crate) async fn run(self, ends: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self { listener, options, webhooks: _telling, relay: _relaying } = self;
        let served = api::serve(listener, options, ends).await;
        served.map_err(|error| match error {
            ServeError::Open(_) => CliError::configuration(error.to_string()),
            error => CliError::missing(error.to_string()),
        })
    }
}

/// Carries alerts as other webhooks are carried.
fn teller(http: &HttpConfig) -> anyhow::Result<Option<Arc<dyn Teller>>> {
    let Some(AlertConfig { url, key }) = &http.alerts else { return Ok(None) };
    let options = SenderOptions::to_own(url.expose_secret(), key.clone());
    let sender = Sender::new(&options);
    let sender = sender.map_err(|error| CliError::configuration(error.to_string()))?;
    Ok(Some(Arc::new(AlertTeller { sender, url: url.clone() })))
}

struct AlertTeller {
    sender: Sender,
    url: SecretString,
}

#[async_trait]
impl Teller for AlertTeller {
    async fn tell(&self, id: &str, body: &str) -> Result<(), String> {
        let url = self.url.expose_secret();
        match self.sender.send(Message { id, tenant: EVERYBODY, url, body }).await {
            Sent::Made(Answer { status: Some(200..300), .. }) => Ok(()),
            Sent::Made(Answer { status: Some(status), .. }) => Err(format!("it answered {status}")),
            Sent::Made(Answer { error, .. }) => Err(error.unwrap_or_default().to_owned()),
            Sent::NoSecret | Sent::Crowded => Err("nothing was sent".to_owned()),
        }
    }
}

fn tokens(http: &HttpConfig) -> anyhow::Result<Tokens> {
    let read = match (&http.tokens_file, &http.tokens) {
        (Some(file), _) => Tokens::of_file(file),
        (None, Some(tokens)) => Tokens::parse(tokens.expose_secret()),
        (None, None) => Ok(Tokens::none()),
    };
    read.map_err(misconfigured)
}

fn misconfigured(error: impl Display) -> anyhow::Error {
    CliError::configuration(error.to_string())
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let cure = "free it, or set HTTP_ADDR to another one";
        CliError::configuration(format!("HTTP_ADDR: {address} cannot be used: {error}; {cure}"))
    })
}
