//! A seed goes in; a sound to rest in comes out, in two channels and without an end: made sample by
//! sample, so that it has no seam.
//!
//! Each bed is made to the same loudness ([`LOUDNESS`]), whatever it is of.

mod bell;
mod filter;

use std::f32::consts::TAU;

use fastrand::Rng;
use stillcast_enqueue::Bed;

pub(super) use self::bell::Bell;
use self::filter::{HighPass, LowPass};
use super::samples::Frame;

/// Samples a second.
const RATE: u32 = super::RATE;
/// How loud every bed is, in LUFS of its two channels.
pub(super) const LOUDNESS: f64 = -20.0;

/// How much louder each becomes so that all are equally loud, as measured.
fn gain(bed: Bed) -> f32 {
    match bed {
        Bed::None => 0.0,
        Bed::Rain => 0.513,
        Bed::BrownNoise => 0.479,
        Bed::Drone => 0.501,
        Bed::Sea => 0.804,
        Bed::SingingBowls => 0.923,
    }
}

/// A bed while it sounds.
pub(super) struct Sounding {
    bed: Bed,
    rng: Rng,
    /// Samples since the beginning.
    at: u64,
    channels: [Channel; 2],
    drops: Vec<Drop>,
    bowls: Vec<Bell>,
    next_bowl: u64,
    wave: Wave,
}

/// What one channel remembers.
#[derive(Default)]
struct Channel {
    brown: f32,
    low: LowPass,
    lower: LowPass,
    high: HighPass,
}

/// A drop of rain: a short tone that falls silent at once.
struct Drop {
    step: f32,
    phase: f32,
    level: f32,
    left: f32,
}

/// A wave of the sea, from its rise to the next one's.
#[derive(Default)]
struct Wave {
    begin: u64,
    length: u64,
    strength: f32,
    left: f32,
}

impl Sounding {
    pub(super) fn new(bed: Bed, seed: u64) -> Self {
        Self {
            bed,
            rng: Rng::with_seed(seed),
            at: 0,
            channels: Default::default(),
            drops: Vec::new(),
            bowls: Vec::new(),
            next_bowl: 0,
            wave: Wave::default(),
        }
    }

    /// The next sample of each channel.
    pub(super) fn next(&mut self) -> Frame {
        let frame = match self.bed {
            Bed::None => [0.0; 2],
            Bed::Rain => self.rain(),
            Bed::BrownNoise => self.brown_noise(),
            Bed::Drone => self.drone(),
            Bed::Sea => self.sea(),
            Bed::SingingBowls => self.singing_bowls(),
        };
        self.at += 1;
        frame.map(|sample| sample * gain(self.bed))
    }

    fn white(&mut self) -> f32 {
        self.rng.f32() * 2.0 - 1.0
    }

    /// Noise of its own for each channel, integrated, without what is too low to be heard.
    fn brown(&mut self) -> Frame {
        [0, 1].map(|side| {
            let white = self.white();
            let channel = &mut self.channels[side];
            channel.brown = channel.brown * 0.998 + white * 0.06;
            channel.high.next(channel.brown, 30.0)
        })
    }

    fn brown_noise(&mut self) -> Frame {
        self.brown()
    }

    fn rain(&mut self) -> Frame {
        // Some forty drops a second that can be told apart.
        if self.rng.f32() < 40.0 / RATE as f32 {
            let pitch = 900.0 + 2_600.0 * self.rng.f32();
            let (level, left) = (0.02 + 0.08 * self.rng.f32().powi(3), self.rng.f32());
            self.drops.push(Drop { step: TAU * pitch / RATE as f32, phase: 0.0, level, left });
        }
        let mut frame = [0, 1].map(|side| {
            let white = self.white();
            let channel = &mut self.channels[side];
            let hiss = channel.high.next(channel.low.next(white, 5_000.0), 400.0);
            hiss * 0.25
        });
        for drop in &mut self.drops {
            let sample = drop.phase.sin() * drop.level;
            frame[0] += sample * drop.left;
            frame[1] += sample * (1.0 - drop.left);
            drop.phase += drop.step;
            drop.level *= 0.997;
        }
        self.drops.retain(|drop| drop.level > 0.001);
        frame
    }

    /// 110 Hz and its fifth, each beside one that is a little higher, with overtones that come and go.
    #[expect(clippy::cast_possible_truncation, reason = "a part of a period")]
    fn drone(&mut self) -> Frame {
        let time = self.at as f64 / f64::from(RATE);
        let tone = |pitch: f64| ((time * pitch).fract() as f32 * TAU).sin();
        let slow = |period: f64| 0.5 + 0.5 * ((time / period).fract() as f32 * TAU).sin();
        let left = tone(110.0) + 0.6 * tone(165.0) + 0.25 * slow(31.0) * tone(220.2);
        let right = tone(110.11) + 0.6 * tone(165.17) + 0.25 * slow(37.0) * tone(220.5);
        let above = 0.12 * slow(23.0) * tone(330.4) + 0.06 * slow(17.0) * tone(440.7);
        [left + above, right + above].map(|sample| sample * 0.2)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few seconds of samples"
    )]
    fn sea(&mut self) -> Frame {
        if self.at >= self.wave.begin + self.wave.length {
            let seconds = 8.0 + 5.0 * self.rng.f32();
            let (strength, left) = (0.6 + 0.4 * self.rng.f32(), 0.35 + 0.3 * self.rng.f32());
            let length = (seconds * RATE as f32) as u64;
            self.wave = Wave { begin: self.at, length, strength, left };
        }
        let place = (self.at - self.wave.begin) as f32 / self.wave.length as f32;
        // Rises over a third of its time, falls over the rest; both begin and end at nothing.
        let rise = if place < 0.35 { place / 0.35 } else { (1.0 - place) / 0.65 };
        let swell = rise * rise * (3.0 - 2.0 * rise) * self.wave.strength;
        let sides = [self.wave.left, 1.0 - self.wave.left];
        let deep = self.brown();
        [0, 1].map(|side| {
            let white = self.white();
            let channel = &mut self.channels[side];
            let foam = channel.low.next(white, 700.0 + 4_000.0 * swell);
            let body = channel.lower.next(deep[side], 600.0);
            (body * (0.35 + 0.4 * swell) + foam * 0.5 * swell * sides[side]) * 0.9
        })
    }

    fn singing_bowls(&mut self) -> Frame {
        if self.at >= self.next_bowl {
            let pitches = [174.6, 196.0, 261.6, 293.7, 349.2];
            let pitch = pitches[self.rng.usize(..pitches.len())];
            let (level, left) = (0.3 + 0.2 * self.rng.f32(), 0.3 + 0.4 * self.rng.f32());
            self.bowls.push(Bell::bowl(pitch, level, left));
            self.next_bowl = self.at + u64::from(RATE) * (7 + self.rng.u64(..6));
        }
        let mut frame = [0.0; 2];
        for bowl in &mut self.bowls {
            let [left, right] = bowl.next();
            frame[0] += left;
            frame[1] += right;
        }
        self.bowls.retain(|bowl| !bowl.is_over());
        frame
    }
}

#[cfg(test)]
mod tests {
    use ebur128::{EbuR128, Mode};

    use super::*;

    fn frames(bed: Bed, seed: u64, seconds: usize) -> Vec<f32> {
        let mut sounding = Sounding::new(bed, seed);
        (0..seconds * RATE as usize).flat_map(|_| sounding.next()).collect()
    }

    #[test]
    fn every_bed_is_as_loud_as_every_other_and_never_too_loud() {
        for bed in Bed::ALL.into_iter().filter(|bed| !bed.is_none()) {
            let samples = frames(bed, 3, 60);
            let mut meter = EbuR128::new(2, RATE, Mode::I).unwrap();
            meter.add_frames_f32(&samples).unwrap();
            let loudness = meter.loudness_global().unwrap();
            assert!((loudness - LOUDNESS).abs() <= 1.5, "{bed}: {loudness}");
            let peak = samples.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
            assert!(peak < 0.9, "{bed}: {peak}");
        }
    }

    #[test]
    fn equal_seeds_give_equal_beds_and_its_channels_differ() {
        for bed in Bed::ALL.into_iter().filter(|bed| !bed.is_none()) {
            let (one, same, other) = (frames(bed, 1, 20), frames(bed, 1, 20), frames(bed, 2, 20));
            assert!(one == same, "{bed}");
            assert!(bed == Bed::Drone || one != other, "{bed}");
            assert!(one.chunks_exact(2).any(|frame| (frame[0] - frame[1]).abs() > 0.001), "{bed}");
        }
    }

    #[test]
    fn no_sample_leaps_further_than_its_bed_does_anyway() {
        // A seam would be a leap that no other place has.
        for bed in [Bed::BrownNoise, Bed::Drone, Bed::Sea, Bed::SingingBowls] {
            let samples = frames(bed, 5, 120);
            let left: Vec<f32> = samples.chunks_exact(2).map(|frame| frame[0]).collect();
            let mut leaps: Vec<f32> = left.windows(2).map(|two| (two[1] - two[0]).abs()).collect();
            leaps.sort_by(f32::total_cmp);
            let (usual, most) = (leaps[leaps.len() * 999 / 1_000], leaps[leaps.len() - 1]);
            assert!(most < usual * 4.0, "{bed}: {most} beside {usual}");
        }
    }
}
