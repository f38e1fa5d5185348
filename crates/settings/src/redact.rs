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

/// Keeps scheme, host, port and path; hides user, password and parameters.
fn address(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return HIDDEN.to_owned() };
    // An `@` behind a `?` may belong to either part: then nothing is safe to show.
    let (place, parameters) = match (rest.rfind('@'), rest.find('?')) {
        (Some(at), Some(question)) if question < at => return format!("{scheme}://{HIDDEN}"),
        (_, Some(question)) => (&rest[..question], true),
        (_, None) => (rest, false),
    };
    let place = match place.rsplit_once('@') {
        Some((_, place)) => format!("{HIDDEN}@{place}"),
        None => place.to_owned(),
    };
    let parameters = if parameters { format!("?{HIDDEN}") } else { String::new() };
    format!("{scheme}://{place}{parameters}")
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
