//! A row's nearness goes in; its hills come out: their outline, and how they stand in the air.

use fastrand::Rng;

use super::color::Light;
use super::mood::Mood;
use super::ridge::{FINE, Ridge, Shape};

/// What all rows of hills of a view have in common.
pub(super) struct Terrain {
    pub(super) mood: Mood,
    /// Where land and sky meet; a share of the picture's height, as the shore is.
    pub(super) horizon: f32,
    /// The far shore, where there is a lake.
    pub(super) shore: Option<f32>,
    /// 0 for rolling hills, 1 for sharp mountains.
    pub(super) sharpness: f32,
    /// The picture's size in pixels.
    pub(super) width: usize,
    pub(super) height: usize,
}

/// One row of hills.
pub(super) struct Hill {
    ridge: Ridge,
    pub(super) light: Light,
    /// How much of the air behind its foot is seen, 0 to 1.
    pub(super) haze: f32,
    /// Pixels from the outline down to where the haze is thickest.
    pub(super) depth: f32,
    /// How much of the sun's light its edge catches.
    pub(super) rim: f32,
}

impl Terrain {
    /// The row at `nearness`: 0 is the farthest, 1 the nearest.
    pub(super) fn hill(&self, nearness: f32, rng: &mut Rng) -> Hill {
        let shape = self.shape(nearness, rng);
        // A lake's nearest hill is its far shore, not the ground at our feet.
        let has_lake = self.shore.is_some();
        let reach = if has_lake { 0.2 + 0.62 * nearness } else { 0.06 + 0.94 * nearness };
        Hill {
            ridge: Ridge::raise(&shape, self.width, self.height, rng),
            light: self.mood.hill_at(reach).light(),
            haze: self.mood.haze * (0.85 - 0.72 * nearness),
            depth: self.height as f32 * (0.10 + 0.16 * nearness),
            rim: 0.30 * (1.0 - nearness),
        }
    }

    /// A shore is flatter than open land, and its trees are small: they are far away.
    fn shape(&self, nearness: f32, rng: &mut Rng) -> Shape {
        let lowest = self.shore.unwrap_or(0.95);
        let level = self.horizon + (lowest - self.horizon) * nearness.powf(1.25);
        let sharpness = self.sharpness * (1.0 - nearness * 0.9);
        let tall = 0.05 + 0.10 * (nearness - 0.7).max(0.0) * 3.0;
        let (level, rise, wooded, tree_height) = match self.shore {
            Some(_) => (level - 0.012, 0.055 - 0.035 * nearness, nearness > 0.6, 0.035),
            None => (level, 0.05 + 0.035 * nearness, nearness > 0.7, tall),
        };
        Shape {
            level,
            rise: rise + 0.10 * sharpness,
            waves: 1.6 + 2.2 * (1.0 - nearness) + rng.f32(),
            sharpness,
            trees: if wooded { 90.0 + 120.0 * (1.0 - nearness) } else { 0.0 },
            tree_height,
        }
    }
}

impl Hill {
    /// The outline's height at a column.
    pub(super) fn edge(&self, x: f32) -> f32 {
        self.ridge.outline[self.place(x)]
    }

    /// The ground's height at a column.
    pub(super) fn ground(&self, x: f32) -> f32 {
        self.ridge.ground[self.place(x) / FINE]
    }

    /// How much of the pixel lies below the outline.
    pub(super) fn cover(&self, x: f32, y: f32) -> f32 {
        let first = self.place(x);
        let looks = &self.ridge.outline[first..(first + FINE).min(self.ridge.outline.len())];
        let covered = looks.iter().map(|edge| (y + 0.5 - edge).clamp(0.0, 1.0)).sum::<f32>();
        covered / looks.len() as f32
    }

    fn place(&self, x: f32) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "columns lie within the picture"
        )]
        let place = (x * FINE as f32) as usize;
        place.min(self.ridge.outline.len() - 1)
    }
}
