//! Speech with its pauses goes in, and how long all of it shall be; the same with pauses that are longer
//! or shorter comes out, right to the sample.
//!
//! A pause between two sentences keeps its share of the silence: one that was asked to be twice as long
//! as another stays so. None is longer than 30 s or shorter than a breath; one inside a sentence stays as
//! it is; a file ends with a rest.

use std::time::Duration;

use super::RATE;
use super::samples::{sample_count, seconds_of};
use crate::artifact::{Piece, Samples};
use crate::script::ends_sentence;

/// Longest pause, in samples.
const LONGEST: usize = 30 * RATE as usize;
/// Shortest pause between two sentences, in samples.
const SHORTEST: usize = 3 * RATE as usize / 10;
/// The rest that a file ends with where nobody asks for one.
const END: Duration = Duration::from_secs(2);
/// Rounds of halving in which a factor is found: far below a sample.
const ROUNDS: usize = 60;

/// Why speech cannot be made so long.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Misfit {
    /// The words alone take longer.
    #[error("the words take at least {0:.0} s in this voice")]
    TooShort(f64),
    /// Too few places for pauses.
    #[error("the words with the longest pauses take {0:.0} s at most")]
    TooLong(f64),
}

/// A stretch of the sound, in samples.
#[derive(Clone, Copy, Debug)]
pub enum Stretch<'text> {
    /// Words.
    Speech {
        /// What is said.
        text: &'text str,
        /// How long that takes.
        samples: usize,
    },
    /// Silence, as it was asked for.
    Pause(usize),
}

impl Stretch<'_> {
    fn samples(&self) -> usize {
        match self {
            Self::Speech { samples, .. } | Self::Pause(samples) => *samples,
        }
    }
}

/// How long each of `stretches` is in a sound of `target` samples; speech stays as long as it is.
pub fn lengths(stretches: &[Stretch<'_>], target: usize) -> Result<Vec<usize>, Misfit> {
    let places = places(stretches);
    let mut lengths: Vec<usize> = stretches.iter().map(Stretch::samples).collect();
    let natural = places.iter().map(|place| place.natural).sum::<usize>();
    let fixed = lengths.iter().sum::<usize>() - natural;
    let all = |length: usize| fixed + places.iter().map(|one| one.bounded(length)).sum::<usize>();
    if all(0) > target {
        return Err(Misfit::TooShort(seconds_of(all(0))));
    }
    if all(LONGEST) < target {
        return Err(Misfit::TooLong(seconds_of(all(LONGEST))));
    }
    for (place, shared) in places.iter().zip(share(&places, target - fixed)) {
        if let Some(length) = lengths.get_mut(place.at) {
            *length = shared;
        }
    }
    Ok(lengths)
}

/// Makes `pieces` last `target` samples.
pub(crate) fn fit<S: Samples>(
    mut pieces: Vec<Piece<S>>,
    target: usize,
) -> Result<Vec<Piece<S>>, Misfit> {
    if matches!(pieces.last(), Some(Piece::Speech { .. })) {
        pieces.push(Piece::Pause(END));
    }
    let stretches: Vec<Stretch<'_>> = pieces.iter().map(stretch).collect();
    let lengths = lengths(&stretches, target)?;
    let fitted = pieces.into_iter().zip(lengths).map(|(piece, length)| match piece {
        Piece::Pause(_) => Piece::Pause(Duration::from_secs_f64(seconds_of(length))),
        speech @ Piece::Speech { .. } => speech,
    });
    Ok(fitted.collect())
}

fn stretch<S: Samples>(piece: &Piece<S>) -> Stretch<'_> {
    match piece {
        Piece::Speech { text, pcm } => Stretch::Speech { text, samples: pcm.samples() },
        Piece::Pause(length) => Stretch::Pause(sample_count(*length)),
    }
}

/// A pause that may become longer or shorter.
struct Place {
    /// Which stretch it is.
    at: usize,
    /// Its samples as it was asked for.
    natural: usize,
}

impl Place {
    /// `length`, as far as it may be.
    fn bounded(&self, length: usize) -> usize {
        length.clamp(SHORTEST.min(self.natural), LONGEST)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a pause is not negative, and bounded above"
    )]
    fn scaled(&self, factor: f64) -> usize {
        self.bounded((self.natural as f64 * factor).min(LONGEST as f64) as usize)
    }
}

/// The pauses behind whole sentences, and those at the ends.
fn places(stretches: &[Stretch<'_>]) -> Vec<Place> {
    let mut is_free = true;
    let mut places = Vec::new();
    for (at, stretch) in stretches.iter().enumerate() {
        match stretch {
            Stretch::Speech { text, .. } => is_free = ends_sentence(text),
            Stretch::Pause(natural) if is_free && *natural > 0 => {
                places.push(Place { at, natural: *natural });
            }
            Stretch::Pause(_) => {}
        }
    }
    places
}

/// The lengths of all places that make up `whole` together, each by its own length as it came.
fn share(places: &[Place], whole: usize) -> Vec<usize> {
    let sum = |factor: f64| places.iter().map(|place| place.scaled(factor)).sum::<usize>();
    let (mut low, mut high) = (0.0, LONGEST as f64);
    for _ in 0..ROUNDS {
        let middle = f64::midpoint(low, high);
        if sum(middle) <= whole { low = middle } else { high = middle }
    }
    let mut lengths: Vec<usize> = places.iter().map(|place| place.scaled(low)).collect();
    // Some samples are left over: one more for each, from the end, until none is.
    let mut left = whole.saturating_sub(lengths.iter().sum());
    while left > 0 {
        let before = left;
        for length in lengths.iter_mut().rev().filter(|length| **length < LONGEST) {
            let more = left.min(1 + left / places.len()).min(LONGEST - *length);
            *length += more;
            left -= more;
        }
        if left == before {
            break;
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const SECOND: usize = RATE as usize;

    fn speech(text: &str, seconds: usize) -> Piece<Bytes> {
        Piece::Speech { text: text.to_owned(), pcm: vec![1; 2 * seconds * SECOND].into() }
    }

    fn pause(seconds: f64) -> Piece<Bytes> {
        Piece::Pause(Duration::from_secs_f64(seconds))
    }

    fn pauses(pieces: &[Piece<Bytes>]) -> Vec<f64> {
        let length = |piece: &Piece<Bytes>| match piece {
            Piece::Pause(length) => Some((length.as_secs_f64() * 1_000.0).round() / 1_000.0),
            Piece::Speech { .. } => None,
        };
        pieces.iter().filter_map(length).collect()
    }

    fn whole(pieces: &[Piece<Bytes>]) -> usize {
        pieces.iter().map(|piece| stretch(piece).samples()).sum()
    }

    #[test]
    fn pauses_share_the_silence_as_they_were_asked_for() {
        let pieces = vec![
            speech("One.", 10),
            pause(2.0),
            speech("Two,", 5),
            pause(1.0),
            speech("and three.", 5),
            pause(4.0),
            speech("Four.", 10),
        ];
        let fitted = fit(pieces.clone(), 47 * SECOND).unwrap();
        assert_eq!(whole(&fitted), 47 * SECOND);
        // Sixteen seconds for 2 : 4 : 2, the pause behind a comma as it was.
        assert_eq!(pauses(&fitted), [4.0, 1.0, 8.0, 4.0]);
        let shorter = fit(pieces, 34 * SECOND + 1).unwrap();
        assert_eq!(whole(&shorter), 34 * SECOND + 1);
        assert!(pauses(&shorter)[0] < 1.0 && pauses(&shorter)[1] >= 1.0, "{shorter:?}");
    }

    #[test]
    fn no_pause_is_longer_than_half_a_minute_and_others_take_what_is_too_much() {
        let pieces =
            vec![speech("One.", 10), pause(1.0), speech("Two.", 10), pause(9.0), speech("End.", 1)];
        let fitted = fit(pieces.clone(), 80 * SECOND).unwrap();
        assert_eq!(whole(&fitted), 80 * SECOND);
        assert!(pauses(&fitted).iter().all(|pause| *pause <= 30.0), "{fitted:?}");
        assert!(pauses(&fitted)[1] > 29.999, "{fitted:?}");
        assert_eq!(fit(pieces.clone(), 112 * SECOND), Err(Misfit::TooLong(111.0)));
        assert_eq!(fit(pieces, 20 * SECOND), Err(Misfit::TooShort(21.9)));
    }
}
