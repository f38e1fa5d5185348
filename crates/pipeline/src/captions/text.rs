//! What is said when goes in; files for players and people come out.

use unicode_segmentation::UnicodeSegmentation;

use super::clock::{clock, milliseconds};
use super::line::{directed, wrapped};
use super::{Captions, Cue};
use crate::pace;
use crate::sound::RATE;

/// What a `WebVTT` file says of its times.
const NOTE: &str = "Sentences are timed by the samples of the sound; words within a sentence are \
                    spread evenly.";

impl Captions {
    /// As `WebVTT`: a cue a sentence, and in it the time of each word.
    pub fn vtt(&self) -> String {
        let cues = self.cues.iter().map(|cue| {
            let (begin, end) = (clock(cue.begin, '.'), clock(cue.end, '.'));
            format!("\n{begin} --> {end}\n{}\n", directed(&timed_words(cue)))
        });
        format!("WEBVTT\n\nNOTE {NOTE}\n{}", cues.collect::<String>())
    }

    /// As `SubRip`: a cue a sentence.
    pub fn srt(&self) -> String {
        let cue = |(index, cue): (usize, &Cue)| {
            let (begin, end) = (clock(cue.begin, ','), clock(cue.end, ','));
            format!("{}\n{begin} --> {end}\n{}\n\n", index + 1, wrapped(&cue.text))
        };
        self.cues.iter().enumerate().map(cue).collect()
    }

    /// The chapters as one writes them below a film; `None` where there are none.
    pub fn chapter_lines(&self) -> Option<String> {
        let line = |chapter: &super::Chapter| {
            let seconds = chapter.begin / RATE as usize;
            format!("{}:{:02} {}\n", seconds / 60, seconds % 60, chapter.title)
        };
        (!self.chapters.is_empty()).then(|| self.chapters.iter().map(line).collect())
    }
}

/// The words of a cue, each but the first behind the time at which it is said.
fn timed_words(cue: &Cue) -> String {
    let words = words(&cue.text);
    let whole: f64 = words.iter().map(|word| pace::letters(word)).sum();
    let (mut line, mut said, mut last) = (String::new(), 0.0, milliseconds(cue.begin));
    for word in words {
        let at = cue.begin + (cue.end - cue.begin) * per_mille(said, whole) / 1_000;
        // Times within a cue grow, and lie within it.
        if milliseconds(at) > last && milliseconds(at) < milliseconds(cue.end) {
            line.extend(["<", &clock(at, '.'), ">"]);
            last = milliseconds(at);
        }
        said += pace::letters(word);
        line.push_str(&escaped(word));
    }
    line
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of a positive sum"
)]
fn per_mille(part: f64, whole: f64) -> usize {
    (part / whole.max(1.0) * 1_000.0).round() as usize
}

/// The words of a text, each with whatever stands between it and the next one.
fn words(text: &str) -> Vec<&str> {
    let begins = text.unicode_word_indices().map(|(at, _)| at).skip(1);
    let begins: Vec<usize> = std::iter::once(0).chain(begins).collect();
    let ends = begins.iter().skip(1).copied().chain([text.len()]);
    begins.iter().zip(ends).map(|(begin, end)| &text[*begin..end]).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
