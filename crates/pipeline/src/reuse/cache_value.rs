//! A shared value as bytes of the cache: one line that says what it cost and what its digest is,
//! then the value itself, or nothing where it lies in the store.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{GivenUp, arithmetic};

/// Most bytes of a value that lies in the cache itself: a larger one would crowd the others out.
pub(crate) const MAX_INLINE: usize = 64 << 10;

const MAGIC: &str = "stillcast-value-1";

/// A value, or where it is, and what it cost.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CacheValue {
    /// What its payer paid for it, in US dollars.
    pub(crate) usd: f64,
    /// The value's SHA-256 in hexadecimal digits.
    pub(crate) digest: String,
    /// The value; `None` where it lies in the store, under its digest.
    pub(crate) value: Option<Bytes>,
}

impl CacheValue {
    /// Of `value` with this digest, which lies in the store too when it is large.
    pub(crate) fn of(value: &Bytes, digest: String, usd: f64) -> Self {
        let inline = value.len() <= MAX_INLINE;
        Self { usd, digest, value: inline.then(|| value.clone()) }
    }

    pub(crate) fn encode(&self) -> Bytes {
        let place = if self.value.is_some() { "here" } else { "store" };
        let mut encoded = format!("{MAGIC} {} {} {place}\n", self.usd, self.digest).into_bytes();
        encoded.extend_from_slice(self.value.as_deref().unwrap_or_default());
        encoded.into()
    }

    /// Reads a value; `None` when these bytes are none, or not what their digest says.
    pub(crate) fn decode(packed: &Bytes) -> Option<Self> {
        let end = packed.iter().position(|byte| *byte == b'\n')?;
        let head = std::str::from_utf8(&packed[..end]).ok()?;
        let [magic, usd, digest, place] =
            <[&str; 4]>::try_from(head.split(' ').collect::<Vec<_>>()).ok()?;
        let usd: f64 = usd.parse().ok().filter(|usd: &f64| usd.is_finite() && *usd >= 0.0)?;
        let value = match place {
            "here" => Some(packed.slice(end + 1..)),
            "store" if packed.len() == end + 1 => None,
            _ => return None,
        };
        let whole = value.as_ref().is_none_or(|value| self::digest(value) == digest);
        (magic == MAGIC && whole).then(|| Self { usd, digest: digest.to_owned(), value })
    }
}

/// The SHA-256 of `bytes` in hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The same of bytes that may be many: a whole track has twenty million, and whoever waits for a provider
/// would wait for their digest.
pub(crate) async fn digest_apart(bytes: &Bytes) -> String {
    if bytes.len() <= MAX_INLINE {
        return digest(bytes);
    }
    let whole = bytes.clone();
    arithmetic(move || digest(&whole)).await.unwrap_or_else(|GivenUp| digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_travel_inline_and_large_ones_by_digest() {
        let small = Bytes::from_static(b"two\nlines");
        let cached =
            CacheValue::decode(&CacheValue::of(&small, digest(&small), 0.25).encode()).unwrap();
        assert_eq!((cached.value, cached.usd), (Some(small.clone()), 0.25));
        assert_eq!(cached.digest, digest(&small));
        let large = Bytes::from(vec![7; MAX_INLINE + 1]);
        let packed = CacheValue::of(&large, digest(&large), 0.0).encode();
        assert!(packed.len() < 128, "{}", packed.len());
        let cached = CacheValue::decode(&packed).unwrap();
        assert_eq!((cached.value, cached.digest), (None, digest(&large)));
    }

    #[test]
    fn what_was_damaged_is_no_value() {
        let words = Bytes::from_static(b"words");
        let packed = CacheValue::of(&words, digest(&words), 0.5).encode();
        for at in 0..packed.len() {
            let mut broken = packed.to_vec();
            broken[at] ^= 1;
            let unpacked = CacheValue::decode(&Bytes::from(broken));
            // A price that reads otherwise is the one thing that no digest covers.
            assert!(unpacked.is_none_or(|cached| (cached.usd - 0.5).abs() > 1e-9), "byte {at}");
        }
        assert_eq!(CacheValue::decode(&Bytes::new()), None);
        assert_eq!(CacheValue::decode(&packed.slice(..packed.len() - 1)), None);
    }
}
