//! The pauses of a sound go in; arriving, body and closing come out.

use std::cmp::Reverse;
use std::ops::Range;

use super::title::Titles;
use crate::sound::RATE;

/// A part of the whole, in samples from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// Where it begins.
    pub begin: usize,
    /// Where the next one does, or the sound ends.
    pub end: usize,
    /// What it is called.
    pub title: &'static str,
}

/// A place where a voice begins again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Border {
    pub(super) at: usize,
    /// Samples of silence before it.
    pub(super) pause: usize,
}

/// Where arriving ends and closing begins, in percent of the whole.
const ARRIVED: Range<usize> = 8..26;
const CLOSING: Range<usize> = 76..93;
/// Players show no chapter that is shorter, in samples.
const LEAST: usize = 10 * RATE as usize;

/// The chapters of a sound of `length` samples: each begins behind the longest pause that lies where
/// one should. None where there is no such pause, or a chapter would be too short to be shown.
pub(super) fn chapters(borders: &[Border], length: usize, titles: Titles) -> Vec<Chapter> {
    let (Some(body), Some(closing)) =
        (longest(borders, &ARRIVED, length), longest(borders, &CLOSING, length))
    else {
        return Vec::new();
    };
    let begins = [0, body, closing];
    let ends = [body, closing, length];
    let all = begins.into_iter().zip(ends).zip(titles);
    let chapters: Vec<Chapter> =
        all.map(|((begin, end), title)| Chapter { begin, end, title }).collect();
    let is_shown = |chapter: &Chapter| chapter.end.saturating_sub(chapter.begin) >= LEAST;
    if chapters.iter().all(is_shown) { chapters } else { Vec::new() }
}

/// The place behind the longest pause within `percent`; of equal ones, the one nearest to the middle.
fn longest(borders: &[Border], percent: &Range<usize>, length: usize) -> Option<usize> {
    let place = |percent: usize| length * percent / 100;
    let within = place(percent.start)..place(percent.end);
    let middle = usize::midpoint(within.start, within.end);
    let there = borders.iter().filter(|border| within.contains(&border.at));
    there.max_by_key(|border| (border.pause, Reverse(border.at.abs_diff(middle)))).map(|one| one.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: usize = RATE as usize;
    const TITLES: Titles = ["Arriving", "Body", "Closing"];

    fn borders(seconds: &[(usize, usize)]) -> Vec<Border> {
        let border =
            |(at, pause): &(usize, usize)| Border { at: at * SECOND, pause: pause * SECOND };
        seconds.iter().map(border).collect()
    }

    #[test]
    fn the_longest_pauses_at_the_beginning_and_the_end_part_the_chapters() {
        let borders = borders(&[(12, 2), (20, 4), (40, 3), (90, 9), (160, 3), (170, 5), (195, 6)]);
        let chapters = chapters(&borders, 200 * SECOND, TITLES);
        let begins: Vec<_> = chapters.iter().map(|c| (c.begin / SECOND, c.title)).collect();
        assert_eq!(begins, [(0, "Arriving"), (20, "Body"), (170, "Closing")]);
        assert_eq!((chapters[0].end, chapters[2].end), (20 * SECOND, 200 * SECOND));
    }

    #[test]
    fn a_sound_without_such_pauses_and_a_short_one_have_no_chapters() {
        assert_eq!(chapters(&[], 200 * SECOND, TITLES), []);
        assert_eq!(chapters(&borders(&[(20, 4)]), 200 * SECOND, TITLES), []);
        assert_eq!(chapters(&borders(&[(5, 4), (17, 4)]), 20 * SECOND, TITLES), []);
    }
}
