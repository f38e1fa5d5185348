//! Samples go in; whether they can be a voice comes out.
//!
//! Raw samples carry no proof. Bytes of another order, width or kind give full-scale noise, and such
//! noise has marks that no microphone and no model makes. Each rule asks for much more than the
//! strangest voice has, since good speech that is refused is worse than noise that another check
//! finds: a whisper, a hiss, a hum, music and silence all pass.

use super::fault::Fault;
use super::layout::{a_law, mu_law};

/// Samples of a block, 20 ms at the house's rate; even, and a multiple of three.
const BLOCK: usize = 480;
/// Quieter blocks tell nothing, in steps of 16 bits.
const QUIET: f64 = 100.0;
/// Fewer blocks with sound prove nothing.
const MIN_BLOCKS: usize = 10;
/// More than a minute is not looked at.
const MAX_SAMPLES: usize = 60 * 24_000;
/// Blocks with sound that are looked at closely, from all over the answer: five seconds of sound tell what a
/// minute tells.
const MOST_BLOCKS: usize = 250;

/// A level, of full scale, above which noise would clip: its peaks reach four times as high. A voice
/// that is limited as for radio stays at 0.25.
const NOISE_LEVEL: f64 = 0.3;
/// Energy of the differences between neighbours, of their own: 2 for noise, up to 0.3 for the loud
/// sounds of a voice.
const NOISE_ROUGHNESS: f64 = 0.7;
/// A sine of full scale has 0.71.
const FULL: f64 = 0.8;
/// A mean this far from nought, of full scale: text has 0.6, a bad microphone 0.02.
const OFFSET: f64 = 0.25;
/// How much every second or third sample may differ from those between; 1 in a voice.
const LANES: u32 = 4;
/// Differences below this, in steps of 16 bits, are as good as none.
const STILL: u32 = 4;
/// Likeness of the two bytes of a sample; 0 in a voice, 0.9 where they are two samples.
const ALIKE: f64 = 0.6;
/// The high byte of samples that are neither so small nor so large that it decides the low one.
const TELLING: std::ops::RangeInclusive<u8> = 4..=123;
/// Fewer such samples prove nothing.
const MIN_TELLING: usize = 2_000;

/// What samples are instead of a voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misread {
    /// The bytes of a sample in the other order, packed sound, or anything else.
    Noise,
    /// Samples of another width, or several channels.
    Interleaved,
    /// Two samples of eight bits each.
    EightBit,
    /// Text, or samples around another nought.
    Offset,
}

impl From<Misread> for Fault {
    fn from(misread: Misread) -> Self {
        Self::Format(match misread {
            Misread::Noise => "read as 16-bit PCM the answer is noise and no voice",
            Misread::Interleaved => {
                "the answer holds several channels, or wider samples than 16-bit PCM"
            }
            Misread::EightBit => "the answer holds samples of eight bits instead of 16-bit PCM",
            Misread::Offset => "read as 16-bit PCM the answer is no sound",
        })
    }
}

/// What tells of one block.
struct Block {
    level: f64,
    roughness: f64,
}

/// Whether `samples` can be a voice, at whatever rate.
pub(super) fn judge(samples: &[i16]) -> Result<(), Misread> {
    let samples = &samples[..samples.len().min(MAX_SAMPLES)];
    let heard: Vec<&[i16]> =
        samples.chunks_exact(BLOCK).filter(|block| level(block) >= QUIET).collect();
    if heard.len() < MIN_BLOCKS {
        return Ok(());
    }
    let heard: Vec<&[i16]> =
        heard.iter().step_by(heard.len().div_ceil(MOST_BLOCKS)).copied().collect();
    // The more telling first: what is eight bits wide or interleaved may look like noise, too.
    if is_eight_bit(&heard) {
        return Err(Misread::EightBit);
    }
    if is_interleaved(&heard, 2) || is_interleaved(&heard, 3) {
        return Err(Misread::Interleaved);
    }
    let scale = f64::from(i16::MAX);
    let (loudest, roughness) = loud(&heard);
    if loudest > FULL * scale || (loudest > NOISE_LEVEL * scale && roughness > NOISE_ROUGHNESS) {
        return Err(Misread::Noise);
    }
    let sum: f64 = heard.concat().iter().map(|sample| f64::from(*sample)).sum();
    let mean = sum / (heard.len() * BLOCK) as f64;
    if mean.abs() > OFFSET * scale { Err(Misread::Offset) } else { Ok(()) }
}

fn level(block: &[i16]) -> f64 {
    let energy: f64 = block.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (energy / block.len() as f64).sqrt()
}

/// The level that a tenth of the blocks reach, and how rough the loud ones are: in a voice these are
/// vowels.
fn loud(heard: &[&[i16]]) -> (f64, f64) {
    let mut blocks: Vec<Block> = heard.iter().map(|block| Block::of(block)).collect();
    blocks.sort_by(|a, b| b.level.total_cmp(&a.level));
    let loudest = blocks[blocks.len() / 10].level;
    let is_loud = |block: &&Block| block.level >= loudest / 2.0;
    let mut rough: Vec<f64> = blocks.iter().filter(is_loud).map(|block| block.roughness).collect();
    rough.sort_by(f64::total_cmp);
    (loudest, rough[rough.len() / 2])
}

impl Block {
    fn of(block: &[i16]) -> Self {
        let step = |pair: &[i16]| (f64::from(pair[1]) - f64::from(pair[0])).powi(2);
        let steps: f64 = block.windows(2).map(step).sum();
        let level = level(block);
        Self { level, roughness: steps / (level.powi(2) * block.len() as f64) }
    }
}

/// Whether every `period`th sample, or every `period`th step between two, is of another kind than
/// those between. Medians, since a hum may jump at one place of its wave.
fn is_interleaved(heard: &[&[i16]], period: usize) -> bool {
    let size = |sample: &i16| u32::from(sample.unsigned_abs());
    let samples = lanes(period, heard.iter().flat_map(|block| block.iter().map(size)));
    let step = |pair: &[i16]| u32::from(pair[1].abs_diff(pair[0]));
    // The step into the next block would need that block.
    let steps =
        |block: &&[i16]| -> Vec<u32> { block.windows(2).map(step).chain([u32::MAX]).collect() };
    let steps = lanes(period, heard.iter().flat_map(steps));
    differ(&samples) || differ(&steps)
}

/// The median of each of `period` lanes.
fn lanes(period: usize, values: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut lanes = vec![Vec::new(); period];
    for (at, value) in values.enumerate() {
        lanes[at % period].push(value);
    }
    let median = |mut lane: Vec<u32>| {
        let middle = lane.len() / 2;
        *lane.select_nth_unstable(middle).1
    };
    lanes.into_iter().map(median).collect()
}

fn differ(medians: &[u32]) -> bool {
    let least = medians.iter().copied().min().unwrap_or_default();
    let most = medians.iter().copied().max().unwrap_or_default();
    most > STILL && most > least * LANES
}

/// Whether the bytes of a sample are neighbours of each other, in any coding of eight bits.
fn is_eight_bit(heard: &[&[i16]]) -> bool {
    let bytes = heard.iter().flat_map(|block| block.iter()).map(|sample| sample.to_le_bytes());
    let is_telling =
        |[_, high]: &[u8; 2]| TELLING.contains(&i8::from_le_bytes([*high]).unsigned_abs());
    let pairs: Vec<[u8; 2]> = bytes.filter(is_telling).collect();
    let codings: [fn(u8) -> f64; 4] = [
        |byte| i8::from_le_bytes([byte]).into(),
        |byte| f64::from(byte) - 128.0,
        |byte| mu_law(byte).into(),
        |byte| a_law(byte).into(),
    ];
    pairs.len() >= MIN_TELLING && codings.iter().any(|coding| likeness(&pairs, *coding) > ALIKE)
}

/// How equal the two bytes of each pair are (Lin's concordance): their correlation, less for another
/// mean or width. Samples that were once of eight bits have low bytes that follow the high ones, but
/// are no neighbours of them.
fn likeness(pairs: &[[u8; 2]], coding: fn(u8) -> f64) -> f64 {
    let count = pairs.len() as f64;
    let mean = |at: usize| pairs.iter().map(|pair| coding(pair[at])).sum::<f64>() / count;
    let (low, high) = (mean(0), mean(1));
    let (mut both, mut alone) = (0.0, 0.0);
    for pair in pairs {
        let (x, y) = (coding(pair[0]) - low, coding(pair[1]) - high);
        both += 2.0 * x * y;
        alone += x * x + y * y;
    }
    alone += (low - high).powi(2) * count;
    if alone > 0.0 { both / alone } else { 0.0 }
}
