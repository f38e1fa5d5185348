//! A voice goes in, piece by piece; the same over a bed comes out, in two channels, and the bed by itself.
//!
//! The bed goes down before the voice begins and comes up when it rests, slowly enough that nobody hears
//! it move; it rises from silence at the beginning and falls into it at the end.

use bytes::Bytes;
use stillcast_enqueue::Bed;

use super::RATE;
use super::bed::{Bell, LOUDNESS, Sounding};
use super::level::CEILING;
use super::samples::{Frame, decode};

/// How far below the voice a bed lies at most while the voice speaks, in dB.
const DUCKED: f32 = -18.0;
/// How far a bed goes down for a voice at least, in dB.
const DUCKS: f32 = 4.0;
/// The time in which it goes down or comes up, in samples.
const MOVE: usize = RATE as usize * 8 / 10;
/// How long a voice has rested before it comes up, in samples.
const HOLD: usize = RATE as usize * 3 / 10;
/// How long the beginning and the end are, in samples.
const FADE_IN: usize = 3 * RATE as usize;
const FADE_OUT: usize = 8 * RATE as usize;
/// How loud a bell is beside the voice, in dB.
const BELL: f32 = -6.0;

/// How a bed lies below a voice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Backing {
    /// What it is of; nothing where there are bells alone.
    pub(crate) bed: Bed,
    /// How far below the voice it is where the voice rests, in dB, negative.
    pub(crate) level: f32,
    /// Whether a bell is struck at the beginning and at the end.
    pub(crate) bells: bool,
    /// Equal numbers give equal beds.
    pub(crate) seed: u64,
    /// How loud the voice is in two channels, in LUFS.
    pub(crate) voice: f64,
}

/// A piece of the mix, as the voice goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The voice speaks.
    Speaks,
    /// It rests, and speaks again.
    Rests,
    /// It rests, and does not speak any more.
    Ends,
}

/// Voice and bed, mixed and apart: s16le, two channels.
pub(crate) struct Mixed {
    pub(crate) mix: Bytes,
    pub(crate) voice: Bytes,
    pub(crate) bed: Bytes,
}

/// A bed below a voice, while both go by.
pub(crate) struct Mixer {
    backing: Backing,
    sounding: Sounding,
    bells: Vec<Bell>,
    /// Samples since the beginning.
    at: usize,
    /// How far below the voice the bed is now, in dB.
    level: f32,
}

impl Mixer {
    pub(crate) fn new(backing: Backing) -> Self {
        let sounding = Sounding::new(backing.bed, backing.seed);
        let bells = if backing.bells { vec![Bell::strike()] } else { Vec::new() };
        Self { backing, sounding, bells, at: 0, level: backing.level }
    }

    /// Mixes what comes next of the voice, which is silence where it rests: from the `from`th sample on of
    /// a piece of `length`.
    pub(crate) fn mix(&mut self, pcm: &[u8], turn: Turn, from: usize, length: usize) -> Mixed {
        let voice = decode(pcm);
        if turn == Turn::Ends && from == 0 && self.backing.bells {
            self.bells.push(Bell::strike());
        }
        let mut mixed = [Vec::new(), Vec::new(), Vec::new()];
        for (index, sample) in voice.iter().enumerate() {
            let bed = self.next(turn, from + index, length);
            let voice = [*sample, *sample];
            let mix = [voice[0] + bed[0], voice[1] + bed[1]];
            for (track, frame) in mixed.iter_mut().zip([mix, voice, bed]) {
                track.extend(frame.into_iter().flat_map(s16));
            }
        }
        let [mix, voice, bed] = mixed.map(Bytes::from);
        Mixed { mix, voice, bed }
    }

    /// The bed's next frame: the `index`th of a piece of `length` samples.
    fn next(&mut self, turn: Turn, index: usize, length: usize) -> Frame {
        let left = length - index;
        let fade_in = (self.at as f32 / FADE_IN as f32).min(1.0);
        let fade_out = if turn == Turn::Ends {
            (left as f32 / FADE_OUT.min(length) as f32).min(1.0)
        } else {
            1.0
        };
        self.follow(turn, index, left);
        let bed = decibels(self.level) * fade_in * fade_out * self.reference();
        let bell = decibels(BELL) * fade_out * self.reference();
        let frame = self.sounding.next();
        let mut sum = frame.map(|sample| sample * bed);
        for one in &mut self.bells {
            for (sum, sample) in sum.iter_mut().zip(one.next()) {
                *sum += sample * bell;
            }
        }
        self.at += 1;
        sum
    }

    /// Moves the level one sample further to where it belongs.
    fn follow(&mut self, turn: Turn, index: usize, left: usize) {
        let ducked = (self.backing.level - DUCKS).min(DUCKED);
        let wanted = match turn {
            Turn::Speaks => ducked,
            Turn::Rests if left <= MOVE => ducked,
            Turn::Rests | Turn::Ends if index < HOLD && self.at > index => self.level,
            Turn::Rests | Turn::Ends => self.backing.level,
        };
        let step = (self.backing.level - ducked) / MOVE as f32;
        self.level += (wanted - self.level).clamp(-step, step);
    }

    /// What makes a bed as loud as the voice.
    #[expect(clippy::cast_possible_truncation, reason = "a gain needs no more than f32")]
    fn reference(&self) -> f32 {
        decibels((self.backing.voice - LOUDNESS) as f32)
    }
}

fn decibels(level: f32) -> f32 {
    10_f32.powf(level / 20.0)
}

#[expect(clippy::cast_possible_truncation, reason = "what is too loud is cut to the ceiling")]
fn s16(sample: f32) -> [u8; 2] {
    ((sample.clamp(-CEILING, CEILING) * 32_767.0).round() as i16).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: usize = RATE as usize;

    fn backing(level: f32) -> Backing {
        Backing { bed: Bed::BrownNoise, level, bells: false, seed: 1, voice: -16.0 }
    }

    /// How loud each half second of the bed is, in dB of its mean square.
    fn levels(bed: &[u8]) -> Vec<f32> {
        let level = |samples: &[f32]| {
            let square: f32 = samples.iter().map(|sample| sample * sample).sum();
            10.0 * (square / samples.len() as f32 + 1e-12).log10()
        };
        decode(bed).chunks(SECOND).map(level).collect()
    }

    #[test]
    fn a_bed_goes_down_before_the_voice_begins_and_comes_up_when_it_rests() {
        let mut mixer = Mixer::new(backing(-10.0));
        let silence = |seconds: usize| vec![0; 2 * seconds * SECOND];
        let mut bed = Vec::new();
        for (seconds, turn) in [
            (6, Turn::Rests),
            (5, Turn::Speaks),
            (6, Turn::Rests),
            (5, Turn::Speaks),
            (20, Turn::Ends),
        ] {
            bed.extend_from_slice(&mixer.mix(&silence(seconds), turn, 0, seconds * SECOND).bed);
        }
        let levels = levels(&bed);
        let mean = |from: usize, to: usize| {
            // Two places a second.
            let part = &levels[2 * from..2 * to];
            part.iter().sum::<f32>() / part.len() as f32
        };
        let (rests, speaks) = (mean(13, 16), mean(7, 10));
        assert!((rests - speaks - 8.0).abs() < 1.5, "{rests} {speaks}");
        // Of the half second with which the second word begins.
        assert!(levels[34] - speaks < 3.5, "it is down before the second word: {levels:?}");
        assert!(mean(24, 30) - speaks > 5.0, "it comes up at the end");
        assert!(levels[0] < rests - 6.0 && levels[levels.len() - 1] < rests - 20.0, "{levels:?}");
    }
}
