//! A file is as long as it was asked to be: 200 texts in four lengths by the words that are written for
//! them and the time that voices take, and some of them as files.

use std::time::Duration;

use futures::StreamExt;
use pipeline::sound::{RATE, Stretch, lengths, sample_count};
use pipeline::{DraftPiece, Part, Passage, Prompt, Run, Script, ScriptLength, TranscriptWriter};
use providers::offline::OfflineWriter;
use stillcast_enqueue::Format;
use tests::measure::{captions, facts, silences};

use crate::captions::extra;
use crate::media::MediaHarness;

/// Characters that a voice says in a second, pauses left out: of an ordinary one, a slower and a faster one.
const PACES: [f64; 3] = [11.0, 14.6, 17.5];
/// How far one sentence's pace lies from the mean of its voice.
const SPREAD: f64 = 0.15;

/// The words of a text for a file of that length, as they are spoken.
async fn passages(text: &str, duration: Duration) -> Vec<Passage> {
    let length = ScriptLength::of(Some(duration));
    let (index, words) = length.next_part(0);
    let prompt = Prompt {
        text: text.to_owned(),
        said: String::new(),
        words,
        part: Part { index, of: length.parts() },
        whole: length.words.clone(),
        language: None,
        variant: 0,
    };
    let pieces: Vec<_> = OfflineWriter.write(&prompt).await.unwrap().collect().await;
    let words = pieces.into_iter().filter_map(|piece| match piece.unwrap() {
        DraftPiece::Text(text) => Some(text),
        DraftPiece::Retract | DraftPiece::End { .. } => None,
    });
    Script::read(&words.collect::<String>(), length).unwrap()
}

/// What a voice makes of words: each sentence at a pace of its own.
fn spoken(passages: &[Passage], number: usize) -> Vec<Stretch<'_>> {
    let mut rng = fastrand::Rng::with_seed(number as u64);
    let mut said = |text: &String| {
        let pace = PACES[number % PACES.len()] * (1.0 + SPREAD * (2.0 * rng.f64() - 1.0));
        sample_count(Duration::from_secs_f64(text.chars().count() as f64 / pace))
    };
    let stretch = |passage| match passage {
        &Passage::Pause(length) => Stretch::Pause(sample_count(length)),
        Passage::Speech(text) => Stretch::Speech { text, samples: said(text) },
    };
    passages.iter().map(stretch).collect()
}

/// The longest pause of a file of `passages` that lasts `duration` to the sample.
fn longest_pause(passages: &[Passage], duration: Duration, number: usize) -> f64 {
    let (stretches, target) = (spoken(passages, number), sample_count(duration));
    let lengths = lengths(&stretches, target).unwrap();
    assert_eq!(lengths.iter().sum::<usize>(), target, "{number}, {duration:?}");
    let pauses = stretches.iter().zip(lengths).filter_map(|(stretch, length)| match stretch {
        Stretch::Pause(_) => Some(length),
        Stretch::Speech { .. } => None,
    });
    pauses.max().unwrap() as f64 / f64::from(RATE)
}

#[tokio::test]
async fn two_hundred_texts_are_as_long_as_they_were_asked_to_be() {
    let themes = ["the harbour", "my old job", "a letter from Lisbon", "rain", "我很累", "exams"];
    let mut longest: f64 = 0.0;
    for number in 0..200_usize {
        let text = format!("{} and the number {number}", themes[number % themes.len()]);
        for minutes in [3, 10, 20, 60] {
            let duration = Duration::from_mins(minutes);
            let passages = passages(&text, duration).await;
            longest = longest.max(longest_pause(&passages, duration, number));
        }
    }
    println!("the longest pause of 800 files: {longest:.1} s");
    assert!(longest <= 30.0, "{longest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_lasts_as_long_as_it_was_asked_to() {
    for (seconds, format) in [(180, Format::Audio), (300, Format::Video)] {
        let harness = MediaHarness::new();
        let lasting = |run: &mut Run| run.request.options.duration = Some(seconds);
        let (produced, file) = harness.produce_with(format, true, lasting).await;
        let wanted = f64::from(seconds);
        let seen = facts(&file).await.unwrap();
        assert!((seen.duration_s - wanted).abs() <= 0.5, "{seen:?}");
        assert!((produced.artifact.duration_s - wanted).abs() <= 0.5);
        let pauses = silences(&file).await.unwrap();
        assert!(pauses.iter().all(|pause| pause.length_s <= 30.1), "{pauses:?}");
        // Nothing was cut off: the last word is there, and a rest behind it.
        let said = captions(&extra(&produced, "captions.srt")).await.unwrap();
        let last = said.last().unwrap().to_s;
        assert!(last < wanted && last > wanted - 31.0, "{last}");
        let rest = pauses.last().unwrap();
        assert!((rest.from_s - last).abs() < 0.05, "{rest:?} {last}");
    }
}
