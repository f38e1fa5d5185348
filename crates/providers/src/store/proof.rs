//! What a store says of an object that was just written goes in; the failure comes out of one that
//! says something else than what was written. Nothing is delivered on a store's word alone.

use pipeline::{FailureClass, ProviderError};

/// What a store has under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// What was written: the same length, and the same digest where one is told.
    Same,
    /// No such object.
    Nothing,
    /// An object of so many bytes.
    Bytes(u64),
    /// An object of this length with another digest.
    #[cfg(feature = "s3")]
    Other,
    /// What somebody else has put under this key, with a digest of its own noted.
    #[cfg(feature = "s3")]
    Another,
}

impl Seen {
    /// What `length` says of an object of `bytes`; [`Seen::Same`] when it says nothing against it.
    pub(super) fn length(length: Option<u64>, bytes: u64) -> Self {
        match length {
            None => Self::Nothing,
            Some(length) if length == bytes => Self::Same,
            Some(length) => Self::Bytes(length),
        }
    }

    /// Nothing to complain about, or the failure of a put of `bytes`: an accident once, a store that
    /// is none twice.
    pub(super) fn proves(self, provider: &'static str, bytes: u64) -> Result<(), ProviderError> {
        let seen = match self {
            Self::Same => return Ok(()),
            Self::Nothing => format!("nothing of {} B", grouped(bytes)),
            Self::Bytes(seen) => format!("{} B of {} B", grouped(seen), grouped(bytes)),
            #[cfg(feature = "s3")]
            Self::Other | Self::Another => format!("other {} B than were sent", grouped(bytes)),
        };
        let message = format!(
            "the store says that it has {seen}, after it took them all; are STORAGE_URL and \
             S3_ENDPOINT those of a store, and is there room in it?"
        );
        Err(ProviderError::transient(provider, "store-unproven", message)
            .again(FailureClass::Misconfigured))
    }
}

/// `2013444` as `2,013,444`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_was_seen() {
        let said = |seen: Seen| seen.proves("s3", 2_013_444).map_err(|error| error.message);
        assert_eq!(said(Seen::Same), Ok(()));
        assert!(said(Seen::Bytes(0)).unwrap_err().contains("has 0 B of 2,013,444 B"));
        assert!(said(Seen::Bytes(999)).unwrap_err().contains("999 B of"));
        assert!(said(Seen::Nothing).unwrap_err().contains("nothing of 2,013,444 B"));
        #[cfg(feature = "s3")]
        assert!(said(Seen::Other).unwrap_err().contains("other 2,013,444 B"));
    }
}
