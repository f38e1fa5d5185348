//! Chance goes in; an hour of the day comes out, as its colours.

use fastrand::Rng;

use super::color::Shade;

/// Everything that an hour decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mood {
    /// The sky at the top, in the middle, at the horizon.
    pub(super) sky: [Shade; 3],
    /// The sun, the moon, and the edges of clouds.
    pub(super) sun: Shade,
    /// The farthest hill and the nearest.
    pub(super) hills: [Shade; 2],
    /// How much air lies between the hills, 0 to 1.
    pub(super) haze: f32,
    /// How strongly the sun's surroundings glow.
    pub(super) glow: f32,
    /// Whether stars are out.
    pub(super) night: bool,
}

/// Lightness, chroma, hue: sky from top to horizon, sun, far hill, near hill; haze, glow, night.
type Row = ([[f32; 3]; 6], f32, f32, bool);

#[rustfmt::skip]
const MOODS: [Row; 9] = [
    // A rosy dawn.
    ([[0.60, 0.075, 262.0], [0.80, 0.070, 350.0], [0.93, 0.085, 68.0], [0.985, 0.045, 85.0], [0.79, 0.062, 338.0], [0.25, 0.060, 285.0]], 0.75, 0.85, false),
    // The golden hour.
    ([[0.58, 0.070, 235.0], [0.80, 0.075,  85.0], [0.91, 0.125, 80.0], [0.990, 0.060, 95.0], [0.80, 0.092,  68.0], [0.22, 0.052,  48.0]], 0.70, 1.00, false),
    // Dusk, violet above fire.
    ([[0.27, 0.085, 283.0], [0.50, 0.120, 325.0], [0.80, 0.140, 50.0], [0.960, 0.095, 70.0], [0.60, 0.110, 345.0], [0.13, 0.050, 290.0]], 0.55, 0.90, false),
    // A moonlit night.
    ([[0.15, 0.045, 268.0], [0.26, 0.060, 258.0], [0.46, 0.060, 238.0], [0.955, 0.012, 215.0], [0.42, 0.055, 245.0], [0.085, 0.030, 262.0]], 0.60, 0.38, true),
    // Mist, almost without colour.
    ([[0.74, 0.022, 230.0], [0.85, 0.020, 200.0], [0.95, 0.030, 95.0], [0.995, 0.020, 95.0], [0.86, 0.022, 195.0], [0.33, 0.032, 205.0]], 0.95, 0.60, false),
    // A clear mountain day.
    ([[0.50, 0.115, 252.0], [0.70, 0.085, 242.0], [0.92, 0.035, 215.0], [1.000, 0.012, 100.0], [0.80, 0.052, 240.0], [0.25, 0.062, 250.0]], 0.65, 0.50, false),
    // A green morning after rain.
    ([[0.62, 0.060, 205.0], [0.82, 0.055, 165.0], [0.95, 0.075, 108.0], [0.995, 0.045, 105.0], [0.81, 0.060, 152.0], [0.22, 0.052, 168.0]], 0.80, 0.75, false),
    // Lavender evening.
    ([[0.46, 0.085, 285.0], [0.66, 0.085, 305.0], [0.88, 0.070, 20.0], [0.975, 0.050, 60.0], [0.73, 0.075, 300.0], [0.21, 0.065, 288.0]], 0.70, 0.75, false),
    // The blue hour, with the first stars.
    ([[0.24, 0.075, 262.0], [0.42, 0.085, 245.0], [0.74, 0.065, 60.0], [0.950, 0.025, 95.0], [0.52, 0.070, 250.0], [0.11, 0.040, 262.0]], 0.60, 0.38, true),
];

impl Mood {
    /// One of nine hours, no two days quite alike.
    pub(super) fn choose(rng: &mut Rng) -> Self {
        let (rows, haze, glow, night) = MOODS[rng.usize(..MOODS.len())];
        let (turn, depth) = (rng.f32() * 36.0 - 18.0, 0.9 + rng.f32() * 0.25);
        let [top, middle, horizon, sun, far, near] =
            rows.map(|[lightness, chroma, hue]| Shade::new(lightness, chroma * depth, hue + turn));
        let haze = (haze * (0.85 + rng.f32() * 0.3)).min(1.0);
        Self { sky: [top, middle, horizon], sun, hills: [far, near], haze, glow, night }
    }

    /// The sky's colour at a height: 0 at the top, 1 at the horizon.
    pub(super) fn sky_at(&self, height: f32) -> Shade {
        let [top, middle, horizon] = self.sky;
        if height < 0.5 {
            top.mix(middle, height * 2.0)
        } else {
            middle.mix(horizon, (height * 2.0 - 1.0).min(1.0).powf(1.2))
        }
    }

    /// The colour of the hill that is `nearness` near: 0 is the farthest, 1 the nearest.
    pub(super) fn hill_at(&self, nearness: f32) -> Shade {
        self.hills[0].mix(self.hills[1], nearness.powf(0.85))
    }
}
