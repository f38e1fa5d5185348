//! The text of a picture goes in, as servers wrap it; its bytes or a link come out.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Padded or not.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What a text holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrapped {
    Bytes(Vec<u8>),
    Link(String),
}

/// Takes base64 in either alphabet, with and without padding, in lines, behind `data:…,`; or a link.
pub(super) fn unwrap(text: &str) -> Option<Wrapped> {
    let text = text.trim();
    let has_scheme = |scheme: &str| {
        text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
    };
    if has_scheme("http://") || has_scheme("https://") {
        return Some(Wrapped::Link(text.to_owned()));
    }
    let packed = if has_scheme("data:") { text.split_once(',')?.1 } else { text };
    // Most send it plain, and it is millions of letters, which others wait for.
    let bytes = LENIENT.decode(packed).or_else(|_| LENIENT.decode(plain(packed))).ok()?;
    (!bytes.is_empty()).then_some(Wrapped::Bytes(bytes))
}

/// In one line, and in the alphabet that most write.
fn plain(packed: &str) -> Vec<u8> {
    let letters = packed.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let plain = letters.map(|byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => byte,
    });
    plain.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrapping_holds_the_same() {
        // The first bytes need both letters that the alphabets do not share.
        let picture = Some(Wrapped::Bytes(vec![0xfb, 0xff, 0xfe, 1]));
        for text in [
            "+//+AQ==",
            "+//+AQ",
            "-__-AQ",
            " +//+\r\n\tAQ==\n",
            "data:image/png;base64,+//+AQ==",
            "DATA:image/webp;charset=x;base64,-__-AQ",
            "data:,+//+AQ==",
        ] {
            assert_eq!(unwrap(text), picture, "{text}");
        }
        for text in ["", " ", "data:image/png;base64", "data:image/png;base64,", "no picture!", "ä"]
        {
            assert_eq!(unwrap(text), None, "{text}");
        }
        let link = "https://img.example.org/1.png?sig=%2F";
        assert_eq!(unwrap(link), Some(Wrapped::Link(link.to_owned())));
    }
}
