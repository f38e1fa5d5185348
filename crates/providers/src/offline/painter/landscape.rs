//! Chance goes in; a view comes out, pixel by pixel: hills behind hills in hazy air, sometimes a
//! lake that mirrors them, and the sky behind.

use fastrand::Rng;

use super::color::{Light, smooth};
use super::hill::{Hill, Terrain};
use super::mood::Mood;
use super::noise::Noise;
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
        let terrain = Terrain { mood, horizon, shore, sharpness, width, height };
        let nearness = |index| index as f32 / (count - 1) as f32;
        let hills = (0..count).map(|index| terrain.hill(nearness(index), rng)).collect();
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
