//! The settings of webhooks go in (`WEBHOOK_…`); how they are signed, and where they may go, comes
//! out. Every program that sends them has them, under these names.

use std::net::IpAddr;

use secrecy::SecretString;

use crate::reader::Reader;

const SECRETS: &str = "is a list such as acme:whsec_…, *:whsec_…: a tenant, or * for all that have none \
    of their own, and `whsec_` with the base64 of 24 to 64 bytes, or `whsk_` with that of 32 or 64";
const ALLOW: &str = "is a list of hosts, addresses and blocks, such as hooks.internal, 127.0.0.1, \
    10.1.0.0/16";
const PROXY: &str = "is an address such as http://proxy:3128, without user and password";
const KEY: &str = "is `whsec_` with the base64 of 24 to 64 bytes, or `whsk_` with that of 32 or 64";
const URL: &str = "is an address such as https://hooks.example.org/on-duty";
/// A tenant that stands for all others.
const ANYBODY: &str = "*";

/// How webhooks are signed, and where they may go.
#[derive(Clone, Debug, Default)]
pub struct WebhookConfig {
    /// Tenant, or `*` for all that have none of their own, and key; several of one tenant are a
    /// rotation.
    pub secrets: Vec<(String, SecretString)>,
    /// Hosts, addresses and blocks beside the public ones.
    pub allow: Vec<String>,
    /// A proxy that reaches receivers in this host's place.
    pub proxy: Option<String>,
}

impl WebhookConfig {
    /// Reads the section.
    pub fn read(reader: &mut Reader) -> Self {
        Self {
            secrets: reader.optional("webhook_secrets", secrets).unwrap_or_default(),
            allow: reader.optional("webhook_allow", allow).unwrap_or_default(),
            proxy: reader.optional("webhook_proxy", proxy),
        }
    }
}

/// Who is told of alerts, and how that is signed.
#[derive(Clone, Debug)]
pub struct AlertConfig {
    /// Where it goes; may hold a secret.
    pub url: SecretString,
    /// The key that signs it.
    pub key: SecretString,
}

impl AlertConfig {
    /// Reads the section; `None` where no address is set, or something is at fault. Nothing is sent
    /// unsigned, so that an address without a key is refused.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let key = reader.optional("alert_webhook_secret", |text| {
            if is_key(text) { Ok(SecretString::from(text)) } else { Err(KEY.to_owned()) }
        });
        let url = reader.optional("alert_webhook_url", |text| {
            let is_address = text.starts_with("https://") || text.starts_with("http://");
            if is_address { Ok(SecretString::from(text)) } else { Err(URL.to_owned()) }
        })?;
        if !reader.is_set("alert_webhook_secret") {
            reader.missing("alert_webhook_secret", "it signs what ALERT_WEBHOOK_URL is told");
        }
        Some(Self { url, key: key? })
    }
}

/// The entries between commas, spaces and line ends.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| letter == ',' || letter.is_whitespace()).filter(|one| !one.is_empty())
}

fn secrets(text: &str) -> Result<Vec<(String, SecretString)>, String> {
    let pair = |entry: &str| {
        let (tenant, key) = entry.split_once(':').filter(|(tenant, key)| is_pair(tenant, key))?;
        Some((tenant.to_owned(), SecretString::from(key)))
    };
    entries(text).map(|entry| pair(entry).ok_or_else(|| SECRETS.to_owned())).collect()
}

fn is_pair(tenant: &str, key: &str) -> bool {
    let is_name = |letter: u8| letter.is_ascii_alphanumeric() || b"._-".contains(&letter);
    let is_tenant = tenant == ANYBODY || (!tenant.is_empty() && tenant.bytes().all(is_name));
    is_tenant && is_key(key)
}

fn is_key(key: &str) -> bool {
    match key.split_once('_') {
        Some(("whsec", base64)) => bytes_in(base64).is_some_and(|bytes| (24..=64).contains(&bytes)),
        Some(("whsk", base64)) => bytes_in(base64).is_some_and(|bytes| [32, 64].contains(&bytes)),
        _ => false,
    }
}

/// How many bytes a text of base64 holds, by its length.
fn bytes_in(base64: &str) -> Option<usize> {
    let digits = base64.trim_end_matches('=');
    let is_digit = |letter: u8| letter.is_ascii_alphanumeric() || b"+/".contains(&letter);
    let is_whole = digits.bytes().all(is_digit) && digits.len() % 4 != 1;
    is_whole.then_some(digits.len() * 3 / 4)
}

fn allow(text: &str) -> Result<Vec<String>, String> {
    let checked = |entry: &str| if is_place(entry) { Some(entry.to_owned()) } else { None };
    entries(text).map(|entry| checked(entry).ok_or_else(|| ALLOW.to_owned())).collect()
}

/// A host, an address, or a block of addresses.
fn is_place(entry: &str) -> bool {
    let literal = |text: &str| -> Option<IpAddr> {
        text.trim_start_matches('[').trim_end_matches(']').parse().ok()
    };
    let Some((net, bits)) = entry.split_once('/') else {
        let is_name = |letter: u8| letter.is_ascii_alphanumeric() || b".-_".contains(&letter);
        return literal(entry).is_some() || entry.bytes().all(is_name);
    };
    literal(net).is_some_and(|net| {
        let whole = if net.is_ipv4() { 32 } else { 128 };
        bits.parse::<u8>().is_ok_and(|bits| bits <= whole)
    })
}

fn proxy(text: &str) -> Result<String, String> {
    let is_proxy = text.split_once("://").is_some_and(|(scheme, rest)| {
        ["http", "https"].contains(&scheme) && !rest.is_empty() && !rest.contains('@')
    });
    if is_proxy { Ok(text.to_owned()) } else { Err(PROXY.to_owned()) }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// 24 bytes.
    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn secrets_are_pairs_of_a_tenant_and_a_key() {
        let both = secrets(&format!("acme:{KEY}, acme:{KEY}\n*:{KEY}\n")).unwrap();
        let tenants: Vec<&str> = both.iter().map(|(tenant, _)| tenant.as_str()).collect();
        assert_eq!(tenants, ["acme", "acme", "*"]);
        assert_eq!(both[2].1.expose_secret(), KEY);
        for bad in [
            KEY.to_owned(),
            format!(":{KEY}"),
            format!("a/b:{KEY}"),
            format!("acme:{}", &KEY[..20]),
            "acme:secret".to_owned(),
            "acme:whsec_secret".to_owned(),
            "acme:whsec_".to_owned(),
            format!("acme:{KEY}!"),
            "acme:whsk_AAAA".to_owned(),
        ] {
            let said = secrets(&bad).unwrap_err();
            assert!(said.starts_with("is a list") && !said.contains("secret"), "{bad}: {said}");
        }
    }

    #[test]
    fn places_are_hosts_addresses_and_blocks() {
        let all = "hooks.internal, 127.0.0.1 10.1.0.0/16,::1,fd00::/8,[::1]";
        assert_eq!(allow(all).unwrap().len(), 6);
        for bad in ["http://hooks", "10.0.0.0/33", "a/8", "::1/129", "10.0.0.0/x", "a:80", "ä"] {
            assert!(allow(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_proxy_has_no_password() {
        assert!(proxy("http://proxy:3128").is_ok());
        for bad in ["proxy:3128", "socks5://proxy", "http://", "http://a:secret@proxy"] {
            assert!(!proxy(bad).unwrap_err().contains("secret"));
        }
    }
}
