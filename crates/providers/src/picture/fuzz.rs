//! Whatever a server sends as a picture: its head is read or refused.

use proptest::prelude::*;

use super::*;

const HEADS: [&[u8]; 9] = [
    include_bytes!("turned.jpg"),
    include_bytes!("inks.jpg"),
    b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x03\xc0\0\0\x02\x1c\x08\x02\0\0\0",
    b"RIFF\0\x01\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xbf\x03\0\x1b\x02\0",
    b"II*\0\x08\0\0\0\x02\0\0\x01\x03\0\x01\0\0\0\xc0\x03\0\0",
    b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0",
    b"\0\0\0\x1cftypavif\0\0\0\0avifmif1\0\0\0\x20meta",
    b"GIF89a\xc0\x03\x1c\x02\xf7\0\0",
    b"BM\x36\x10\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\xc0\x03\0\0\x1c\x02\0\0",
];

proptest! {
    #[test]
    fn a_head_is_read_or_refused(bytes in fuzzing::bytes(&HEADS)) {
        let _ = Header::read(&bytes);
    }
}
