//! A finished file goes in; how long its own head says it is comes out, without trusting the program that
//! wrote it. `mp4` reads what has boxes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use stillcast_enqueue::Container;

use super::mp4;

/// How far a file may be from the sound that went in, in seconds.
const DRIFT: f64 = 0.1;
/// A head is no longer than this, whatever it says of itself.
const MAX_HEAD: u64 = 1 << 20;
/// The last page of an Ogg file begins no further from its end.
const LAST_PAGE: u64 = 1 << 16;
/// Opus counts at this rate, whatever its sound was.
const OPUS_RATE: f64 = 48_000.0;

/// Checks that a player is told `duration_s`; answers what it is told.
pub(super) fn check(container: Container, path: &Path, duration_s: f64) -> io::Result<f64> {
    let mut file = File::open(path)?;
    let told = duration(container, &mut file)?;
    let drift = told - duration_s;
    if drift.abs() > DRIFT {
        return Err(broken(&format!("it is {drift:.3} s longer than its sound")));
    }
    Ok(told)
}

/// What the head of a file in `container` says.
pub(super) fn duration(container: Container, file: &mut (impl Read + Seek)) -> io::Result<f64> {
    let told = match container {
        Container::M4a | Container::Mp4 | Container::Mp4Social => {
            return mp4::read(file)?.told_in_front();
        }
        Container::Mp3 => mp3(&behind_id3(file)?),
        Container::Opus => opus(&head(file)?, &end(file)?),
        Container::Wav => wav(&head(file)?),
        Container::Flac => flac(&head(file)?),
    };
    told.filter(|told| told.is_finite()).ok_or_else(|| broken("its head says no duration"))
}

fn head(file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
    file.rewind()?;
    read(file)
}

fn read(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_HEAD).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn end(file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_PAGE)))?;
    read(file)
}

/// What follows the tag in front of an MP3 file; its length has seven bits a byte.
fn behind_id3(file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
    let start = head(file)?;
    let length = match start.get(..10) {
        Some([b'I', b'D', b'3', .., a, b, c, d]) => {
            10 + [a, b, c, d].iter().fold(0, |sum, byte| sum << 7 | u64::from(**byte & 0x7f))
        }
        _ => 0,
    };
    file.seek(SeekFrom::Start(length))?;
    read(file)
}

/// The first frame holds no sound but how many frames there are, and how many of their samples stand before
/// the sound and behind it.
fn mp3(frame: &[u8]) -> Option<f64> {
    let [0xff, kind, rates, channels] = *frame.first_chunk()? else { return None };
    let is_mono = channels >> 6 == 3;
    let (samples, divisor, side) = match (kind >> 3 & 3, is_mono) {
        (3, true) => (1152, 1, 17),
        (3, false) => (1152, 1, 32),
        (2, true) => (576, 2, 9),
        (2, false) => (576, 2, 17),
        (0, true) => (576, 4, 9),
        (0, false) => (576, 4, 17),
        _ => return None,
    };
    let rate = [44_100, 48_000, 32_000].get(usize::from(rates >> 2 & 3))? / divisor;
    let index = frame.get(4 + side..)?;
    let counts = matches!(index.get(..4)?, b"Xing" | b"Info") && index.get(7)? & 1 == 1;
    let frames = counts.then(|| u32_be(index, 8)).flatten()?;
    // Twelve bits each.
    let outside = index.get(141..144).map_or(0, |bytes| {
        let [a, b, c] = [0, 1, 2].map(|at| u64::from(bytes.get(at).copied().unwrap_or(0)));
        (a << 4 | b >> 4) + ((b & 0xf) << 8 | c)
    });
    let sound = (u64::from(frames) * samples).checked_sub(outside)?;
    Some(sound as f64 / f64::from(rate))
}

/// The last page says at which sample it ends, the head how many of them stand before the sound.
fn opus(head: &[u8], end: &[u8]) -> Option<f64> {
    let found = |bytes: &[u8], word: &[u8]| bytes.windows(word.len()).rposition(|at| at == word);
    let skipped = found(head.get(..head.len().min(256))?, b"OpusHead")? + 10;
    let skipped = u16::from_le_bytes(head.get(skipped..skipped + 2)?.try_into().ok()?);
    let last = found(end, b"OggS")? + 6;
    let samples = u64::from_le_bytes(end.get(last..last + 8)?.try_into().ok()?);
    Some(samples.checked_sub(u64::from(skipped))? as f64 / OPUS_RATE)
}

/// Chunks, of which one says how many bytes a second has and another one how many there are.
fn wav(head: &[u8]) -> Option<f64> {
    let is_wav = head.get(..4)? == b"RIFF" && head.get(8..12)? == b"WAVE";
    let (mut at, mut a_second) = (is_wav.then_some(12)?, None);
    loop {
        let length = u32_le(head, at + 4)?;
        match head.get(at..at + 4)? {
            b"fmt " => a_second = u32_le(head, at + 16).filter(|bytes| *bytes > 0),
            b"data" => return Some(f64::from(length) / f64::from(a_second?)),
            _ => {}
        }
        let length = usize::try_from(length).ok()?;
        at = at.checked_add(8)?.checked_add(length.checked_next_multiple_of(2)?)?;
    }
}

/// Its first block says the rate in 20 bits, and the number of samples in 36.
fn flac(head: &[u8]) -> Option<f64> {
    let block = head.strip_prefix(b"fLaC\0")?.get(3 + 10..)?;
    let bits = u64::from_be_bytes(block.first_chunk().copied()?);
    let (rate, samples) = (bits >> 44, bits & 0xf_ffff_ffff);
    (rate > 0 && samples > 0).then(|| samples as f64 / rate as f64)
}

fn u32_be(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    u32_be(bytes, at).map(u32::swap_bytes)
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the file is broken: {why}"))
}
