//! A path and a body go out under an account; a successful answer comes back.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pipeline::ProviderError;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
pub use stillcast_enqueue::capability::Capability;

use super::fault;

/// Longest wait for a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence on the wire. A painter may think for minutes; the stage's time-out is shorter.
const SILENCE: Duration = Duration::from_mins(3);
/// Idle connections are kept this long, so that the next call needs no new handshake.
const IDLE: Duration = Duration::from_mins(1);

/// Where and as whom a capability is bought.
#[derive(Clone, Debug)]
pub struct Account {
    /// What is bought.
    pub capability: Capability,
    /// The address in front of `/chat/completions`, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The bearer's key; servers of one's own may need none.
    pub key: Option<SecretString>,
    /// The model's name, as the server knows it.
    pub model: String,
}

/// The connections of a process, shared by all accounts.
#[derive(Clone, Debug)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// A client without retries and redirects. Fails when the machine has no usable TLS set-up.
    pub fn new() -> Result<Self, reqwest::Error> {
        reqwest::Client::builder()
            .user_agent(concat!("stillcast/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .pool_idle_timeout(IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map(Self)
    }
}

/// One capability's way out.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: HttpClient,
    pub(super) account: Account,
}

impl Client {
    pub(super) fn new(http: HttpClient, account: Account) -> Self {
        Self { http, account }
    }

    /// What decides an answer beside the question: the server and the model.
    pub(super) fn revision(&self) -> String {
        let Self { http: _, account } = self;
        let Account { capability: _, base_url, key: _, model } = account;
        format!("{} {model}", base_url.trim_end_matches('/'))
    }

    /// Sends `body`; any status but a success is an error already.
    pub(super) async fn post(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Response, ProviderError> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Asks for what is there; any status but a success is an error already.
    pub(super) async fn get(&self, path: &str) -> Result<Response, ProviderError> {
        self.send(self.request(Method::GET, path)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let Account { base_url, key, .. } = &self.account;
        let HttpClient(http) = &self.http;
        let request = http.request(method, format!("{}{path}", base_url.trim_end_matches('/')));
        match key {
            Some(key) => request.bearer_auth(key.expose_secret()),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ProviderError> {
        let response = request.send().await.map_err(|error| fault::lost(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(fault::refused(&self.account, response).await)
    }

    /// The whole body, of which more than `limit` bytes are an error.
    pub(super) async fn bytes(
        &self,
        mut response: Response,
        limit: usize,
    ) -> Result<Bytes, ProviderError> {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| fault::lost(&error))? {
            if body.len() + chunk.len() > limit {
                return Err(fault::unreadable(&self.account, "is larger than any such answer"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// The whole body as JSON.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        response: Response,
        limit: usize,
    ) -> Result<T, ProviderError> {
        let is_page = is_page(response.headers());
        let body = self.bytes(response, limit).await?;
        serde_json::from_slice(&body).map_err(|_| self.not_json(&body, is_page))
    }

    /// What an answer is that should be JSON. The parser's own words would quote the answer.
    fn not_json(&self, body: &[u8], is_page: bool) -> ProviderError {
        fault::unreadable(
            &self.account,
            match std::str::from_utf8(body) {
                _ if is_page => "is a web page, not JSON",
                Ok(text) if text.trim().is_empty() => "is empty",
                Ok(_) => "is not the JSON of this API",
                Err(_) => "is not valid UTF-8",
            },
        )
    }
}

/// The media type, without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    let named = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    named.split(';').next().unwrap_or_default().trim()
}

pub(super) fn is_page(headers: &HeaderMap) -> bool {
    media_type(headers).eq_ignore_ascii_case("text/html")
}
