//! How long a file shall be goes in; how many words that are, how much silence, and in how many parts
//! they are written comes out.

use std::ops::RangeInclusive;
use std::time::Duration;

use stillcast_enqueue::Options;

use crate::pace::WORDS;

/// Most silence of a script of an ordinary length.
const SILENCE: Duration = Duration::from_mins(5);
/// Words for each second of a file of a given length: a voice of 105 to 190 words a minute speaks a third
/// to five sixths of the time, and pauses fill the rest.
const DENSITY: (f64, f64) = (1.15, 1.45);
/// Most words that are asked for at once.
const PART: usize = 500;

/// How long a script shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptLength {
    /// Words, or what takes as long in other scripts.
    pub words: RangeInclusive<usize>,
    /// Most silence in all; pauses that ask for more are short ones.
    pub silence: Duration,
}

impl Default for ScriptLength {
    /// An ordinary meditation: 400 to 500 words, at most five minutes of silence.
    fn default() -> Self {
        Self { words: WORDS, silence: SILENCE }
    }
}

impl ScriptLength {
    /// Of the words for a file of `duration`; ordinary where nobody asks for one.
    pub fn of(duration: Option<Duration>) -> Self {
        let Some(duration) = duration else { return Self::default() };
        let seconds = duration.as_secs_f64();
        let (least, most) = DENSITY;
        Self { words: whole(seconds * least)..=whole(seconds * most), silence: duration }
    }

    /// What a job asks for.
    pub(crate) fn asked(options: &Options) -> Self {
        Self::of(options.duration.map(|seconds| Duration::from_secs(u64::from(seconds))))
    }

    /// In how many parts it is written.
    pub fn parts(&self) -> usize {
        self.words.end().div_ceil(PART).max(1)
    }

    /// The part that is written next when `words` are said, from 0, and the words up to its end, from the
    /// beginning.
    pub fn next_part(&self, words: usize) -> (usize, RangeInclusive<usize>) {
        let parts = self.parts();
        let upto = |part: usize| {
            let share = |bound: usize| bound * (part + 1) / parts;
            share(*self.words.start())..=share(*self.words.end())
        };
        let is_open = |part: &usize| words < *upto(*part).start();
        let part = (0..parts).find(is_open).unwrap_or(parts - 1);
        (part, upto(part))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some thousands, never negative"
)]
fn whole(words: f64) -> usize {
    words.round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(seconds: u64) -> ScriptLength {
        ScriptLength::of(Some(Duration::from_secs(seconds)))
    }

    #[test]
    fn a_longer_file_has_more_words_in_more_parts() {
        assert_eq!(ScriptLength::of(None).words, 400..=500);
        assert_eq!((ScriptLength::of(None).parts(), of(180).parts()), (1, 1));
        assert_eq!((of(180).words, of(3_600).words), (207..=261, 4_140..=5_220));
        assert_eq!(of(3_600).parts(), 11);
    }

    #[test]
    fn each_part_ends_where_its_share_of_the_words_does() {
        let length = of(600);
        assert_eq!(length.next_part(0), (0, 345..=435));
        assert_eq!(length.next_part(344), (0, 345..=435));
        assert_eq!(length.next_part(345), (1, 690..=870));
        assert_eq!(length.next_part(2_000), (1, 690..=870));
    }
}
