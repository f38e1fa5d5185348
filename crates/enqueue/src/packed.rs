//! The text of an envelope, made smaller: compressed (RFC 1951), in base64 without padding. Redis keeps and logs
//! each request as long as its job waits, and words shrink to a half.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use flate2::read::DeflateDecoder;

/// Most bytes of an envelope, as `lua/enqueue.lua` takes them: what grows beyond that was never a request.
const MAX_ENVELOPE: u64 = 128 * 1024;

/// What was packed; `None` when that is no text of a request.
pub(crate) fn unpack(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD_NO_PAD.decode(text).ok()?;
    let mut whole = Vec::new();
    let read = DeflateDecoder::new(&*bytes).take(MAX_ENVELOPE + 1).read_to_end(&mut whole).ok()?;
    (read as u64 <= MAX_ENVELOPE).then_some(whole)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    pub(crate) fn pack(whole: &[u8]) -> String {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(whole).unwrap();
        STANDARD_NO_PAD.encode(encoder.finish().unwrap())
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        let words = "A long day by the sea. ".repeat(40);
        let packed = pack(words.as_bytes());
        assert!(packed.len() < words.len() / 4);
        assert_eq!(unpack(&packed).unwrap(), words.as_bytes());
    }

    #[test]
    fn what_was_never_a_request_is_none() {
        let bomb = pack(&vec![b' '; 8 << 20]);
        let most = usize::try_from(MAX_ENVELOPE).unwrap();
        assert!(unpack(&pack(&vec![b' '; most])).is_some());
        let cut = pack(b"A long day by the sea.");
        for broken in [&bomb, &pack(&vec![b' '; most + 1]), &cut[..cut.len() / 2], "?", "AAAA"] {
            assert_eq!(unpack(broken), None);
        }
    }
}
