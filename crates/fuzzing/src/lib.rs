//! What the fuzz tests throw at a reader: valid samples with a few edits, and plain noise.
//!
//! A fuzz test is a test in a module `fuzz` beside what it attacks, so that it reaches private
//! functions. `tests/run` gives each 256 inputs, `just fuzz` a million; `PROPTEST_CASES` is the
//! number.

#![warn(missing_docs)]

use proptest::collection::vec;
use proptest::prelude::*;

/// Most edits of one sample.
const EDITS: usize = 8;
/// Most bytes of an inserted or doubled piece.
const PIECE: usize = 24;
/// Most bytes of noise.
const NOISE: usize = 512;

/// Bytes and numbers at which readers break: ends of ranges, separators, halves of characters.
const EDGES: [&[u8]; 20] = [
    b"",
    b"\0",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\x80\0\0\0",
    b"\r\n\r\n",
    b"\n",
    b"\"",
    b"\\ud800",
    b"\xed\xa0\x80",
    b"\xf0\x9f",
    "\u{202e}".as_bytes(),
    "\u{feff}".as_bytes(),
    b"null",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"[[[[",
    b"{\"\":{}}",
];

/// One change of a sample; places are shares of its length.
#[derive(Clone, Debug)]
enum Edit {
    Set(u16, u8),
    Insert(u16, Vec<u8>),
    Remove(u16, usize),
    Double(u16, usize),
    Truncate(u16),
}

/// One of `samples` with up to eight edits, or noise.
pub fn bytes(samples: &[&[u8]]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let samples: Vec<Vec<u8>> = samples.iter().map(|sample| sample.to_vec()).collect();
    let edited = (proptest::sample::select(samples), vec(edit(), 0..=EDITS)).prop_map(
        |(mut sample, edits)| {
            for edit in edits {
                edit.apply(&mut sample);
            }
            sample
        },
    );
    prop_oneof![9 => edited, 1 => vec(any::<u8>(), 0..=NOISE)]
}

/// As [`bytes`], as text; what is no UTF-8 becomes U+FFFD.
pub fn text(samples: &[&str]) -> impl Strategy<Value = String> + use<> {
    let samples: Vec<&[u8]> = samples.iter().map(|sample| sample.as_bytes()).collect();
    bytes(&samples).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Places at which to cut what arrives in pieces, as shares of its length, of 65536.
pub fn cuts() -> impl Strategy<Value = Vec<u16>> {
    vec(any::<u16>(), 0..=EDITS)
}

/// `whole` in pieces, cut at `cuts`; empty pieces included.
pub fn pieces<'whole>(whole: &'whole [u8], cuts: &[u16]) -> Vec<&'whole [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|share| place(*share, whole.len())).collect();
    places.push(whole.len());
    places.sort_unstable();
    let mut begin = 0;
    places.into_iter().map(|end| &whole[std::mem::replace(&mut begin, end)..end]).collect()
}

fn edit() -> impl Strategy<Value = Edit> {
    let piece = prop_oneof![
        proptest::sample::select(EDGES.to_vec()).prop_map(<[u8]>::to_vec),
        vec(any::<u8>(), 0..=PIECE),
    ];
    let (at, length) = (any::<u16>(), 1..=PIECE);
    prop_oneof![
        (at, any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (any::<u16>(), piece).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        (any::<u16>(), length.clone()).prop_map(|(at, length)| Edit::Remove(at, length)),
        (any::<u16>(), length).prop_map(|(at, length)| Edit::Double(at, length)),
        any::<u16>().prop_map(Edit::Truncate),
    ]
}

impl Edit {
    fn apply(self, sample: &mut Vec<u8>) {
        let length = sample.len();
        match self {
            Self::Set(at, byte) => {
                if let Some(found) = sample.get_mut(place(at, length)) {
                    *found = byte;
                }
            }
            Self::Insert(at, piece) => {
                let at = place(at, length);
                drop(sample.splice(at..at, piece));
            }
            Self::Remove(at, removed) => {
                let at = place(at, length);
                drop(sample.drain(at..length.min(at + removed)));
            }
            Self::Double(at, doubled) => {
                let at = place(at, length);
                let end = length.min(at + doubled);
                sample.extend_from_within(at..end);
                sample[at..].rotate_right(end - at);
            }
            Self::Truncate(at) => sample.truncate(place(at, length)),
        }
    }
}

/// The place at `share` parts of 65536 of `length`.
fn place(share: u16, length: usize) -> usize {
    (usize::from(share) * (length + 1)) >> 16
}

#[cfg(test)]
mod tests {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    use super::*;

    #[test]
    fn samples_come_whole_edited_and_not_at_all() {
        let mut runner = TestRunner::deterministic();
        let strategy = bytes(&[b"a whole sample of some length"]);
        let mut draw = || strategy.new_tree(&mut runner).unwrap().current();
        let drawn: Vec<Vec<u8>> = (0..1000).map(|_| draw()).collect();
        let whole = drawn.iter().filter(|one| one.as_slice() == b"a whole sample of some length");
        let (whole, near) = (whole.count(), drawn.iter().filter(|one| one.starts_with(b"a whole")));
        let near = near.count();
        assert!((50..400).contains(&whole) && (200..900).contains(&near), "{whole}, {near}");
    }

    #[test]
    fn pieces_are_the_whole() {
        for cuts in [vec![], vec![0, u16::MAX], vec![40_000, 3, 40_000]] {
            let pieces = pieces(b"0123456789", &cuts);
            assert_eq!(
                (pieces.len(), pieces.concat().as_slice()),
                (cuts.len() + 1, &b"0123456789"[..])
            );
        }
    }
}
