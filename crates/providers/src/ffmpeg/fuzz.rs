//! Whatever lies where the finished file should: its index is read or refused.

use std::io::Cursor;

use proptest::prelude::*;

use stillcast_enqueue::Container;

use super::heads::duration;
use super::mp4::read;

const FILES: [&[u8]; 2] = [
    b"\0\0\0\x18ftypM4A \0\0\x02\0isomiso2\0\0\0\x74moov\0\0\0\x6cmvhd\0\0\0\0\0\0\0\0\0\0\0\0\
      \0\0\x03\xe8\0\0\x75\x30\0\x01\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\
      \0\0\0\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x10mdat\0\0\0\0\0\0\0\0",
    b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x18\0\0\0\0\0\0\0\0\0\0\0\x30moov\0\0\0\x28mvhd\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x09",
];

/// The beginnings of an MP3 file, an Ogg, a WAV and a FLAC.
const HEADS: [&[u8]; 4] = [
    b"ID3\x03\0\0\0\0\0\x02xx\xff\xf3\x84\xc4\0\0\0\0\0\0\0\0\0Xing\0\0\0\x0f\0\0\x09\xc6\0\0\0\0",
    b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead\x01\x01\x38\x01\xc0\x5d\0\0\0\0\0",
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\xc0\x5d\0\0\x80\xbb\0\0\x02\0\x10\0data\x80\xbb\0\0",
    b"fLaC\0\0\0\x22\x10\0\x10\0\0\0\0\0\0\0\x05\xdc\x01\xf0\0\0\x5d\xc0\0\0\0\0\0\0",
];

proptest! {
    #[test]
    fn a_head_is_read_or_refused(bytes in fuzzing::bytes(&HEADS)) {
        for container in Container::ALL {
            let told = duration(container, &mut Cursor::new(&bytes));
            prop_assert!(told.is_err() || told.is_ok_and(f64::is_finite));
        }
    }

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
