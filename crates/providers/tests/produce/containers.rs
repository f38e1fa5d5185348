//! One file in each container of sound, as foreign readers see it.

use stillcast_enqueue::{Container, Format};
use tests::measure::{captions, chapters, facts, loudness, silences, source_type, tags};

use crate::captions::{assert_in_time, extra};
use crate::media::MediaHarness;

/// What the IPTC calls whatever a trained model has made.
pub(crate) const MADE: &str =
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

/// Makes a file in `container` and holds it against its record, its loudness, its chapters and its words.
async fn assert_sound(container: Container, codec: &str, content_type: &str) {
    let harness = MediaHarness::new();
    let asked = |run: &mut pipeline::Run| run.request.options.container = Some(container);
    let (produced, file) = harness.produce_with(Format::Audio, true, asked).await;
    let artifact = &produced.artifact;
    assert_eq!(artifact.content_type, content_type);
    assert_eq!(file.extension().unwrap(), container.extension());

    let seen = facts(&file).await.unwrap();
    assert_eq!(seen.codecs[0], codec);
    assert!((seen.duration_s - artifact.duration_s).abs() < 0.1, "{seen:?} {artifact:?}");
    let level = loudness(&file).await.unwrap();
    assert!((level.integrated + 19.0).abs() <= 1.0, "{level:?}");
    assert!(level.true_peak <= -1.0, "{level:?}");
    let pauses = silences(&file).await.unwrap();
    let exact = |length: f64| pauses.iter().filter(|p| (p.length_s - length).abs() < 0.1).count();
    assert!(exact(3.0) >= 3 && exact(4.0) >= 3, "{pauses:?}");
    let words = captions(&extra(&produced, "captions.vtt")).await.unwrap();
    assert_in_time(&file, &words).await;

    let said = tags(&file).await.unwrap();
    assert_eq!(said["title"], "Guided meditation");
    assert!(said["comment"].starts_with("Made by a machine"), "{said:?}");
    assert_eq!(source_type(&file).await.unwrap(), MADE);
    let found = chapters(&file).await.unwrap();
    let titles: Vec<&str> = found.iter().map(|chapter| chapter.title.as_str()).collect();
    // RIFF has no chapters that anybody reads: they lie beside it.
    let inside: &[&str] =
        if container == Container::Wav { &[] } else { &["Arriving", "Body", "Closing"] };
    assert_eq!(titles, inside);
    assert!(extra(&produced, "chapters.txt").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_m4a_is_as_its_record_says() {
    assert_sound(Container::M4a, "aac", "audio/mp4").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_mp3_is_as_its_record_says() {
    assert_sound(Container::Mp3, "mp3", "audio/mpeg").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opus_file_is_as_its_record_says() {
    assert_sound(Container::Opus, "opus", "audio/ogg").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wav_is_as_its_record_says() {
    assert_sound(Container::Wav, "pcm_s16le", "audio/wav").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flac_is_as_its_record_says() {
    assert_sound(Container::Flac, "flac", "audio/flac").await;
}
