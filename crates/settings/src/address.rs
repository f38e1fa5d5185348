//! The text of an address goes in; the same text comes out where its scheme will do, else what it
//! should be. Nothing is connected to.
//!
//! One function an address, and the same for every program: what one refuses, all refuse. They are
//! given to a [`Reader`](crate::Reader), which never hands them an empty text.

/// A Redis: `redis://`, `rediss://`, `unix://` or `redis+unix://`; by its sentinels, `redis+sentinel://`.
pub fn redis(text: &str) -> Result<String, String> {
    match text.split_once("://") {
        Some(("redis" | "rediss" | "unix" | "redis+unix" | "redis+sentinel", _)) => {
            Ok(text.to_owned())
        }
        _ => Err("is an address such as redis://host:6379/0 or unix:///run/redis.sock".to_owned()),
    }
}

/// A Postgres: `postgres://` or `postgresql://`.
pub fn postgres(text: &str) -> Result<String, String> {
    match text.split_once("://") {
        Some(("postgres" | "postgresql", rest)) if !rest.is_empty() => Ok(text.to_owned()),
        _ => Err("is an address such as postgres://user:password@host/database".to_owned()),
    }
}

/// A place for files: a folder by its absolute path, or a bucket.
pub fn storage(text: &str) -> Result<String, String> {
    match text.split_once("://") {
        Some(("file", path)) if path.starts_with('/') && !path.contains('%') => Ok(text.to_owned()),
        Some(("s3", place)) if !place.is_empty() && !place.starts_with('/') => Ok(text.to_owned()),
        _ => Err("is file:// and an absolute path without `%`, or s3://bucket/prefix".to_owned()),
    }
}

/// A page or a server, over `http://` or `https://`; `example` stands in the refusal.
pub fn http(text: &str, example: &str) -> Result<String, String> {
    match text.split_once("://") {
        Some(("http" | "https", rest)) if !rest.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("is an address such as {example}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address's function, what it takes, and what it refuses.
    type Row =
        (fn(&str) -> Result<String, String>, &'static [&'static str], &'static [&'static str]);

    #[test]
    fn schemes_are_taken_or_refused() {
        let rows: [Row; 4] = [
            (
                redis,
                &[
                    "redis://h",
                    "rediss://h",
                    "unix:///s",
                    "redis+unix:///s",
                    "redis+sentinel://h,i/n",
                ],
                &["http://h", "h"],
            ),
            (postgres, &["postgres://h/d", "postgresql://h"], &["mysql://h", "postgres://", "h"]),
            (
                storage,
                &["file:///srv/a b", "s3://bucket", "s3://bucket/prefix"],
                &[
                    "/srv",
                    "file://srv",
                    "file:///a%20b",
                    "s3://",
                    "s3:///prefix",
                    "ftp://elsewhere",
                ],
            ),
            (
                |text| http(text, "x"),
                &["http://h:9000", "https://h"],
                &["h:9000", "http://", "s3://b"],
            ),
        ];
        for (check, taken, refused) in rows {
            for text in taken {
                assert_eq!(check(text).as_deref(), Ok(*text));
            }
            for text in refused {
                let said = check(text).unwrap_err();
                assert!(said.starts_with("is "), "{text}: {said}");
            }
        }
    }
}
