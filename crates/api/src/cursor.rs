//! A place in a listing goes out as text, and comes back only as we have written it.

use std::fmt::Display;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::problem::Problem;
use crate::tokens::Tokens;

/// What signs cursors: the same on every server with the same tokens.
#[derive(Clone)]
pub(crate) struct CursorKey([u8; 32]);

impl CursorKey {
    pub(crate) fn of(tokens: &Tokens) -> Self {
        Self(tokens.digest())
    }

    /// The text of a place in the listing of `filter`.
    pub(crate) fn sign(&self, cursor: &impl Display, filter: &str) -> String {
        let text = cursor.to_string();
        let tag = self.mac(&text, filter).finalize().into_bytes();
        format!("{}.{}", hex::encode(&text), hex::encode(&tag[..16]))
    }

    /// The place that a text names, if it was written for this filter.
    pub(crate) fn read<T: FromStr>(&self, text: &str, filter: &str) -> Result<T, Problem> {
        let read = || {
            let (text, tag) = text.split_once('.')?;
            let text = String::from_utf8(hex::decode(text).ok()?).ok()?;
            let tag = hex::decode(tag).ok().filter(|tag| tag.len() == 16)?;
            self.mac(&text, filter).verify_truncated_left(&tag).ok()?;
            text.parse().ok()
        };
        read().ok_or_else(|| {
            Problem::of_field("?cursor", "takes what the page before gave as its `next`, unchanged")
        })
    }

    fn mac(&self, text: &str, filter: &str) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key may have any length");
        mac.chain_update(filter).chain_update([0]).chain_update(text)
    }
}

#[cfg(test)]
mod tests {
    use queue::Cursor;

    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_listing_and_unchanged_only() {
        let key = CursorKey::of(&Tokens::none());
        let cursor: Cursor = "dead~17~job-1".parse().unwrap();
        let text = key.sign(&cursor, "dead");
        assert_eq!(key.read::<Cursor>(&text, "dead").unwrap(), cursor);
        assert!(key.read::<Cursor>(&text, "done").is_err());
        for at in 0..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            let forged = String::from_utf8(forged).unwrap();
            assert!(key.read::<Cursor>(&forged, "dead").is_err(), "{at}");
        }
        for odd in ["", ".", "é.é", "00", &"f".repeat(9000)] {
            assert!(key.read::<Cursor>(odd, "dead").is_err(), "{odd}");
        }
    }
}
