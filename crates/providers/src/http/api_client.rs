//! A path and a body go out under an account; a successful answer comes back.

use pipeline::ProviderError;
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::account::Account;
use super::origin::Origin;
use super::pool::HttpClient;
use super::refusal::refused;
use super::reply::Reply;
use super::vendor::Vendor;

/// One account's way to its vendor.
#[derive(Clone, Debug)]
pub(crate) struct ApiClient {
    http: HttpClient,
    vendor: &'static Vendor,
    account: Account,
}

impl ApiClient {
    pub(crate) fn new(http: HttpClient, vendor: &'static Vendor, account: Account) -> Self {
        Self { http, vendor, account }
    }

    /// The model's name, as the server knows it.
    pub(crate) fn model(&self) -> &str {
        &self.account.model
    }

    /// What decides an answer beside the question: the server and the model.
    pub(crate) fn revision(&self) -> String {
        let Self { http: _, vendor: _, account } = self;
        let Account { capability: _, base_url, key: _, model } = account;
        format!("{} {model}", base_url.trim_end_matches('/'))
    }

    /// Sends `body`; any status but a success is an error already.
    pub(crate) async fn post(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Reply, ProviderError> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Asks for what is there; any status but a success is an error already.
    pub(crate) async fn get(&self, path: &str) -> Result<Reply, ProviderError> {
        self.send(self.request(Method::GET, path)).await
    }

    /// The error of a status of success with a body that is not of this API, as `what` says.
    pub(crate) fn unreadable(&self, what: &str) -> ProviderError {
        self.origin().unreadable(what)
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

    async fn send(&self, request: RequestBuilder) -> Result<Reply, ProviderError> {
        let origin = self.origin();
        let response = request.send().await.map_err(|error| origin.lost(&error))?;
        if response.status().is_success() {
            return Ok(Reply { response, origin });
        }
        Err(refused(origin, response).await)
    }
}
