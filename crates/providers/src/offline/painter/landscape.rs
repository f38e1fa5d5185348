//! Everything before the sky: hills behind hills in hazy air, sometimes a lake that mirrors them.

use fastrand::Rng;

use super::color::{Light, smooth};
use super::mood::Mood;
use super::noise::Noise;
use super::ridge::{FINE, Ridge, Shape};
use super::sky::Sky;

/// A composed view.
pub(super) struct Landscape {
    sky: Sky,
    /// From the farthest to the nearest.
    hills: Vec<Hill>,
    lake: Option<Lake>,
    /// What the air between the hills looks like.
    air: Light,
    haze: f32,
    noise: Noise,
    height: usize,
    width: usize,
}

struct Hill {
    ridge: Ridge,
    light: Light,
    /// How much of the air behind its foot is seen, 0 to 1.
    haze: f32,
    /// Pixels from the outline down to where the haze is thickest.
    depth: f32,
    /// How much of the sun's light its edge catches.
    rim: f32,
}

struct Lake {
    /// The shore's height in pixels.
    shore: f32,
    tint: Light,
}

/// What a row of pixels shares.
pub(super) struct Row {
    base: Light,
    stars: Vec<(usize, f32)>,
    mirror: Option<Mirror>,
}

/// The row that the lake shows, and how.
struct Mirror {
    base: Light,
    /// The mirrored height in pixels.
    y: f32,
    /// Share of the way from the shore to the picture's lower edge.
    nearness: f32,
}

impl Landscape {
    pub(super) fn compose(rng: &mut Rng, width: usize, height: usize) -> Self {
        let mood = Mood::choose(rng);
        let has_lake = rng.u8(..5) < 2;
        let horizon = 0.50 + 0.10 * rng.f32();
        let sky = Sky::compose(mood, horizon, rng, (width, height));
        let count = if has_lake { 4 } else { 5 + rng.usize(..3) };
        let sharpness = if rng.bool() { 0.55 + 0.45 * rng.f32() } else { 0.15 * rng.f32() };
        let shore = has_lake.then(|| horizon + 0.13 + 0.07 * rng.f32());
        let hills = (0..count)
            .map(|index| {
                let nearness = index as f32 / (count - 1) as f32;
                let shape = shape(nearness, horizon, shore, sharpness, rng);
                let depth = height as f32 * (0.10 + 0.16 * nearness);
                let haze = mood.haze * (0.85 - 0.72 * nearness);
                // A lake's nearest hill is its far shore, not the ground at our feet.
                let reach = if has_lake { 0.2 + 0.62 * nearness } else { 0.06 + 0.94 * nearness };
                Hill {
                    ridge: Ridge::raise(&shape, width, height, rng),
                    light: mood.hill_at(reach).light(),
                    haze,
                    depth,
                    rim: 0.30 * (1.0 - nearness),
                }
            })
            .collect();
        let air = mood.hills[0].mix(mood.sky[2], 0.55).light();
        let tint = mood.sky[0].mix(mood.hills[1], 0.5).light();
        let lake = shore.map(|shore| Lake { shore: shore * height as f32, tint });
        Self { sky, hills, lake, air, haze: mood.haze, noise: Noise::new(rng), height, width }
    }

    /// What the pixels of row `y` share.
    pub(super) fn row(&self, y: usize) -> Row {
        let mirror = self.lake.as_ref().filter(|lake| y as f32 > lake.shore).map(|lake| {
            let below = y as f32 - lake.shore;
            let mirrored = lake.shore - below * 1.12;
            let nearness = below / (self.height as f32 - lake.shore);
            Mirror { base: self.sky.base(self.share(mirrored)), y: mirrored, nearness }
        });
        Row {
            base: self.sky.base(self.share(y as f32)),
            stars: self.sky.stars(y).collect(),
            mirror,
        }
    }

    /// The light at one pixel.
    pub(super) fn light(&self, row: &Row, x: usize, y: usize) -> Light {
        let seen = match (&row.mirror, &self.lake) {
            (Some(mirror), Some(lake)) => self.mirrored(mirror, lake, x as f32),
            _ => self.view(row.base, star(row, x), x as f32, y as f32),
        };
        seen * self.vignette(x as f32, y as f32)
    }

    /// The lake's picture of the view: rippled, darker and more of its own colour towards us.
    fn mirrored(&self, mirror: &Mirror, lake: &Lake, x: f32) -> Light {
        // Waves seen from a low bank: the farther, the finer and the flatter.
        let far = 1.0 / (mirror.nearness + 0.03);
        let across = (x / self.width as f32 - 0.5) * far;
        let swell = self.noise.octaves(across * 2.6, far * 7.0, 4, 0.6);
        let ripple = swell * (0.8 + 20.0 * mirror.nearness.powf(0.8));
        let width = self.width as f32 - 1.0;
        let image = self.view(
            mirror.base,
            Light::default(),
            (x + ripple * 0.4).clamp(0.0, width),
            mirror.y + ripple,
        );
        let own = 0.12 + 0.42 * mirror.nearness.powf(0.8);
        let sparkle = smooth(0.55, 1.2, swell) * 0.10;
        let glow = self.sky.glow(x / self.height as f32, self.share(lake.shore));
        let near_shore = 1.0 - smooth(0.0, 0.035, mirror.nearness);
        image
            .mix(lake.tint, own)
            .mix(self.air, near_shore * 0.35 * self.haze)
            .mix(self.sky.base(0.4), sparkle * (0.4 + glow))
    }

    /// Sky and hills at a point in pixels, over the sky's gradient and a star there.
    fn view(&self, base: Light, star: Light, x: f32, y: f32) -> Light {
        let (share_x, share_y) = (x / self.height as f32, self.share(y));
        let mut seen = Light::default();
        let mut clear = 1.0;
        for hill in self.hills.iter().rev() {
            let cover = hill.cover(x, y);
            if cover > 0.0 {
                seen = seen + self.hill_light(hill, x, y, share_x, share_y) * (cover * clear);
                clear *= 1.0 - cover;
                if clear < 0.004 {
                    return seen;
                }
            }
        }
        seen + (self.sky.light(base, share_x, share_y) + star) * clear
    }

    /// A hill fades into the air at its foot, unevenly, and catches light at its edge.
    fn hill_light(&self, hill: &Hill, x: f32, y: f32, share_x: f32, share_y: f32) -> Light {
        let below = y - hill.ground(x);
        let drift = 1.0 + 0.45 * self.noise.octaves(share_x * 2.2, share_y * 5.0, 3, 0.5);
        let haze = hill.haze * smooth(0.0, hill.depth * drift.max(0.3), below);
        let glow = self.sky.glow(share_x, share_y);
        let rim = hill.rim * glow * (-(y - hill.edge(x)) / 14.0).exp();
        let texture = 1.0 + 0.05 * self.noise.octaves(share_x * 26.0, share_y * 40.0, 2, 0.5);
        let ground = hill.light * texture;
        ground.mix(self.air, haze).mix(self.sky.base(1.0), rim + glow * haze * 0.25)
    }

    /// A height in pixels as a share of the picture's.
    fn share(&self, y: f32) -> f32 {
        y / self.height as f32
    }

    /// A little darker towards the corners, as through a lens.
    fn vignette(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = (x / self.width as f32 - 0.5, y / self.height as f32 - 0.5);
        1.0 - 0.34 * (dx * dx + dy * dy).powf(1.3)
    }
}

fn star(row: &Row, x: usize) -> Light {
    let light: f32 =
        row.stars.iter().filter(|(place, _)| *place == x).map(|(_, light)| light).sum();
    Light([light * 0.9, light * 0.93, light])
}

fn shape(nearness: f32, horizon: f32, shore: Option<f32>, sharpness: f32, rng: &mut Rng) -> Shape {
    let lowest = shore.unwrap_or(0.95);
    let level = horizon + (lowest - horizon) * nearness.powf(1.25);
    let sharpness = sharpness * (1.0 - nearness * 0.9);
    let wooded = shore.is_none() && nearness > 0.7 || shore.is_some() && nearness > 0.6;
    Shape {
        level: if shore.is_some() { level - 0.012 } else { level },
        rise: if shore.is_some() { 0.055 - 0.035 * nearness } else { 0.05 + 0.035 * nearness }
            + 0.10 * sharpness,
        waves: 1.6 + 2.2 * (1.0 - nearness) + rng.f32(),
        sharpness,
        trees: if wooded { 90.0 + 120.0 * (1.0 - nearness) } else { 0.0 },
        tree_height: if shore.is_some() {
            0.035
        } else {
            0.05 + 0.10 * (nearness - 0.7).max(0.0) * 3.0
        },
    }
}

impl Hill {
    /// The outline's height at a column.
    fn edge(&self, x: f32) -> f32 {
        self.ridge.outline[self.place(x)]
    }

    /// The ground's height at a column.
    fn ground(&self, x: f32) -> f32 {
        self.ridge.ground[self.place(x) / FINE]
    }

    /// How much of the pixel lies below the outline.
    fn cover(&self, x: f32, y: f32) -> f32 {
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
