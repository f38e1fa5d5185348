//! A packed file goes in; how long it says that it lasts comes out, where it says so. What ends in the
//! middle of a box, a page or a frame was cut.
//!
//! Servers that stream say nothing, or 0: then there is nothing to keep.

use super::container::Container;
use super::fault::Fault;
use super::frames;

/// A decoder may drop what an encoder has added at both ends, some packets of up to 72 ms.
const SLACK_S: f64 = 0.25;
/// And a clock may be coarse.
const SLACK: f64 = 0.01;
/// Opus counts at this rate, whatever was recorded.
const OPUS_RATE: f64 = 48_000.0;

/// Whether `seconds` of sound are fewer than `claimed`.
pub(super) fn is_short(seconds: f64, claimed: f64) -> bool {
    seconds < claimed * (1.0 - SLACK) - SLACK_S
}

/// The playing time in seconds that `bytes` claim.
pub(crate) fn claim(container: Container, bytes: &[u8]) -> Result<Option<f64>, Fault> {
    let claimed = match container {
        Container::Mp3 | Container::Adts => return framed(bytes),
        Container::Mp4 => return mp4(bytes),
        Container::Ogg => return ogg(bytes),
        Container::Flac => flac(bytes),
        Container::Matroska => matroska(bytes),
        Container::Aiff => aiff(bytes),
        Container::Au => au(bytes),
        Container::Wav | Container::Wave64 | Container::Caf => None,
    };
    Ok(claimed.filter(|seconds| seconds.is_finite() && *seconds > 0.0))
}

fn framed(bytes: &[u8]) -> Result<Option<f64>, Fault> {
    match frames::sum(bytes) {
        Some(sum) if sum.is_cut => Err(Fault::Cut),
        sum => Ok(sum.map(|sum| sum.seconds)),
    }
}

/// The index of a whole file; one in fragments leaves its length open.
fn mp4(bytes: &[u8]) -> Result<Option<f64>, Fault> {
    let (mut rest, mut index, mut has_data) = (bytes, None, false);
    // What is no box any more at the end is padding.
    while rest.len() >= 8 && rest.iter().any(|byte| *byte != 0) {
        let (kind, content, behind) = mp4_box(rest).ok_or(Fault::Cut)?;
        match kind {
            b"moov" => index = Some(content),
            b"mdat" => has_data = true,
            _ => {}
        }
        rest = behind;
    }
    let index = index.filter(|_| has_data).ok_or(Fault::Cut)?;
    Ok(movie_length(index).filter(|seconds| *seconds > 0.0))
}

/// The kind and the content of the first box, and what lies behind it.
fn mp4_box(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let kind = bytes.get(4..)?.first_chunk()?;
    let (head, length) = match be32(bytes, 0)? {
        0 => (8, bytes.len()),
        1 => (16, usize::try_from(be64(bytes, 8)?).ok()?),
        length => (8, usize::try_from(length).ok()?),
    };
    let (whole, behind) = bytes.split_at_checked(length)?;
    Some((kind, whole.get(head..)?, behind))
}

fn movie_length(mut index: &[u8]) -> Option<f64> {
    while let Some((kind, content, behind)) = mp4_box(index) {
        if kind == b"mvhd" {
            let (scale, ticks) = match content.first()? {
                0 => (be32(content, 12)?, u64::from(be32(content, 16)?)),
                _ => (be32(content, 20)?, be64(content, 24)?),
            };
            let is_known = scale > 0 && ticks < u64::from(u32::MAX);
            return is_known.then(|| ticks as f64 / f64::from(scale));
        }
        index = behind;
    }
    None
}

/// The place of the last page, when that says that it is the last.
fn ogg(bytes: &[u8]) -> Result<Option<f64>, Fault> {
    let (mut rest, mut last, mut rate, mut skipped) = (bytes, None, None, 0);
    while rest.starts_with(b"OggS") {
        let (content, behind) = ogg_page(rest).ok_or(Fault::Cut)?;
        let flags = rest.get(5).copied().unwrap_or_default();
        if flags & 2 != 0 {
            // A second beginning: chained files count from nought again.
            let is_chained = rate.is_some();
            (rate, skipped) = ogg_rate(content);
            rate = rate.filter(|_| !is_chained);
        }
        last = (flags & 4 != 0).then(|| le64(rest, 6)).flatten();
        rest = behind;
    }
    let length = |rate: f64| Some(last?.checked_sub(skipped)? as f64 / rate);
    Ok(rate.and_then(length).filter(|seconds| *seconds > 0.0))
}

/// The content of the first page, and what lies behind it.
fn ogg_page(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let count = usize::from(*bytes.get(26)?);
    let table = bytes.get(27..27 + count)?;
    let length = table.iter().map(|length| usize::from(*length)).sum();
    bytes.get(27 + count..)?.split_at_checked(length)
}

/// What the first packet says: ticks a second, and ticks in front of the sound.
fn ogg_rate(packet: &[u8]) -> (Option<f64>, u64) {
    if packet.starts_with(b"OpusHead") {
        let skipped = packet.get(10..12).map_or(0, |pair| u16::from_le_bytes([pair[0], pair[1]]));
        return (Some(OPUS_RATE), skipped.into());
    }
    let rate = packet.strip_prefix(b"\x01vorbis").and_then(|head| le32(head, 5));
    (rate.filter(|rate| *rate > 0).map(f64::from), 0)
}

fn flac(bytes: &[u8]) -> Option<f64> {
    let words = be64(bytes, 18)?;
    let (rate, samples) = (words >> 44, words & ((1 << 36) - 1));
    (rate > 0).then(|| samples as f64 / rate as f64)
}

/// Elements of Matroska, by their identifiers.
const SEGMENT: u64 = 0x1853_8067;
const INFO: u64 = 0x1549_a966;
const TICK: u64 = 0x2a_d7b1;
const DURATION: u64 = 0x4489;
/// Sound begins here; what is said of the whole stands in front of it.
const CLUSTER: u64 = 0x1f43_b675;

fn matroska(bytes: &[u8]) -> Option<f64> {
    let info = element(element(bytes, SEGMENT)?, INFO)?;
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    let tick = element(info, TICK).filter(|tick| tick.len() <= 8).map_or(1_000_000, number);
    let duration = element(info, DURATION)?;
    let ticks = match duration.len() {
        4 => f64::from(f32::from_be_bytes(duration.try_into().ok()?)),
        8 => f64::from_be_bytes(duration.try_into().ok()?),
        _ => return None,
    };
    Some(ticks * tick as f64 / 1e9)
}

/// The content of the first element `wanted` among those in `bytes`.
fn element(mut bytes: &[u8], wanted: u64) -> Option<&[u8]> {
    loop {
        let (name, rest) = number(bytes, true)?;
        let (length, rest) = number(rest, false)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
        if name == wanted {
            return Some(&rest[..length]);
        }
        if name == CLUSTER {
            return None;
        }
        bytes = &rest[length..];
    }
}

/// A number of Matroska, whose first bits say how long it is. An identifier keeps them.
fn number(bytes: &[u8], is_name: bool) -> Option<(u64, &[u8])> {
    let first = *bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    let (number, rest) = bytes.split_at_checked(length).filter(|_| length <= 8)?;
    let whole = number.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    let mask = (1_u64 << (7 * length)) - 1;
    Some((if is_name { whole } else { whole & mask }, rest))
}

fn aiff(bytes: &[u8]) -> Option<f64> {
    let mut rest = bytes.get(12..)?;
    loop {
        let length = usize::try_from(be32(rest, 4)?).ok()?;
        if rest.starts_with(b"COMM") {
            let samples = be32(rest, 10)?;
            // A float of 80 bits: an exponent, and a mantissa with its first bit spelled out.
            let exponent = u16::from_be_bytes(*rest.get(16..)?.first_chunk()?);
            let power = i32::from(exponent & 0x7fff) - 16_383 - 63;
            let rate = be64(rest, 18)? as f64 * 2_f64.powi(power);
            return (rate > 0.0).then(|| f64::from(samples) / rate);
        }
        rest = rest.get(8_usize.checked_add(length.checked_next_multiple_of(2)?)?..)?;
    }
}

/// Sun's: a length of its data, all ones where it was not known.
fn au(bytes: &[u8]) -> Option<f64> {
    let (length, coding) = (be32(bytes, 8).filter(|length| *length != u32::MAX)?, be32(bytes, 12)?);
    let (rate, channels) = (be32(bytes, 16)?, be32(bytes, 20)?);
    let width = match coding {
        1 | 2 | 27 => 1,
        3 => 2,
        4 => 3,
        5 | 6 => 4,
        7 => 8,
        _ => return None,
    };
    Some(f64::from(length) / f64::from(width) / f64::from(rate) / f64::from(channels))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
