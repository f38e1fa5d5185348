//! Whatever a server sends as speech: it is read or refused, and no number in it is believed.

use proptest::prelude::*;

use super::*;

/// Heads of all kinds, behind which anything may follow.
const HEADS: [&[u8]; 12] = [
    b"",
    b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\xc0\x5d\0\0\x80\xbb\0\0\x02\0\x10\0",
    b"RIFX\0\0\0\0WAVEfmt \0\0\0\x10",
    b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0",
    b"fLaC\0\0\0\x22",
    b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    b"ID3\x04\0\0\x7f\x7f\x7f\x7f",
    b"\xff\xfb\x90\x44",
    b"\0\0\0\x08ftyp\0\0\0\x20moov\0\0\0\x18mvhd",
    b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff",
    b"FORM\0\0\0\0AIFFCOMM",
    b".snd\0\0\0\x18",
];

const MEDIA_TYPE: &str =
    "audio/(pcm|l16|l24|basic|mpeg)(; ?(rate|channels|bits|encoding|endian)=[a-z0-9]{0,6}){0,3}";

proptest! {
    #[test]
    fn speech_is_read_or_refused(
        head in proptest::sample::select(HEADS.to_vec()),
        tail in fuzzing::bytes(&[b"data\x10\x02\0\0\x07\x07\x07\x07\x07\x07\x07\x07LIST\x04\0\0\0INFO"]),
        media_type in MEDIA_TYPE,
    ) {
        let body = [head, &tail].concat();
        let _ = Recording::read(&body, Some(&MediaType::parse(&media_type)));
        let _ = Recording::read(&body, None);
    }

    #[test]
    fn a_spoilt_head_is_read_or_refused(body in fuzzing::bytes(&HEADS)) {
        let _ = Recording::read(&body, None);
    }
}
