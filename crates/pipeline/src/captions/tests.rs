//! Voices made of tones that rest where a voice would.

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::sound::RATE;

const SECOND: usize = RATE as usize;

/// A tone of so many milliseconds for each even place, silence for each odd one.
fn voice(milliseconds: &[usize]) -> Bytes {
    #[expect(clippy::cast_possible_truncation, reason = "far below full scale")]
    let tone = |n: usize| ((n as f32 * 0.06).sin() * 9_000.0) as i16;
    let samples = milliseconds.iter().enumerate().flat_map(|(place, length)| {
        let is_tone = place.is_multiple_of(2);
        (0..length * SECOND / 1_000).map(move |n| if is_tone { tone(n) } else { 0 })
    });
    samples.flat_map(i16::to_le_bytes).collect()
}

fn speech(text: &str, milliseconds: &[usize]) -> Piece<Bytes> {
    Piece::Speech { text: text.to_owned(), pcm: voice(milliseconds) }
}

fn heard(pieces: &[Piece<Bytes>]) -> Captions {
    let mut listener = Listener::default();
    for piece in pieces {
        listener.hear(piece);
    }
    listener.finish()
}

/// Begin and end of each cue, in milliseconds.
fn times(captions: &Captions) -> Vec<(usize, usize)> {
    let ms = |samples: usize| samples * 1_000 / SECOND;
    captions.cues.iter().map(|cue| (ms(cue.begin), ms(cue.end))).collect()
}

#[test]
fn passages_are_timed_by_their_samples_and_sentences_by_the_voice_s_rests() {
    let captions = heard(&[
        speech("Welcome.", &[700]),
        Piece::Pause(Duration::from_secs(3)),
        // The second sentence takes longer than its letters say, and holds a consonant.
        speech(
            "Let your hands find a place. Let them rest. And breathe out.",
            &[1_900, 260, 800, 50, 600, 400, 900],
        ),
    ]);
    let wanted = [(0, 700), (3_700, 5_600), (5_860, 7_310), (7_710, 8_610)];
    let found = times(&captions);
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    for ((begin, end), (wanted_begin, wanted_end)) in found.iter().zip(wanted) {
        assert!(begin.abs_diff(wanted_begin) <= 10, "{found:?}");
        assert!(end.abs_diff(wanted_end) <= 10, "{found:?}");
    }
}

#[test]
fn a_voice_that_never_rests_is_parted_by_its_letters() {
    let captions = heard(&[speech("One and two. Six and ten.", &[2_600])]);
    let found = times(&captions);
    assert_eq!((found[0].0, found[1].1), (0, 2_600));
    assert_eq!(found[0].1, found[1].0);
    assert!(found[0].1.abs_diff(1_300) < 120, "{found:?}");
}

#[test]
fn no_cue_ends_before_it_begins_whatever_is_heard() {
    let lengths = [1, 30, 150, 900, 2, 4_000];
    for (one, other) in lengths.iter().flat_map(|one| lengths.map(|other| (*one, other))) {
        let text = "In. Out. Let everything that is heavy sink into the ground. And… rest! “Yes.”";
        let captions = heard(&[speech(text, &[one, other, one]), speech("End.", &[other])]);
        let found = times(&captions);
        assert!(found.iter().all(|(begin, end)| begin <= end), "{one} {other}: {found:?}");
        assert!(found.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{one} {other}: {found:?}");
    }
}

#[test]
fn files_for_players_hold_what_is_said_when() {
    let captions = heard(&[
        Piece::Pause(Duration::from_millis(61_500)),
        speech("Breathe in & out.", &[2_000]),
        Piece::Pause(Duration::from_secs(1)),
        speech(
            "Begin at the top of your head, and let a slow warmth travel down over the forehead.",
            &[5_000],
        ),
    ]);
    let vtt = captions.vtt();
    assert!(vtt.starts_with("WEBVTT\n\nNOTE ") && vtt.contains("spread evenly"), "{vtt}");
    assert!(vtt.contains("\n00:01:01.500 --> 00:01:03.500\nBreathe <00:01:02."), "{vtt}");
    assert!(vtt.contains(">in &amp; <") && vtt.contains(">out.\n"), "{vtt}");
    let srt = captions.srt();
    assert!(srt.starts_with("1\n00:01:01,500 --> 00:01:03,500\nBreathe in & out.\n\n2\n"), "{srt}");
    let longest = srt.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(48), "{srt}");
    assert_eq!(captions.chapter_lines(), None);
    assert!(!format!("{captions:?}").contains("Breathe"));
}

#[test]
fn chapters_are_written_as_one_writes_them_below_a_film() {
    let second = |second: u64| Piece::Pause(Duration::from_secs(second));
    let said = |text: &str, seconds: usize| speech(text, &[seconds * 1_000]);
    let captions = heard(&[
        said("Welcome to these few minutes of rest.", 20),
        second(5),
        said("Now breathe.", 60),
        second(3),
        said("And again.", 60),
        second(6),
        said("Come back.", 20),
        second(2),
    ]);
    let lines = "0:00 Arriving\n0:25 Body\n2:34 Closing\n";
    assert_eq!(captions.chapter_lines().as_deref(), Some(lines));
    assert_eq!(captions.chapters()[2].end, 176 * SECOND);
}
