//! A shape and chance go in; the outline of one row of hills comes out.

use fastrand::Rng;

use super::noise::Noise;

/// Looks per pixel along the outline, so that trees have smooth edges.
pub(super) const FINE: usize = 4;

/// What a row of hills looks like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Height of its mean line in the picture: 0 is the top, 1 the bottom.
    pub(super) level: f32,
    /// How far it rises and falls, as a share of the picture's height.
    pub(super) rise: f32,
    /// Hills across the picture.
    pub(super) waves: f32,
    /// 0 for rolling hills, 1 for sharp mountains.
    pub(super) sharpness: f32,
    /// Trees across the picture, when there are any.
    pub(super) trees: f32,
    /// Height of the tallest tree, as a share of the picture's height.
    pub(super) tree_height: f32,
}

/// Where a row of hills ends and the view behind it begins, in pixels from the top.
pub(super) struct Ridge {
    /// With all trees and rocks, [`FINE`] times per column.
    pub(super) outline: Vec<f32>,
    /// The ground's gentle line, once per column: mist lies along it.
    pub(super) ground: Vec<f32>,
}

impl Ridge {
    pub(super) fn raise(shape: &Shape, width: usize, height: usize, rng: &mut Rng) -> Self {
        let noise = Noise::new(rng);
        let start = rng.f32() * 200.0;
        let forest = Forest::plant(shape, &noise, rng);
        let line = |hills: f32| (shape.level - shape.rise * hills) * height as f32;
        let outline = (0..width * FINE).map(|place| {
            let x = place as f32 / (width * FINE) as f32;
            let hills = hills(shape, &noise, start + x * shape.waves);
            line(hills) - forest.height_at(x) * height as f32
        });
        let ground = (0..width).map(|place| {
            let x = start + place as f32 / width as f32 * shape.waves;
            line(noise.octaves(x, 0.5, 2, 0.35))
        });
        Self { outline: outline.collect(), ground: ground.collect() }
    }
}

fn hills(shape: &Shape, noise: &Noise, x: f32) -> f32 {
    let rolling = noise.octaves(x, 0.5, 2, 0.35) + 0.05 * noise.octaves(x * 9.0, 3.5, 4, 0.55);
    let folds = |x: f32| 1.0 - 2.0 * noise.octaves(x, 7.5, 1, 0.5).abs();
    let mountains = 0.75 * folds(x * 0.9)
        + 0.33 * folds(x * 2.3 + 5.0)
        + 0.16 * folds(x * 5.1 + 9.0)
        + 0.10 * noise.octaves(x * 11.0, 1.5, 4, 0.6)
        - 0.2;
    rolling + (mountains - rolling) * shape.sharpness
}

/// Conifers along a ridge, thicker here and thinner there.
struct Forest {
    trees: Vec<Tree>,
    widest: f32,
}

struct Tree {
    place: f32,
    height: f32,
    width: f32,
    lean: f32,
}

impl Forest {
    fn plant(shape: &Shape, noise: &Noise, rng: &mut Rng) -> Self {
        let mut trees: Vec<Tree> = Vec::new();
        let mut place = -0.02;
        while shape.trees > 0.0 && place < 1.02 {
            place += (0.35 + rng.f32() * 1.3) / shape.trees;
            let density = noise.octaves(place * 4.0 + 40.0, 2.5, 2, 0.5) + 0.45;
            if density > rng.f32() * 0.9 {
                let height =
                    shape.tree_height * (0.35 + 0.65 * rng.f32()) * density.clamp(0.35, 1.0);
                let width = height * (0.10 + 0.05 * rng.f32());
                trees.push(Tree { place, height, width, lean: rng.f32() - 0.5 });
            }
        }
        let widest = trees.iter().map(|tree| tree.width).fold(0.0, f32::max);
        Self { trees, widest }
    }

    /// How far the trees at `x` stand out above the ridge.
    fn height_at(&self, x: f32) -> f32 {
        let first = self.trees.partition_point(|tree| tree.place < x - self.widest);
        let near = self.trees[first..].iter().take_while(|tree| tree.place < x + self.widest);
        near.map(|tree| tree.height_at(x)).fold(0.0, f32::max)
    }
}

impl Tree {
    /// A spire of branches: wide and ragged below, with a slim tip.
    fn height_at(&self, x: f32) -> f32 {
        let side = (x - self.place) / self.width;
        let inward = 1.0 - side.abs();
        if inward <= 0.0 {
            return 0.0;
        }
        // Each branch reaches out a little beyond the slope below it.
        let step = (inward * 7.0 + self.lean * side.signum()).fract();
        let branches = (step - 0.5) * 0.24 * (1.0 - inward).sqrt() * inward.min(0.5);
        self.height * (0.75 * inward + 0.25 * inward.powi(6) + branches).max(0.0)
    }
}
