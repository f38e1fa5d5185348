//! An address goes in; the same address without anything that could be a password comes out.

/// What stands where a secret was.
const HIDDEN: &str = "***";

/// Keeps scheme, host, port and path; hides user, password and parameters.
pub(super) fn address(text: &str) -> String {
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
}
