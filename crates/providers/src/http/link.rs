//! A link in an answer goes in; what lies there comes out, if it leads to a host that may be asked.
//!
//! An answer is a stranger's, and the worker stands inside of a network: a link is followed to the
//! provider's own address, and to the hosts that operators have named. No key goes with it.

use bytes::Bytes;
use pipeline::{FailureClass, ProviderError};
use reqwest::{Method, Url};

use super::account::Account;
use super::origin::Origin;
use super::pool::HttpClient;
use super::reply::Reply;
use super::vendor::Vendor;

/// Whose links are followed.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    http: HttpClient,
    origin: Origin,
    /// Host and port of the provider.
    own: Option<(String, u16)>,
    hosts: Vec<String>,
}

impl Links {
    /// Those to `account`'s own server, and to `hosts`: `img.example.org`, `*.example.org`, with a
    /// port where it is not the scheme's.
    pub(crate) fn new(
        http: HttpClient,
        vendor: &'static Vendor,
        account: &Account,
        hosts: Vec<String>,
    ) -> Self {
        let own = Url::parse(&account.base_url).ok().as_ref().and_then(place);
        let origin = Origin { vendor, capability: account.capability };
        Self { http, origin, own, hosts }
    }

    /// What lies at `link`, of at most `limit` bytes.
    pub(crate) async fn fetch(&self, link: &str, limit: usize) -> Result<Bytes, ProviderError> {
        let url = Url::parse(link).ok().filter(|url| self.leads_to_a_known_host(url));
        let url = url.ok_or_else(|| self.unknown_host())?;
        let response = self.http.request(Method::GET, url.as_str()).send().await;
        let response = response.map_err(|error| self.origin.lost(&error))?;
        let status = response.status();
        if !status.is_success() {
            let message =
                format!("the link to the picture answers with status {}", status.as_u16());
            let provider = self.origin.vendor.provider;
            return Err(ProviderError::transient(provider, "image-link-broken", message)
                .again(FailureClass::Misconfigured));
        }
        Reply { response, origin: self.origin }.bytes(limit).await
    }

    fn leads_to_a_known_host(&self, url: &Url) -> bool {
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none();
        let Some((host, port)) = place(url).filter(|_| is_plain) else { return false };
        let is_named = |named: &String| {
            let (name, named_port) = match named.rsplit_once(':') {
                Some((name, port)) => (name, port.parse().ok()),
                None => (named.as_str(), if url.port().is_none() { Some(port) } else { None }),
            };
            let is_host = match name.strip_prefix('*') {
                Some(end) => end.starts_with('.') && host.ends_with(end),
                None => host == name,
            };
            is_host && named_port == Some(port)
        };
        self.own.as_ref() == Some(&(host.clone(), port)) || self.hosts.iter().any(is_named)
    }

    fn unknown_host(&self) -> ProviderError {
        let message = "the server answers with a link, which leads to a host that is not its own; \
                       name that host in IMAGE_LINK_HOSTS, or use an IMAGE_MODEL that answers \
                       `b64_json`";
        ProviderError::misconfigured(self.origin.vendor.provider, "image-link", message)
    }
}

fn place(url: &Url) -> Option<(String, u16)> {
    Some((url.host_str()?.to_ascii_lowercase(), url.port_or_known_default()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Capability;
    use crate::http::tests::NEWCOMER;

    #[test]
    fn links_lead_to_the_provider_and_to_named_hosts_only() {
        let account = Account {
            capability: Capability::Image,
            base_url: "http://127.0.0.1:8080/v1".to_owned(),
            key: None,
            model: String::new(),
        };
        let named = ["img.example.org", "*.blob.example.net", "cdn.example.com:8443"];
        let hosts = named.map(str::to_owned).to_vec();
        let links = Links::new(HttpClient::new().unwrap(), &NEWCOMER, &account, hosts);
        for (link, is_known) in [
            ("http://127.0.0.1:8080/files/1.png?sig=x", true),
            ("http://127.0.0.1:6379/", false),
            ("http://127.0.0.1/1.png", false),
            ("http://[::1]:8080/1.png", false),
            ("http://localhost:8080/1.png", false),
            ("http://169.254.169.254/latest/meta-data", false),
            ("https://img.example.org/1.png", true),
            ("https://IMG.example.org/1.png", true),
            ("https://img.example.org:6379/1.png", false),
            ("https://img.example.org.evil.test/1.png", false),
            ("https://evil.test/img.example.org", false),
            ("https://img.example.org@evil.test/1.png", false),
            ("https://user:word@img.example.org/1.png", false),
            ("https://a.b.blob.example.net/1.png", true),
            ("https://blob.example.net/1.png", false),
            ("https://evilblob.example.net/1.png", false),
            ("https://cdn.example.com:8443/1.png", true),
            ("https://cdn.example.com/1.png", false),
            ("file:///etc/passwd", false),
            ("ftp://img.example.org/1.png", false),
            ("//img.example.org/1.png", false),
            ("", false),
        ] {
            let found = Url::parse(link).is_ok_and(|url| links.leads_to_a_known_host(&url));
            assert_eq!(found, is_known, "{link}");
        }
    }
}
