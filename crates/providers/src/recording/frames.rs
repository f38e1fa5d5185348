//! Bytes go in; the frames of MPEG audio or of AAC that follow each other in them come out.

/// Frames that must follow each other before bytes are believed to be frames.
const ENOUGH: usize = 4;
/// How far in front of the first whole frame a stream that was joined late may have a rest.
const REST: usize = 4096;

/// Kilobits a second by MPEG-1's layers 1 to 3, and by the lower rates' layer 1, and layers 2 and 3.
const BITRATES: [[u16; 14]; 5] = [
    [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];
const MPEG_RATES: [u32; 3] = [44_100, 48_000, 32_000];
const AAC_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// What frames are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Mpeg,
    Adts,
}

/// One frame's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    stream: Stream,
    /// Bytes, its head included; at least 7.
    length: usize,
    samples: u32,
    rate: u32,
    layer: u8,
}

/// What the frames of a stream add up to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sum {
    pub(super) seconds: f64,
    /// Whether the last one is not all there.
    pub(super) is_cut: bool,
}

/// The first frame of a row that is long enough to be believed, and where it lies.
pub(super) fn first(bytes: &[u8]) -> Option<(Stream, usize)> {
    let places = 0..bytes.len().min(REST);
    places.into_iter().find_map(|at| Some((row(bytes, at)?, at)))
}

/// Where the tag in front of the sound ends; 0 where there is none.
pub(super) fn tag(bytes: &[u8]) -> usize {
    match bytes {
        [b'I', b'D', b'3', _, _, _, a, b, c, d, ..] => {
            let seven = |byte: &u8| usize::from(byte & 0x7f);
            10 + (seven(a) << 21 | seven(b) << 14 | seven(c) << 7 | seven(d))
        }
        _ => 0,
    }
}

/// All frames, from the first one that can be believed; what lies between two is passed over.
pub(super) fn sum(bytes: &[u8]) -> Option<Sum> {
    let sound = bytes.get(tag(bytes)..)?;
    let (_, mut at) = first(sound)?;
    let mut sum = Sum { seconds: 0.0, is_cut: false };
    while let Some(frame) = frame(&sound[at..]) {
        let end = at + frame.length;
        if end > sound.len() {
            sum.is_cut = true;
            break;
        }
        sum.seconds += f64::from(frame.samples) / f64::from(frame.rate);
        at = end;
    }
    Some(sum)
}

/// Enough frames of one kind from `at`, or fewer that end exactly where the bytes do.
fn row(bytes: &[u8], at: usize) -> Option<Stream> {
    let first = frame(bytes.get(at..)?)?;
    let mut end = at + first.length;
    for _ in 1..ENOUGH {
        let rest = bytes.get(end..)?;
        if rest.is_empty() {
            return (at == 0).then_some(first.stream);
        }
        let next = frame(rest)?;
        let Frame { stream, rate, layer, .. } = next;
        if (stream, rate, layer) != (first.stream, first.rate, first.layer) {
            return None;
        }
        end += next.length;
    }
    Some(first.stream)
}

fn frame(bytes: &[u8]) -> Option<Frame> {
    match bytes {
        [0xff, second, rest @ ..] if second & 0xf6 == 0xf0 => adts(rest),
        [0xff, second, third, ..] if second & 0xe0 == 0xe0 => mpeg(*second, *third),
        _ => None,
    }
}

fn adts(rest: &[u8]) -> Option<Frame> {
    let [third, fourth, fifth, sixth, seventh, ..] = rest else { return None };
    let rate = *AAC_RATES.get(usize::from((third >> 2) & 15))?;
    let length = usize::from(fourth & 3) << 11 | usize::from(*fifth) << 3 | usize::from(sixth >> 5);
    let samples = (u32::from(seventh & 3) + 1) * 1024;
    (length >= 7).then_some(Frame { stream: Stream::Adts, length, samples, rate, layer: 0 })
}

fn mpeg(second: u8, third: u8) -> Option<Frame> {
    let (version, layer) = ((second >> 3) & 3, 4 - ((second >> 1) & 3));
    // Reserved values.
    if version == 1 || layer == 4 {
        return None;
    }
    let is_one = version == 3;
    let row = match (is_one, layer) {
        (true, layer) => usize::from(layer) - 1,
        (false, 1) => 3,
        (false, _) => 4,
    };
    let bitrate = usize::from(third >> 4).checked_sub(1)?;
    let bitrate = u32::from(*BITRATES[row].get(bitrate)?) * 1000;
    let divisor = match version {
        3 => 1,
        2 => 2,
        _ => 4,
    };
    let rate = MPEG_RATES.get(usize::from((third >> 2) & 3))? / divisor;
    let padding = u32::from((third >> 1) & 1);
    let (samples, length) = match (layer, is_one) {
        (1, _) => (384, (12 * bitrate / rate + padding) * 4),
        (3, false) => (576, 72 * bitrate / rate + padding),
        _ => (1152, 144 * bitrate / rate + padding),
    };
    let length = usize::try_from(length).ok().filter(|length| *length >= 7)?;
    Some(Frame { stream: Stream::Mpeg, length, samples, rate, layer })
}
