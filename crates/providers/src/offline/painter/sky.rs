//! A mood and chance go in; the sky comes out: a gradient, a sun or moon with its glow, thin clouds,
//! stars.

use fastrand::Rng;

use super::color::{Light, smooth};
use super::mood::Mood;
use super::noise::Noise;

pub(super) struct Sky {
    mood: Mood,
    noise: Noise,
    sun: Light,
    /// The sun's place, and its radius; shares of the picture's height.
    place: (f32, f32),
    radius: f32,
    /// Where the gradient ends.
    horizon: f32,
    /// How much of the sky thin clouds cover, 0 to 1.
    clouds: f32,
    stars: Vec<Star>,
}

/// A point of light, in pixels.
struct Star {
    x: usize,
    y: usize,
    light: f32,
}

impl Sky {
    pub(super) fn compose(
        mood: Mood,
        horizon: f32,
        rng: &mut Rng,
        (width, height): (usize, usize),
    ) -> Self {
        let aspect = width as f32 / height as f32;
        let x = aspect * (0.22 + 0.56 * rng.f32());
        let above = if mood.night { 0.14 + 0.22 * rng.f32() } else { 0.03 + 0.20 * rng.f32() };
        let radius = if mood.night { 0.028 } else { 0.036 } * (0.8 + 0.5 * rng.f32());
        let stars = if mood.night { stars(rng, width, height) } else { Vec::new() };
        Self {
            mood,
            noise: Noise::new(rng),
            sun: mood.sun.light(),
            place: (x, horizon - above),
            radius,
            horizon,
            clouds: rng.f32(),
            stars,
        }
    }

    /// The gradient's light at a height.
    pub(super) fn base(&self, y: f32) -> Light {
        self.mood.sky_at((y / self.horizon).clamp(0.0, 1.0)).light()
    }

    /// The sky's light at a point, in shares of the picture's height, over its gradient.
    pub(super) fn light(&self, base: Light, x: f32, y: f32) -> Light {
        let distance = (x - self.place.0).hypot(y - self.place.1);
        let clouded = base.mix(self.sun, self.cloud(x, y, distance));
        let glowing = clouded.mix(self.sun, self.glow(x, y));
        let disc = 1.0 - smooth(self.radius - 0.0012, self.radius + 0.0012, distance);
        glowing.mix(self.sun, disc)
    }

    /// How much of the sun's light surrounds a point: a tight halo, a wide breath, and a band
    /// along the horizon.
    pub(super) fn glow(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = (x - self.place.0, y - self.place.1);
        let distance = dx.hypot(dy);
        let halo = (-distance / (self.radius * 1.6)).exp() * 0.55;
        let breath = (-distance * 3.2).exp() * 0.42;
        let band = (-(dx * 1.1).powi(2) - ((y - self.horizon) * 5.5).powi(2)).exp() * 0.25;
        ((halo + breath + band) * self.mood.glow).min(0.92)
    }

    /// Long thin streaks, brighter towards the sun.
    fn cloud(&self, x: f32, y: f32, distance: f32) -> f32 {
        let drift = self.noise.octaves(x * 0.9, y * 3.0, 2, 0.5) * 0.35;
        let streaks = self.noise.octaves(x * 1.6 + drift, y * 11.0 + drift * 3.0, 5, 0.52);
        let edge = 0.62 - self.clouds * 0.55;
        let height = smooth(0.02, 0.3, y) * (1.0 - smooth(self.horizon * 0.86, self.horizon, y));
        let lit = 0.22 + 0.38 * (-distance * 2.0).exp();
        smooth(edge, edge + 0.9, streaks) * height * lit * if self.mood.night { 0.35 } else { 1.0 }
    }

    /// The stars of one row, as places and brightness.
    pub(super) fn stars(&self, y: usize) -> impl Iterator<Item = (usize, f32)> {
        self.stars.iter().filter(move |star| star.y == y).map(|star| (star.x, star.light))
    }
}

/// Many faint ones, few bright ones.
fn stars(rng: &mut Rng, width: usize, height: usize) -> Vec<Star> {
    let star = |_| Star {
        x: rng.usize(..width),
        y: rng.usize(..height * 11 / 20),
        light: rng.f32().powi(5) * 0.75 + 0.03,
    };
    (0..700).map(star).collect()
}
