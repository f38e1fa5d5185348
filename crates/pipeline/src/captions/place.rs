//! Phrases and the sound in which they are said go in; where each of them is said comes out.
//!
//! How long each takes is told by its script's pace, and a voice rests between two: each border is
//! the rest that fits best near where it should be, and what follows is reckoned from there.

use std::ops::Range;

use crate::pace;
use crate::sound::RATE;

/// Samples over which loudness is looked at, 10 ms.
const FRAME: usize = RATE as usize / 100;
/// Quieter than this, relative to the loudest frame, a voice rests: −32 dB.
const RESTS: f32 = 0.025;
/// Frames of a rest at least: a consonant is not held as long.
const LEAST_REST: usize = 10;
/// How far a border may lie from where it should be: this many frames, or this part of its phrase.
const REACH: usize = 40;
const REACH_PART: f64 = 0.3;
/// How many frames of rest make up for one frame of distance.
const DISTANCE: f64 = 0.2;

/// A stretch of frames in which the voice rests.
type Rest = Range<usize>;

/// Where each of `phrases` is said in `pcm`, in samples, in their order and without overlap.
pub(super) fn place(phrases: &[String], pcm: &[u8]) -> Vec<Range<usize>> {
    let samples = pcm.len() / 2;
    if phrases.len() < 2 {
        return phrases.iter().map(|_| 0..samples).collect();
    }
    let rests = rests(&loudness(pcm));
    let weights: Vec<f64> = phrases.iter().map(|phrase| pace::letters(phrase).max(1.0)).collect();
    let (mut places, mut begin, mut left) = (Vec::new(), 0, weights.iter().sum::<f64>());
    for weight in &weights[..weights.len() - 1] {
        let said = share(samples - begin, weight / left);
        let (end, next) = border(&rests, begin, said);
        places.push(begin..end);
        (begin, left) = (next.min(samples), left - weight);
    }
    places.push(begin..samples);
    places
}

/// Where a phrase that begins at `begin` and should take `said` samples ends, and where the next begins.
fn border(rests: &[Rest], begin: usize, said: usize) -> (usize, usize) {
    let wanted = (begin + said) / FRAME;
    let reach = REACH.max(share(said / FRAME, REACH_PART));
    let distance = |rest: &Rest| usize::midpoint(rest.start, rest.end).abs_diff(wanted);
    let fit = |rest: &Rest| rest.len() as f64 - distance(rest) as f64 * DISTANCE;
    let near = rests.iter().filter(|rest| rest.start * FRAME > begin && distance(rest) <= reach);
    let best = near.max_by(|one, other| fit(one).total_cmp(&fit(other)));
    best.map_or((begin + said, begin + said), |rest| (rest.start * FRAME, rest.end * FRAME))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of a number of samples is not negative, and fits"
)]
fn share(whole: usize, part: f64) -> usize {
    ((whole as f64 * part).round() as usize).min(whole)
}

/// The mean level of each whole frame.
fn loudness(pcm: &[u8]) -> Vec<f32> {
    let square = |pair: &[u8]| {
        let sample = pair.try_into().map_or(0.0, |pair| f32::from(i16::from_le_bytes(pair)));
        sample * sample
    };
    let level = |frame: &[u8]| {
        let sum: f32 = frame.chunks_exact(2).map(square).sum();
        (sum / FRAME as f32).sqrt()
    };
    pcm.chunks_exact(2 * FRAME).map(level).collect()
}

/// All rests that are long enough; those at the ends are none.
fn rests(loudness: &[f32]) -> Vec<Rest> {
    let quiet = loudness.iter().copied().fold(0.0, f32::max) * RESTS;
    let (mut rests, mut from) = (Vec::new(), None);
    for (at, level) in loudness.iter().enumerate() {
        if *level < quiet {
            from.get_or_insert(at);
        } else if let Some(from) = from.take().filter(|from| *from > 0) {
            rests.push(from..at);
        }
    }
    rests.retain(|rest: &Rest| rest.len() >= LEAST_REST);
    rests
}
