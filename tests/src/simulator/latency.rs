//! A seed and the size of an answer go in; how long it takes comes out.

use std::time::Duration;

use fastrand::Rng;

/// How fast the provider is. The numbers of [`Latency::TYPICAL`] are published ones of late 2026:
/// a small chat model, a voice of middling speed, a fast painter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    /// Seconds to a chat's first token.
    pub first_token: f64,
    /// Tokens a second from there on.
    pub tokens_per_s: f64,
    /// Seconds to the first sound of speech.
    pub first_audio: f64,
    /// Seconds of work for each second of speech.
    pub real_time_factor: f64,
    /// Seconds for a picture.
    pub picture: f64,
    /// Scales them all; 0 is at once.
    pub scale: f64,
}

impl Latency {
    /// As paid providers are.
    pub const TYPICAL: Self = Self {
        first_token: 0.74,
        tokens_per_s: 130.6,
        first_audio: 1.0,
        real_time_factor: 0.12,
        picture: 18.0,
        scale: 1.0,
    };
    /// At once.
    pub const NONE: Self = Self { scale: 0.0, ..Self::TYPICAL };

    /// The same, `scale` times as slow.
    #[must_use]
    pub fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    pub(super) fn first_token(&self, rng: &mut Rng) -> Duration {
        self.draw(self.first_token, rng)
    }

    pub(super) fn tokens(&self, count: usize) -> Duration {
        Duration::from_secs_f64(count as f64 / self.tokens_per_s * self.scale)
    }

    pub(super) fn speech(&self, seconds: f64, rng: &mut Rng) -> Duration {
        self.draw(self.first_audio + seconds * self.real_time_factor, rng)
    }

    pub(super) fn picture(&self, rng: &mut Rng) -> Duration {
        self.draw(self.picture, rng)
    }

    /// Half to double, most often near: providers have long tails and no short ones.
    fn draw(&self, seconds: f64, rng: &mut Rng) -> Duration {
        let spread = 2.0_f64.powf(rng.f64() + rng.f64() + rng.f64() - 1.5).clamp(0.5, 2.0);
        Duration::from_secs_f64(seconds * spread * self.scale)
    }
}
