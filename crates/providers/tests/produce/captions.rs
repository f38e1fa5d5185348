//! Captions and chapters of real files, held against what a foreign ear hears in them.

use std::path::{Path, PathBuf};

use pipeline::Produced;
use stillcast_enqueue::Format;
use tests::measure::{Caption, captions, chapters, facts, silences};

use crate::media::MediaHarness;

/// How far a caption may be off, in seconds.
const DRIFT: f64 = 0.05;
/// What the ear that is asked takes for silence begins a little late where a voice fades.
const FADES: f64 = 0.25;

/// Where the file of the extra `name` lies.
pub(crate) fn extra(produced: &Produced, name: &str) -> PathBuf {
    PathBuf::from(produced.artifact.extras[name].path.as_deref().unwrap())
}

/// Each caption that follows a silence begins where it ends, and the last one ends with the last word.
pub(crate) async fn assert_in_time(file: &Path, seen: &[Caption]) {
    let silences = silences(file).await.unwrap();
    let mut compared = 0;
    for silence in &silences[..silences.len() - 1] {
        let voice = silence.from_s + silence.length_s;
        let next = seen.iter().find(|caption| caption.from_s > silence.from_s + 0.1).unwrap();
        assert!((next.from_s - voice).abs() <= DRIFT, "{voice} s: {next:?}");
        compared += 1;
    }
    assert!(compared > 15, "{silences:?}");
    let (last, end) = (seen.last().unwrap(), silences.last().unwrap());
    assert!(seen.windows(2).all(|pair| pair[0].to_s <= pair[1].from_s + 0.002));
    assert!((last.to_s - end.from_s).abs() <= DRIFT, "{last:?} {end:?}");
    assert!(end.length_s > FADES, "the file ends with a rest: {end:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn captions_of_a_sound_are_in_time_to_its_last_word() {
    let harness = MediaHarness::new();
    let (produced, file) = harness.produce(Format::Audio, true).await;
    let vtt = captions(&extra(&produced, "captions.vtt")).await.unwrap();
    assert_in_time(&file, &vtt).await;
    let srt = captions(&extra(&produced, "captions.srt")).await.unwrap();
    assert_eq!(vtt.len(), srt.len());
    for (one, other) in vtt.iter().zip(&srt) {
        assert_eq!(one.text, other.text);
        assert!((one.from_s - other.from_s).abs() < 0.002, "{one:?} {other:?}");
    }
    let names: Vec<&String> = produced.artifact.extras.keys().collect();
    assert_eq!(names, ["captions.srt", "captions.vtt", "chapters.txt"]);

    let found = chapters(&file).await.unwrap();
    let titles: Vec<&str> = found.iter().map(|chapter| chapter.title.as_str()).collect();
    assert_eq!(titles, ["Arriving", "Body", "Closing"]);
    let lines = std::fs::read_to_string(extra(&produced, "chapters.txt")).unwrap();
    assert!(lines.starts_with("0:00 Arriving\n") && lines.lines().count() == 3, "{lines}");
    let end = found.last().unwrap().to_s;
    assert!((end - produced.artifact.duration_s).abs() < 0.1, "{found:?}");
    assert!(found.iter().all(|chapter| chapter.to_s - chapter.from_s >= 10.0), "{found:?}");
    let begins = found.iter().skip(1).map(|chapter| chapter.from_s);
    for begin in begins {
        assert!(
            vtt.iter().any(|caption| (caption.from_s - begin).abs() < 0.01),
            "{begin} {found:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_carries_its_captions_and_chapters() {
    let harness = MediaHarness::new();
    let (produced, file) = harness.produce(Format::Video, true).await;
    let seen = facts(&file).await.unwrap();
    assert_eq!(seen.codecs[..3], ["h264", "aac", "mov_text"]);
    let inside = captions(&file).await.unwrap();
    assert_in_time(&file, &inside).await;
    let beside = captions(&extra(&produced, "captions.srt")).await.unwrap();
    assert_eq!(inside.len(), beside.len());
    for (one, other) in inside.iter().zip(&beside) {
        assert_eq!(one.text, other.text);
        assert!((one.from_s - other.from_s).abs() < 0.005, "{one:?} {other:?}");
    }
    assert_eq!(chapters(&file).await.unwrap().len(), 3);
}
