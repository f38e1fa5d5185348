//! A WAV file goes in; its samples and how they lie come out. RIFF, RIFX (the first byte weighs most)
//! and RF64 (lengths of 64 bits).
//!
//! Streaming servers write lengths that they cannot know, such as 0xffffffff, or 0, or more than any
//! answer can hold; such a length means "to the end". Any other length must be there, or else the file
//! was cut short. Some servers send a file a sentence, one behind the other: they are joined.

use std::borrow::Cow;

use super::fault::{Fault, MAX_BYTES};
use super::layout::{Coding, Layout};
use super::media_type::{MAX_CHANNELS, RATES};

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;
/// The code stands in the first two bytes of a longer identifier.
const EXTENSIBLE: u16 = 0xfffe;
/// Where that identifier begins in the format chunk.
const IDENTIFIER: usize = 24;
/// Behind the samples, fewer bytes than this are no second half of them.
const LEFTOVER: usize = 64;

/// What is wrong with a WAV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WavFault {
    NotWav,
    Short,
    /// Its samples are packed: FFmpeg may know how.
    Packed,
    /// Its header names what no sound has.
    Contradicts,
}

impl From<WavFault> for Fault {
    fn from(fault: WavFault) -> Self {
        match fault {
            WavFault::NotWav => Self::NotSound,
            WavFault::Short => Self::Cut,
            WavFault::Packed => Self::Format("the speech is a WAV file of an unknown coding"),
            WavFault::Contradicts => Self::Format("the head of the WAV file contradicts itself"),
        }
    }
}

/// Samples as they lie in the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wav<'file> {
    pub(crate) layout: Layout,
    /// Whole frames, but for a rest at the end.
    pub(crate) data: Cow<'file, [u8]>,
}

/// A file under way.
struct Chunks<'file> {
    rest: &'file [u8],
    big_endian: bool,
    /// The length of the samples where their own chunk has no room for it.
    long: Option<u64>,
}

impl<'file> Wav<'file> {
    /// Finds format and samples; skips all else.
    pub(crate) fn parse(file: &'file [u8]) -> Result<Self, WavFault> {
        let (mut whole, mut rest) = Self::one(file)?;
        while is_wave(rest) {
            let (next, behind) = Self::one(rest)?;
            if next.layout != whole.layout {
                return Err(WavFault::Contradicts);
            }
            whole.data.to_mut().extend_from_slice(&next.data);
            rest = behind;
        }
        Ok(whole)
    }

    /// One file, and what lies behind its samples.
    fn one(file: &'file [u8]) -> Result<(Self, &'file [u8]), WavFault> {
        let mut chunks = Chunks::of(file)?;
        let mut layout = None;
        loop {
            let (name, length) = chunks.head().ok_or(WavFault::Short)?;
            if name == *b"data" {
                let layout = layout.ok_or(WavFault::NotWav)?;
                return chunks.samples(layout, length);
            }
            let chunk = chunks.take(length)?;
            match &name {
                b"fmt " => layout = Some(format(chunk, chunks.big_endian)?),
                b"ds64" => chunks.long = chunk.get(8..16).and_then(u64_le),
                _ => {}
            }
        }
    }
}

impl<'file> Chunks<'file> {
    fn of(file: &'file [u8]) -> Result<Self, WavFault> {
        let rest = file.get(12..).filter(|_| is_wave(file)).ok_or(WavFault::NotWav)?;
        Ok(Self { rest, big_endian: file.starts_with(b"RIFX"), long: None })
    }

    /// The name and the length of the next chunk.
    fn head(&mut self) -> Option<([u8; 4], u64)> {
        let (name, rest) = self.rest.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        self.rest = rest;
        let read = if self.big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        Some((*name, read(*length).into()))
    }

    /// The content of a chunk; chunks lie on even places.
    fn take(&mut self, length: u64) -> Result<&'file [u8], WavFault> {
        let length = usize::try_from(length).map_err(|_| WavFault::Short)?;
        let (chunk, rest) = self.rest.split_at_checked(length).ok_or(WavFault::Short)?;
        self.rest = rest.get(length % 2..).unwrap_or_default();
        Ok(chunk)
    }

    /// The samples, and what lies behind them.
    fn samples(self, layout: Layout, length: u64) -> Result<(Wav<'file>, &'file [u8]), WavFault> {
        let length = self.long.filter(|_| length == u64::from(u32::MAX)).unwrap_or(length);
        let known =
            usize::try_from(length).ok().filter(|length: &usize| (1..MAX_BYTES).contains(length));
        let Some(length) = known else {
            let end = next_file(self.rest);
            let (data, behind) = self.rest.split_at(end);
            return Ok((Wav { layout, data: whole(data, layout)?.into() }, behind));
        };
        let (data, behind) = self.rest.split_at_checked(length).ok_or(WavFault::Short)?;
        let behind = behind.get(length % 2..).unwrap_or_default();
        if is_more_of_it(behind) {
            return Err(WavFault::Contradicts);
        }
        Ok((Wav { layout, data: data.into() }, behind))
    }
}

/// Samples up to an end that nobody has announced. A half frame says that the rest is lost, but for
/// the byte that fills an odd length up.
fn whole(data: &[u8], layout: Layout) -> Result<&[u8], WavFault> {
    let frame = layout.frame();
    match data.len() % frame {
        0 => Ok(data),
        1 if frame % 2 == 1 && data.last() == Some(&0) => Ok(&data[..data.len() - 1]),
        _ => Err(WavFault::Short),
    }
}

/// Where the next file begins in samples without a length; their end when none does.
fn next_file(data: &[u8]) -> usize {
    let begins = |at: &usize| is_wave(&data[*at..]);
    let places = data.windows(4).enumerate().filter(|(_, name)| *name == b"RIFF");
    places.map(|(at, _)| at).find(begins).unwrap_or(data.len())
}

fn is_wave(bytes: &[u8]) -> bool {
    let names: [&[u8]; 4] = [b"RIFF", b"RIFX", b"RF64", b"BW64"];
    names.iter().any(|name| bytes.starts_with(name)) && bytes.get(8..12) == Some(b"WAVE")
}

/// Whether what lies behind the samples are neither chunks nor another file nor padding: the length
/// was that of a first part.
fn is_more_of_it(behind: &[u8]) -> bool {
    let is_chunk = behind.first_chunk::<4>().is_some_and(|name| {
        name.iter().all(|letter| letter.is_ascii_alphanumeric() || b" _-".contains(letter))
    });
    behind.len() > LEFTOVER && !is_chunk && behind.iter().any(|byte| *byte != 0)
}

/// How the samples lie, as the format chunk says.
fn format(chunk: &[u8], big_endian: bool) -> Result<Layout, WavFault> {
    let short = |at: usize| {
        let pair = *chunk.get(at..).and_then(<[u8]>::first_chunk).ok_or(WavFault::Short)?;
        Ok(if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    };
    let (code, channels, low, high) = (short(0)?, short(2)?, short(4)?, short(6)?);
    let (first, second) = if big_endian { (low, high) } else { (high, low) };
    let rate = u32::from(first) << 16 | u32::from(second);
    let (block, bits) = (short(12)?, short(14)?);
    let code = if code == EXTENSIBLE { short(IDENTIFIER).unwrap_or(PCM) } else { code };
    let coding = match (code, bits) {
        (PCM, 8) => Coding::U8,
        (PCM, 16) => Coding::S16,
        (PCM, 24) => Coding::S24,
        (PCM, 32) => Coding::S32,
        (FLOAT, 32) => Coding::F32,
        (FLOAT, 64) => Coding::F64,
        (A_LAW, _) => Coding::ALaw,
        (MU_LAW, _) => Coding::MuLaw,
        _ => return Err(WavFault::Packed),
    };
    let layout = Layout { coding, big_endian, rate, channels };
    let is_sound = RATES.contains(&rate) && (1..=MAX_CHANNELS).contains(&channels);
    // Zero where the writer did not care.
    let fits = block == 0 || usize::from(block) == layout.frame();
    if is_sound && fits { Ok(layout) } else { Err(WavFault::Contradicts) }
}

fn u64_le(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUSE: Layout =
        Layout { coding: Coding::S16, big_endian: false, rate: 24_000, channels: 1 };

    fn file(length: u32, data: &[u8]) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0\x01\0".to_vec();
        file.extend(24_000_u32.to_le_bytes());
        file.extend(48_000_u32.to_le_bytes());
        file.extend([2, 0, 16, 0]);
        file.extend(b"data");
        file.extend(length.to_le_bytes());
        file.extend(data);
        file
    }

    fn data(file: &[u8]) -> Result<Vec<u8>, WavFault> {
        Wav::parse(file).map(|wav| wav.data.into_owned())
    }

    #[test]
    fn lengths_are_kept_unless_they_are_placeholders() {
        let whole = Wav { layout: HOUSE, data: (&[1, 2, 3, 4][..]).into() };
        for length in [4, 0, 0x7fff_f000, 0x7fff_ffff - 36, 2_000_000_000, u32::MAX] {
            assert_eq!(Wav::parse(&file(length, &[1, 2, 3, 4])).unwrap(), whole, "{length}");
        }
        assert_eq!(data(&file(2, &[1, 2, b'L', b'I'])).unwrap(), [1, 2]);
        assert_eq!(data(&file(6, &[1, 2, 3, 4])), Err(WavFault::Short));
        assert_eq!(data(&file(0, &[1, 2, 3])), Err(WavFault::Short), "half a sample");
    }

    #[test]
    fn what_lies_behind_the_samples_is_a_chunk_or_another_file() {
        let chunk = [b"LIST\x46\0\0\0".as_slice(), &[7; 70]].concat();
        assert_eq!(data(&[file(2, &[1, 2]), chunk].concat()).unwrap(), [1, 2]);
        assert_eq!(data(&file(2, &[vec![1, 2], vec![0; 900]].concat())).unwrap(), [1, 2]);
        let more = file(2, &[vec![1, 2], vec![200; 900]].concat());
        assert_eq!(data(&more), Err(WavFault::Contradicts));
        for length in [2, u32::MAX] {
            let two = [file(length, &[1, 2]), file(length, &[3, 4])].concat();
            assert_eq!(data(&two).unwrap(), [1, 2, 3, 4]);
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        let whole = file(4, &[1, 2, 3, 4]);
        for end in 0..whole.len() - 4 {
            assert!(Wav::parse(&whole[..end]).is_err(), "{end}");
        }
        assert_eq!(data(b"<html>"), Err(WavFault::NotWav));
        for (at, byte, fault) in [
            (32, 2, WavFault::Packed),
            (34, 0, WavFault::Contradicts),
            (34, 2, WavFault::Contradicts),
            (46, 32, WavFault::Contradicts),
            (38, 9, WavFault::Contradicts),
        ] {
            let mut other = whole.clone();
            other[at] = byte;
            assert_eq!(data(&other), Err(fault), "{at}: {byte}");
        }
    }
}
