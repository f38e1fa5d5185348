//! Requests go in, and share the connections of the process: their time-outs, proxies and
//! certificates.

use std::time::Duration;

use reqwest::{ClientBuilder, Method, RequestBuilder};

use super::event::Ear;

/// Longest wait for a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence on the wire: a painter may think for minutes, and a machine of one's own for
/// longer. Each stage's time-out, and a writer's `LLM_STALL_TIMEOUT`, end it before.
const SILENCE: Duration = Duration::from_hours(1);
/// Idle connections are kept this long, so that the next call needs no new handshake.
const IDLE: Duration = Duration::from_mins(1);

/// The connections of a process, shared by all accounts of all vendors.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    pub(super) ear: Ear,
}

impl HttpClient {
    /// A client without retries and redirects, with the proxies of the environment and the
    /// certificates of the machine. Fails when the machine has no usable TLS set-up.
    pub fn new() -> Result<Self, reqwest::Error> {
        Self::build(|builder| builder)
    }

    /// The same for sockets, which begin as requests of HTTP/1.1.
    pub fn for_sockets() -> Result<Self, reqwest::Error> {
        Self::build(ClientBuilder::http1_only)
    }

    fn build(shape: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("stillcast/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .pool_idle_timeout(IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        shape(builder).build().map(|client| Self { client, ear: Ear::default() })
    }

    /// The same connections, and `ear` hears what passes on them.
    #[must_use]
    pub fn heard_by(self, ear: Ear) -> Self {
        Self { ear, ..self }
    }

    /// The same connections, and whoever hears `other` hears these, too.
    #[must_use]
    pub fn heard_as(self, other: &Self) -> Self {
        self.heard_by(other.ear.clone())
    }

    pub(super) fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.client.request(method, url)
    }
}
