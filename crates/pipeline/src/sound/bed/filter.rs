//! Filters of the first order; their corner may move from sample to sample.

use std::f32::consts::TAU;

use super::RATE;

/// Lets through what is lower than a corner.
#[derive(Default)]
pub(super) struct LowPass(f32);

impl LowPass {
    /// The next sample, with the corner at `hertz`.
    pub(super) fn next(&mut self, sample: f32, hertz: f32) -> f32 {
        let Self(state) = self;
        *state += (sample - *state) * share(hertz);
        *state
    }
}

/// Lets through what is higher than a corner.
#[derive(Default)]
pub(super) struct HighPass(LowPass);

impl HighPass {
    /// The next sample, with the corner at `hertz`.
    pub(super) fn next(&mut self, sample: f32, hertz: f32) -> f32 {
        sample - self.0.next(sample, hertz)
    }
}

fn share(hertz: f32) -> f32 {
    1.0 - (-TAU * hertz / RATE as f32).exp()
}
