//! A text, its variant and a purpose go in; the seed of all chance in what is made of them comes out.

use sha2::{Digest, Sha256};

/// A seed that text, variant and purpose decide, and nothing of this machine or moment.
pub(super) fn seed(purpose: &str, text: &str, variant: u32) -> u64 {
    let digest = Sha256::new()
        .chain_update(purpose)
        .chain_update(variant.to_be_bytes())
        .chain_update(text)
        .finalize();
    let first = digest.first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another seed is another text and another picture under the same revision.
    #[test]
    fn a_seed_is_the_same_on_every_machine() {
        assert_eq!(seed("image", "by the sea", 1), 16_417_163_709_364_784_527);
    }
}
