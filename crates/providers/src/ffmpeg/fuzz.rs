//! Whatever lies where the finished file should: its index is read or refused.

use std::io::Cursor;

use proptest::prelude::*;

use super::mp4::read;

const FILES: [&[u8]; 2] = [
    b"\0\0\0\x18ftypM4A \0\0\x02\0isomiso2\0\0\0\x74moov\0\0\0\x6cmvhd\0\0\0\0\0\0\0\0\0\0\0\0\
      \0\0\x03\xe8\0\0\x75\x30\0\x01\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\
      \0\0\0\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x10mdat\0\0\0\0\0\0\0\0",
    b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x18\0\0\0\0\0\0\0\0\0\0\0\x30moov\0\0\0\x28mvhd\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x09",
];

proptest! {
    #[test]
    fn an_index_is_read_or_refused(bytes in fuzzing::bytes(&FILES)) {
        let _ = read(&mut Cursor::new(&bytes));
    }

    #[test]
    fn a_whole_index_is_read(seconds in 0..100_000_u32) {
        let mut file = FILES[0].to_vec();
        let at = file.windows(4).position(|four| four == b"\0\0\x75\x30").unwrap();
        file[at..at + 4].copy_from_slice(&(seconds * 1000).to_be_bytes());
        let facts = read(&mut Cursor::new(&file)).unwrap();
        prop_assert!((facts.duration_s - f64::from(seconds)).abs() < 0.001);
    }
}
