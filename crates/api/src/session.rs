//! A token goes in once, and a cookie that stands for it comes out; later the cookie says who asks.
//!
//! A cookie is the moment at which it ends, signed with the digest of its token. So no server has to
//! remember it, every server with the same tokens knows it, and it dies when its token is taken away.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::caller::Caller;
use crate::tokens::{Tokens, digest};

/// The name of the cookie.
const NAME: &str = "stillcast_session";
/// How long a person stays logged in: a working day.
const LASTS: TimeDelta = TimeDelta::hours(12);

/// The `Set-Cookie` of whoever has just shown `token`; over `https` it never travels in plain.
pub(crate) fn begin(token: &str, is_https: bool, now: DateTime<Utc>) -> String {
    let ends = (now + LASTS).timestamp();
    let signature = hex::encode(sign(&digest(token), ends));
    set(&format!("{ends}.{signature}"), LASTS.num_seconds(), is_https)
}

/// The `Set-Cookie` that ends a session.
pub(crate) fn end(is_https: bool) -> String {
    set("", 0, is_https)
}

/// Who the cookie of a request stands for, while it and its token last.
pub(crate) fn caller(tokens: &Tokens, headers: &HeaderMap, now: DateTime<Utc>) -> Option<Caller> {
    let (ends, signature) = cookie(headers, NAME)?.split_once('.')?;
    let ends: i64 = ends.parse().ok()?;
    let signature = hex::decode(signature).ok()?;
    let is_it = |digest: &[u8; 32]| -> Choice { sign(digest, ends).ct_eq(signature.as_slice()) };
    tokens.find(is_it).filter(|_| now.timestamp() < ends)
}

/// The value of a cookie.
pub(crate) fn cookie<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

fn set(value: &str, seconds: i64, is_https: bool) -> String {
    let secure = if is_https { "; Secure" } else { "" };
    format!("{NAME}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

fn sign(digest: &[u8; 32], ends: i64) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(digest).expect("a key may have any length");
    mac.chain_update("stillcast session")
        .chain_update(ends.to_be_bytes())
        .finalize()
        .into_bytes()
        .into()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn tokens(token: &str) -> Tokens {
        Tokens::parse(&format!("other:other-0123456789abcdef:*:read anna:{token}:*:operate"))
            .unwrap()
    }

    fn headers(set: &str) -> HeaderMap {
        let pair = set.split(';').next().unwrap();
        let value = HeaderValue::try_from(format!("theme=dark; {pair}")).unwrap();
        [(COOKIE, value)].into_iter().collect()
    }

    #[test]
    fn a_cookie_stands_for_its_token_until_either_ends() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(400_000);
        let set = begin(TOKEN, true, now);
        assert!(set.ends_with("Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure"), "{set}");
        assert!(!set.contains(TOKEN) && !begin(TOKEN, false, now).contains("Secure"));
        let who = |at, token| caller(&tokens(token), &headers(&set), at).map(|caller| caller.name);
        let last = now + LASTS - TimeDelta::seconds(1);
        assert_eq!(who(now, TOKEN).as_deref(), Some("anna"));
        assert_eq!(who(last, TOKEN).as_deref(), Some("anna"));
        assert_eq!(who(now + LASTS, TOKEN), None);
        assert_eq!(who(now, "rotated-0123456789"), None);
        assert!(caller(&tokens(TOKEN), &headers(&end(false)), now).is_none());
    }

    #[test]
    fn no_letter_of_a_cookie_can_be_another() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(400_000);
        let set = begin(TOKEN, false, now);
        let pair = set.split(';').next().unwrap();
        for at in NAME.len() + 1..pair.len() {
            let mut forged = pair.as_bytes().to_vec();
            forged[at] = if forged[at] == b'7' { b'8' } else { b'7' };
            let forged = String::from_utf8(forged).unwrap();
            assert!(caller(&tokens(TOKEN), &headers(&forged), now).is_none(), "{forged}");
        }
    }
}
