//! Samples from the beginning go in; the time as captions and tags write it comes out.

use crate::sound::RATE;

/// `00:03:25.250`, to the nearest millisecond.
pub fn clock(samples: usize, point: char) -> String {
    let ms = milliseconds(samples);
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    format!("{hours:02}:{minutes:02}:{:02}{point}{:03}", ms / 1_000 % 60, ms % 1_000)
}

pub(super) fn milliseconds(samples: usize) -> usize {
    (samples * 1_000 + RATE as usize / 2) / RATE as usize
}
