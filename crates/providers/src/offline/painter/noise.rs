//! A place goes in, a value that changes smoothly with the place comes out.

use fastrand::Rng;

const SIZE: usize = 256;

/// Smooth noise on a line or a plane; values from about -1 to 1.
pub(super) struct Noise {
    values: [f32; SIZE],
    shuffle: [u8; SIZE],
}

impl Noise {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let mut shuffle: [u8; SIZE] = std::array::from_fn(|index| index.to_le_bytes()[0]);
        rng.shuffle(&mut shuffle);
        Self { values: std::array::from_fn(|_| rng.f32() * 2.0 - 1.0), shuffle }
    }

    /// Noise at one point of a plane.
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        let ((left, across), (top, down)) = (split(x), split(y));
        let corner = |dx: i32, dy: i32| self.corner(left.wrapping_add(dx), top.wrapping_add(dy));
        let upper = lerp(corner(0, 0), corner(1, 0), across);
        let lower = lerp(corner(0, 1), corner(1, 1), across);
        lerp(upper, lower, down)
    }

    /// Sum of `octaves`, each twice as fine and `fade` as strong as the one before.
    pub(super) fn octaves(&self, x: f32, y: f32, octaves: u32, fade: f32) -> f32 {
        let mut sum = 0.0;
        let (mut strength, mut scale) = (1.0, 1.0);
        for octave in 0..octaves {
            let shift = octave as f32 * 17.3;
            sum += strength * self.at(x * scale + shift, y * scale + shift);
            strength *= fade;
            scale *= 2.03;
        }
        sum
    }

    fn corner(&self, x: i32, y: i32) -> f32 {
        let byte = |value: i32| usize::from(value.to_le_bytes()[0]);
        let row = usize::from(self.shuffle[byte(y)]);
        self.values[usize::from(self.shuffle[(byte(x) + row) % SIZE])]
    }
}

/// The whole part, and the rest eased, so that no edge shows at whole numbers.
fn split(value: f32) -> (i32, f32) {
    let floor = value.floor();
    let rest = value - floor;
    #[expect(clippy::cast_possible_truncation, reason = "pictures are far smaller than i32")]
    let whole = floor as i32;
    (whole, rest * rest * rest * (rest * (rest * 6.0 - 15.0) + 10.0))
}

fn lerp(from: f32, to: f32, share: f32) -> f32 {
    from + (to - from) * share
}
