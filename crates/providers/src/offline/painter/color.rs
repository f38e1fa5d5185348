//! Light in, bytes out; and the space in which colours are thought of and mixed.

use std::ops::{Add, Mul};

use fastrand::Rng;

/// Linear light: red, green, blue; 0 is black, 1 is paper white.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Light(pub(super) [f32; 3]);

impl Light {
    /// This light where `share` is 0, the other where it is 1.
    pub(super) fn mix(self, other: Self, share: f32) -> Self {
        self * (1.0 - share) + other * share
    }
}

impl Add for Light {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|channel| self.0[channel] + other.0[channel]))
    }
}

impl Mul<f32> for Light {
    type Output = Self;

    fn mul(self, factor: f32) -> Self {
        Self(self.0.map(|channel| channel * factor))
    }
}

/// A colour as people see it (Oklab): lightness 0 to 1, and two axes of hue. Mixtures of two have
/// no muddy middle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shade([f32; 3]);

impl Shade {
    /// Lightness, chroma (0 to about 0.3), hue in degrees.
    pub(super) fn new(lightness: f32, chroma: f32, hue: f32) -> Self {
        let (sin, cos) = hue.to_radians().sin_cos();
        Self([lightness, chroma * cos, chroma * sin])
    }

    pub(super) fn mix(self, other: Self, share: f32) -> Self {
        Self(std::array::from_fn(|axis| self.0[axis] + (other.0[axis] - self.0[axis]) * share))
    }

    /// The light that looks like this (the matrices are Oklab's own definition).
    pub(super) fn light(self) -> Light {
        let [lightness, a, b] = self.0;
        let long = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
        let medium = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
        let short = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
        let red = 4.076_741_7 * long - 3.307_711_6 * medium + 0.230_969_94 * short;
        let green = -1.268_438 * long + 2.609_757_4 * medium - 0.341_319_38 * short;
        let blue = -0.004_196_086_3 * long - 0.703_418_6 * medium + 1.707_614_7 * short;
        Light([red, green, blue].map(|channel| channel.max(0.0)))
    }
}

/// Turns light into bytes, with a grain as fine as film's, so that no gradient shows its steps.
pub(super) struct Develop {
    /// sRGB's curve, in steps of light.
    curve: Vec<f32>,
    rng: Rng,
}

const STEPS: usize = 4096;
/// Grain of brightness and of colour, in 8-bit steps.
const GRAIN: f32 = 1.1;
const DITHER: f32 = 0.7;

impl Develop {
    pub(super) fn new(rng: Rng) -> Self {
        let curve = (0..=STEPS + 1).map(|step| encode(step as f32 / STEPS as f32)).collect();
        Self { curve, rng }
    }

    pub(super) fn pixel(&mut self, light: Light) -> [u8; 3] {
        let grain = self.noise() * GRAIN;
        light.0.map(|channel| {
            let value = self.value(channel) * 255.0 + grain + self.noise() * DITHER;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to the range of a byte"
            )]
            let byte = value.round().clamp(0.0, 255.0) as u8;
            byte
        })
    }

    /// Triangular noise from -1 to 1.
    fn noise(&mut self) -> f32 {
        self.rng.f32() - self.rng.f32()
    }

    fn value(&self, channel: f32) -> f32 {
        // The curve is steep near black: looked up by the root, its steps are even enough.
        let place = channel.clamp(0.0, 1.0).sqrt() * STEPS as f32;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and STEPS"
        )]
        let step = place as usize;
        let rest = place - step as f32;
        self.curve[step] + (self.curve[step + 1] - self.curve[step]) * rest
    }
}

/// sRGB's transfer curve of a light given by its root.
fn encode(root: f32) -> f32 {
    let light = root * root;
    if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
}

/// 0 below `from`, 1 above `to`, smooth between.
pub(super) fn smooth(from: f32, to: f32, value: f32) -> f32 {
    let share = ((value - from) / (to - from)).clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}
