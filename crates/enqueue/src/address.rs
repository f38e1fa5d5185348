//! The address of a Redis goes in; how to connect there, and whom to trust there, comes out.
//!
//! Beside what the client knows (`redis://`, `unix://`, and `rediss://` for TLS), an address may
//! carry `?ca_file=/path.pem`: certificates to trust instead of the system's.

use std::path::Path;

use redis::{ConnectionInfo, IntoConnectionInfo, RedisError, RedisResult};

const CA_FILE: &str = "ca_file";

/// How to connect to `address`; connects to nothing yet. Fails on what is no address, on a
/// `rediss://` without the feature `tls`, and on a `ca_file` that cannot be read or holds no
/// certificate.
pub fn connection_info(address: &str) -> RedisResult<ConnectionInfo> {
    let info = address.into_connection_info()?;
    #[cfg(feature = "tls")]
    if is_tls(address) {
        return tls::trusting(info, ca_file(address).as_deref());
    }
    Ok(info)
}

/// The same address, with `file` as whom to trust; one that says so itself, or that needs nobody to
/// be trusted, stays as it is.
pub fn with_ca_file(address: &str, file: &Path) -> String {
    let Some(mut url) = redis::parse_redis_url(address).filter(|_| is_tls(address)) else {
        return address.to_owned();
    };
    if ca_file(address).is_none() {
        url.query_pairs_mut().append_pair(CA_FILE, &file.to_string_lossy());
    }
    url.into()
}

/// Whether `file` is fit to be a `ca_file`; fails as [`connection_info`] would.
pub fn check_ca_file(file: &Path) -> RedisResult<()> {
    // Any host will do: what is tried is the file.
    connection_info(&with_ca_file("rediss://localhost", file)).map(drop)
}

/// What to do about a connection that failed on a certificate.
pub fn advice(error: &RedisError) -> Option<&'static str> {
    let is_about_trust = error.to_string().contains("peer certificate");
    is_about_trust.then_some(
        "; name the certificates of whoever signed the server's in REDIS_CA_FILE, or behind the \
         address as ?ca_file=, and write its host as its certificate does",
    )
}

/// What went wrong at a Redis, in words of our own: what a server says may quote a key.
pub fn told(error: &RedisError) -> String {
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    match error.code() {
        Some(code) => {
            let is_word = |code: &str| code.chars().all(|letter| letter.is_ascii_uppercase());
            if is_word(code) { code.to_owned() } else { "an error without a code".to_owned() }
        }
        None if error.is_connection_refusal() => "the connection was refused".to_owned(),
        None if error.is_connection_dropped() => "the connection was closed".to_owned(),
        None => error.category().to_owned(),
    }
}

fn is_tls(address: &str) -> bool {
    address.starts_with("rediss://")
}

fn ca_file(address: &str) -> Option<String> {
    let url = redis::parse_redis_url(address)?;
    let found = url.query_pairs().find(|(name, _)| name == CA_FILE);
    found.map(|(_, value)| value.into_owned())
}

#[cfg(feature = "tls")]
mod tls {
    use redis::{Client, ConnectionInfo, ErrorKind, RedisError, RedisResult, TlsCertificates};
    use rustls::crypto::aws_lc_rs;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    pub(super) fn trusting(
        info: ConnectionInfo,
        ca_file: Option<&str>,
    ) -> RedisResult<ConnectionInfo> {
        // The client asks for the process' provider and panics when it finds none, or two to choose
        // from; where the application has chosen one already, that one stays.
        let _ = aws_lc_rs::default_provider().install_default();
        let Some(path) = ca_file else { return Ok(info) };
        let root_cert = Some(certificates(path)?);
        let trusted = TlsCertificates { client_tls: None, root_cert };
        Ok(Client::build_with_tls(info, trusted)?.get_connection_info().clone())
    }

    /// A file without any would trust nobody, and say so only when a server is refused.
    fn certificates(path: &str) -> RedisResult<Vec<u8>> {
        let fault = |why: String| {
            let kind = ErrorKind::InvalidClientConfig;
            RedisError::from((kind, "the certificates to trust", format!("{path} {why}")))
        };
        let pem = std::fs::read(path).map_err(|error| fault(format!("cannot be read: {error}")))?;
        let found: Vec<_> = CertificateDer::pem_slice_iter(&pem).collect();
        if found.is_empty() || found.iter().any(Result::is_err) {
            return Err(fault("holds no certificates in PEM".to_owned()));
        }
        Ok(pem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_to_trust_is_a_part_of_the_address() {
        let file = Path::new("/a b/ca.pem");
        let address = with_ca_file("rediss://:secret@host:6380/1?protocol=resp3", file);
        assert_eq!(address, "rediss://:secret@host:6380/1?protocol=resp3&ca_file=%2Fa+b%2Fca.pem");
        assert_eq!(ca_file(&address).as_deref(), Some("/a b/ca.pem"));
        assert_eq!(with_ca_file(&address, Path::new("/other")), address, "its own word counts");
        for plain in ["redis://host", "unix:///run/redis.sock", "nowhere"] {
            assert_eq!(with_ca_file(plain, file), plain);
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn without_the_feature_tls_is_refused_by_name() {
        let error = connection_info("rediss://host").unwrap_err().to_string();
        assert!(error.contains("TLS"), "{error}");
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_file_without_certificates_is_refused_at_once() {
        for path in ["/nowhere/ca.pem", file!()] {
            let address = with_ca_file("rediss://host", Path::new(path));
            let connecting = connection_info(&address).map(drop);
            for refused in [connecting, check_ca_file(Path::new(path))] {
                let error = refused.unwrap_err().to_string();
                assert!(error.contains(path), "{error}");
            }
        }
        assert!(connection_info("rediss://host").is_ok());
    }
}
