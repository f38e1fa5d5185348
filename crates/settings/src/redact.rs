//! A secret goes in; what may be shown of it comes out.

/// What stands where a secret was.
const HIDDEN: &str = "***";

/// What may be shown of `text`, the secret setting `name`: of an address the place, of nothing else
/// anything; of one that is not set, that.
pub(crate) fn secret(name: &str, text: &str) -> String {
    match text {
        "" => String::new(),
        _ if name.ends_with("_url") => address(text),
        _ => HIDDEN.to_owned(),
    }
}

/// Keeps scheme, host, port and path; hides user, password and parameters, and on the web the path too.
fn address(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return HIDDEN.to_owned() };
    // An `@` behind a `?` may belong to either part: then nothing is safe to show.
    let (place, parameters) = match (rest.rfind('@'), rest.find('?')) {
        (Some(at), Some(question)) if question < at => return format!("{scheme}://{HIDDEN}"),
        (_, Some(question)) => (&rest[..question], true),
        (_, None) => (rest, false),
    };
    // Of a page on the web the path is what nobody may guess.
    if matches!(scheme, "http" | "https") {
        let host = place.rsplit('@').next().and_then(|place| place.split('/').next());
        let host = host.filter(|host| is_host(host)).unwrap_or(HIDDEN);
        return format!("{scheme}://{host}/{HIDDEN}");
    }
    let (user, place) = match place.rsplit_once('@') {
        Some((_, place)) => (format!("{HIDDEN}@"), place),
        None => (String::new(), place),
    };
    // An address that lacks its `@` has the password where the port belongs.
    let hosts = place.split('/').next().unwrap_or_default();
    if !hosts.is_empty() && !hosts.split(',').all(is_host) {
        return format!("{scheme}://{HIDDEN}");
    }
    let place = user + place;
    let parameters = if parameters { format!("?{HIDDEN}") } else { String::new() };
    format!("{scheme}://{place}{parameters}")
}

/// Whether `text` is a host and perhaps its port, and nothing that could be a password.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, port),
        _ => (text, ""),
    };
    let is_address = |c: char| c.is_ascii_alphanumeric() || ":.%".contains(c);
    let is_name = |c: char| c.is_alphanumeric() || "._-%".contains(c);
    let is_known = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => inner.chars().all(is_address),
        None => host.chars().all(is_name),
    };
    is_known && !host.is_empty() && port.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_survives_and_the_place_does() {
        for (text, shown) in [
            ("redis://host:6379/0", "redis://host:6379/0"),
            ("redis://:canary@host:6379/0", "redis://***@host:6379/0"),
            ("redis://user:canary@host", "redis://***@host"),
            ("redis://:c@n@ry@host", "redis://***@host"),
            ("redis://:canary?canary@host", "redis://***"),
            ("unix:///run/redis.sock", "unix:///run/redis.sock"),
            ("unix:///run/redis.sock?db=1&pass=canary", "unix:///run/redis.sock?***"),
            ("unix:///run/redis.sock?pass=can@ry", "unix://***"),
            ("canary", "***"),
            ("redis://:canary", "redis://***"),
            ("redis://user:canary/0", "redis://***"),
            ("redis://:canary host:6379/0", "redis://***"),
            ("redis://:canary@user:canary", "redis://***"),
            ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
            ("redis://[fe80::1%25eth0]", "redis://[fe80::1%25eth0]"),
            ("postgres://u:canary@a.b:1,c-d:2/x", "postgres://***@a.b:1,c-d:2/x"),
            ("https://hooks.example.org/canary", "https://hooks.example.org/***"),
            (
                "https://me:canary@hooks.example.org:8443/canary",
                "https://hooks.example.org:8443/***",
            ),
            ("http://:canary/x", "http://***/***"),
            ("s3://bucket.name/prefix:2", "s3://bucket.name/prefix:2"),
        ] {
            assert_eq!(address(text), shown);
        }
    }
    #[test]
    fn only_an_address_shows_its_place() {
        assert_eq!(secret("redis_url", "redis://:canary@host"), "redis://***@host");
        assert_eq!(secret("api_key", "canary://canary"), "***");
        assert_eq!(secret("api_key", ""), "");
    }
}
