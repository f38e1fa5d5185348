//! A path and a body go out under an account; a successful answer comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pipeline::ProviderError;
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::Value;

use super::account::Account;
use super::event::{WireEvent, WireFact};
use super::origin::Origin;
use super::pool::HttpClient;
use super::rate_limits::RateLimits;
use super::refusal::Refused;
use super::reply::Reply;
#[cfg(feature = "openai")]
use super::socket::{self, Socket};
use super::vendor::Vendor;

/// One account's way to its vendor.
#[derive(Clone, Debug)]
pub(crate) struct ApiClient {
    http: HttpClient,
    vendor: &'static Vendor,
    account: Account,
    /// Whether the server took the last request: what it refuses then, it refuses for the text.
    took_last: Arc<AtomicBool>,
}

impl ApiClient {
    pub(crate) fn new(http: HttpClient, vendor: &'static Vendor, account: Account) -> Self {
        Self { http, vendor, account, took_last: Arc::default() }
    }

    /// The model's name, as the server knows it.
    pub(crate) fn model(&self) -> &str {
        &self.account.model
    }

    /// What decides an answer beside the question: the server and the model.
    pub(crate) fn revision(&self) -> String {
        let Self { http: _, vendor: _, account, took_last: _ } = self;
        let Account { capability: _, base_url, key: _, model } = account;
        format!("{} {model}", base_url.trim_end_matches('/'))
    }

    /// Sends `body`; any status but a success is an error already.
    pub(crate) async fn post(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Reply, ProviderError> {
        let sent = serde_json::to_value(body).unwrap_or_default();
        self.send(self.request(Method::POST, path).json(&sent), &sent).await
    }

    /// Asks for what is there; any status but a success is an error already.
    pub(crate) async fn get(&self, path: &str) -> Result<Reply, ProviderError> {
        self.send(self.request(Method::GET, path), &Value::Null).await
    }

    /// Opens a socket at `path` for the account's model; a refusal means what it means anywhere else.
    #[cfg(feature = "openai")]
    pub(crate) async fn connect(&self, path: &str) -> Result<Socket, ProviderError> {
        let path = socket::path_for(path, self.model());
        let (request, key) = socket::asking(self.request(Method::GET, &path));
        let response = request.send().await;
        let status = response.as_ref().ok().map(|response| response.status().as_u16());
        self.tell(WireFact::Answered(status));
        let origin = self.origin();
        let response = response.map_err(|error| origin.lost(&error))?;
        let limits = RateLimits::told_by(response.headers());
        let status = response.status();
        if status.is_success() || status.is_informational() {
            self.tell_limits(limits);
            return Socket::open(response, origin, &key).await;
        }
        let refused = Refused { origin, sent: &Value::Null, took_last: false };
        let error = refused.by_status(response).await;
        self.tell_limits(limits.asked_by(&error));
        Err(error)
    }

    /// The error of a status of success with a body that is not of this API, as `what` says.
    pub(crate) fn unreadable(&self, what: &str) -> ProviderError {
        self.origin().unreadable(what)
    }

    /// The failure that an error means which came with a status of success, in answer to `sent`:
    /// `body` is the whole JSON, `{"error": …}` or of another shape. Its class is the one that the
    /// same words have with a status of refusal; one that says nothing may pass.
    pub(crate) fn refused_in(&self, sent: &Value, body: &Value) -> ProviderError {
        self.took_last.store(false, Ordering::Relaxed);
        Refused { origin: self.origin(), sent, took_last: false }.by_body(body)
    }

    /// Lets whoever hears know.
    pub(crate) fn tell(&self, what: WireFact) {
        let Account { capability, model, .. } = &self.account;
        let (capability, provider) = (*capability, self.vendor.provider);
        self.http.ear.tell(&WireEvent { capability, provider, model, what });
    }

    /// The same of the account's limits, if anything is told of them.
    pub(crate) fn tell_limits(&self, limits: RateLimits) {
        if limits != RateLimits::default() {
            self.tell(WireFact::Limited(limits));
        }
    }

    fn origin(&self) -> Origin {
        Origin { vendor: self.vendor, capability: self.account.capability }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let Account { base_url, key, .. } = &self.account;
        let url = format!("{}{path}", base_url.trim_end_matches('/'));
        let request = self.http.request(method, &url);
        match key {
            Some(key) => (self.vendor.authorize)(request, key.expose_secret()),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder, sent: &Value) -> Result<Reply, ProviderError> {
        let origin = self.origin();
        let response = request.send().await;
        let status = response.as_ref().ok().map(|response| response.status().as_u16());
        self.tell(WireFact::Answered(status));
        let response = response.map_err(|error| origin.lost(&error))?;
        let limits = RateLimits::told_by(response.headers());
        let took = response.status().is_success();
        let took_last = self.took_last.swap(took, Ordering::Relaxed);
        if took {
            self.tell_limits(limits);
            return Ok(Reply { response, origin });
        }
        let error = Refused { origin, sent, took_last }.by_status(response).await;
        self.tell_limits(limits.asked_by(&error));
        Err(error)
    }
}
