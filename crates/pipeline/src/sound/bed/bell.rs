//! A strike goes in; a bowl that rings for a while comes out.

use std::f32::consts::TAU;

use super::RATE;
use crate::sound::samples::Frame;

/// Partials of a bowl of bronze: how high above the lowest one, how loud, and how long until it has
/// fallen by 60 dB, in seconds.
const PARTIALS: [(f32, f32, f32); 5] =
    [(1.0, 1.0, 14.0), (2.71, 0.5, 9.0), (5.15, 0.22, 5.0), (8.04, 0.1, 2.5), (11.5, 0.05, 1.2)];
/// How far apart the two tones of each partial beat, in hertz: no bowl is quite round.
const BEAT: f32 = 0.6;
/// How long a soft mallet takes, in seconds.
const STRIKE: f32 = 0.012;

/// A bowl while it rings.
pub(in crate::sound) struct Bell {
    partials: Vec<Partial>,
    at: u32,
    left: f32,
}

struct Partial {
    step: [f32; 2],
    phase: [f32; 2],
    level: f32,
    decay: f32,
}

impl Bell {
    /// A bowl of this pitch in hertz, struck so hard, `left` of it to the left.
    pub(super) fn bowl(pitch: f32, level: f32, left: f32) -> Self {
        let partial = |(ratio, share, seconds): (f32, f32, f32)| Partial {
            step: [pitch * ratio, pitch * ratio + BEAT].map(|hertz| TAU * hertz / RATE as f32),
            phase: [0.0; 2],
            level: level * share,
            decay: (-6.9 / (seconds * RATE as f32)).exp(),
        };
        Self { partials: PARTIALS.map(partial).into(), at: 0, left }
    }

    /// The bell at the beginning and the end.
    pub(in crate::sound) fn strike() -> Self {
        Self::bowl(220.0, 0.5, 0.5)
    }

    /// The next sample of each channel.
    pub(in crate::sound) fn next(&mut self) -> Frame {
        let strike = (self.at as f32 / (STRIKE * RATE as f32)).min(1.0);
        self.at += 1;
        let sample: f32 = self.partials.iter_mut().map(Partial::next).sum();
        [sample * strike * self.left, sample * strike * (1.0 - self.left)]
    }

    /// Whether nobody hears it any more.
    pub(in crate::sound) fn is_over(&self) -> bool {
        self.partials.iter().all(|partial| partial.level < 0.0005)
    }
}

impl Partial {
    fn next(&mut self) -> f32 {
        let sample = (self.phase[0].sin() + 0.5 * self.phase[1].sin()) * self.level;
        for (phase, step) in self.phase.iter_mut().zip(self.step) {
            *phase = (*phase + step) % TAU;
        }
        self.level *= self.decay;
        sample
    }
}
