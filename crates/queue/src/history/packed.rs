//! The bytes of a slot go in; its number and its counts come out.

/// How long a ring's slots are, and how many it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ring {
    /// Its key's word in `keys::FIXED`.
    pub(crate) key: &'static str,
    /// The length of a slot in seconds.
    pub(crate) step_s: u64,
    pub(crate) slots: u64,
}

impl Ring {
    /// From the finest, as `lua/tally.lua` has them; a test compares the two.
    pub(crate) const ALL: [Self; 3] = [
        Self { key: "history_minutes", step_s: 60, slots: 360 },
        Self { key: "history_quarters", step_s: 900, slots: 288 },
        Self { key: "history_hours", step_s: 7200, slots: 360 },
    ];

    /// The finest that reaches so far back, or the longest.
    pub(crate) fn reaching(span_s: u64) -> Self {
        let [first, second, last] = Self::ALL;
        let reaches = |ring: &Self| ring.step_s * ring.slots >= span_s;
        [first, second].into_iter().find(reaches).unwrap_or(last)
    }
}

/// Counts of one slot, by the number of their name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Packed {
    /// Its number: seconds since the epoch through the ring's step.
    pub(super) number: u64,
    pub(super) counts: Vec<(u64, u64)>,
}

/// Reads a slot: a `MessagePack` array of whole numbers, its own first, then pairs. `None` for others.
pub(super) fn read(bytes: &[u8]) -> Option<Packed> {
    let mut rest = bytes;
    let length = array_length(&mut rest)?;
    let mut numbers = Vec::with_capacity(length.min(4096));
    for _ in 0..length {
        numbers.push(number(&mut rest)?);
    }
    let (number, pairs) = numbers.split_first()?;
    let (pairs, _) = pairs.as_chunks::<2>();
    Some(Packed {
        number: *number,
        counts: pairs.iter().map(|[name, count]| (*name, *count)).collect(),
    })
}

fn array_length(rest: &mut &[u8]) -> Option<usize> {
    let length = match take(rest, 1)? {
        [short @ 0x90..=0x9f] => u64::from(short & 0x0f),
        [0xdc] => big_endian(take(rest, 2)?),
        [0xdd] => big_endian(take(rest, 4)?),
        _ => return None,
    };
    usize::try_from(length).ok()
}

/// A whole number that is not negative.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let bytes = match take(rest, 1)? {
        [small @ 0x00..=0x7f] => return Some(u64::from(*small)),
        [0xcc | 0xd0] => 1,
        [0xcd | 0xd1] => 2,
        [0xce | 0xd2] => 4,
        [0xcf | 0xd3] => 8,
        _ => return None,
    };
    Some(big_endian(take(rest, bytes)?))
}

fn take<'bytes>(rest: &mut &'bytes [u8], count: usize) -> Option<&'bytes [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slot_is_read_whatever_the_length_of_its_numbers() {
        let bytes = [
            0x97, 0xce, 0x01, 0xaf, 0x52, 0x80, 0x07, 0xcc, 0xff, 0xcd, 0x01, 0x00, 0x01, 0xcf, 0,
            0, 0, 1, 0, 0, 0, 0, 0x05,
        ];
        let slot = read(&bytes[..bytes.len() - 1]);
        assert_eq!(slot, None, "the seventh is missing");
        let slot = read(&bytes).unwrap();
        assert_eq!((slot.number, slot.counts[0]), (28_267_136, (7, 255)));
        assert_eq!(slot.counts[1..], [(256, 1), (1 << 32, 5)]);
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&bytes);
        }
    }

    #[test]
    fn a_span_is_read_from_the_finest_ring_that_reaches_so_far() {
        let step = |hours: u64| Ring::reaching(hours * 3600).step_s;
        assert_eq!((step(1), step(6), step(7), step(72), step(73)), (60, 60, 900, 900, 7200));
        assert_eq!((step(720), step(9_999)), (7200, 7200));
    }
}
