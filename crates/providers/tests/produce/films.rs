//! Films in each shape: what platforms, phones and feeds are given, and what is shown beside them.

use std::path::Path;

use pipeline::{Produced, Run};
use stillcast_enqueue::{Aspect, Container, Format};
use tests::measure::{
    captions, difference, distinct_pictures, facts, first_sound, has_faststart, key_frames,
    loudness, pictures, source_type,
};

use crate::captions::{assert_in_time, extra};
use crate::containers::MADE;
use crate::media::MediaHarness;

/// Sound and picture begin and end together, to this, in seconds.
const SKEW: f64 = 0.02;

/// Poster and cover are there, as large as they should be, and say what has made them.
async fn assert_beside(produced: &Produced, aspect: Aspect) {
    let (width, height) = aspect.size();
    for (name, size) in [("poster.jpg", (width, height)), ("cover.jpg", (1080, 1080))] {
        let file = extra(produced, name);
        let seen = facts_of_picture(&file);
        assert_eq!(seen, format!("{}x{}", size.0, size.1), "{name}");
        assert_eq!(source_type(&file).await.unwrap(), MADE, "{name}");
        assert_eq!(produced.artifact.extras[name].content_type, "image/jpeg");
    }
}

fn facts_of_picture(file: &Path) -> String {
    let bytes = std::fs::read(file).unwrap();
    let seen = pipeline::Image { bytes: bytes.into() }.inspect().unwrap();
    format!("{}x{}", seen.width, seen.height)
}

fn shaped(container: Container, aspect: Aspect, motion: bool) -> impl FnOnce(&mut Run) {
    move |run| {
        let options = &mut run.request.options;
        (options.container, options.aspect, options.motion) = (Some(container), aspect, motion);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_film_for_platforms_is_what_they_ask_for() {
    let harness = MediaHarness::new();
    let social = shaped(Container::Mp4Social, Aspect::Wide, false);
    let (produced, file) = harness.produce_with(Format::Video, true, social).await;
    let seen = facts(&file).await.unwrap();
    assert_eq!(seen.codecs[..3], ["h264", "aac", "mov_text"]);
    assert_eq!(seen.picture, "1920x1080 yuv420p tv bt709 bt709 bt709 High 25/1");
    assert!(has_faststart(&file).unwrap());
    let index = std::fs::read(&file).unwrap();
    assert!(!index.windows(4).any(|word| word == b"elst"), "there is no edit list");
    assert!(seen.rate <= 48_000, "{seen:?}");

    // Closed groups of ten seconds: each begins with a key frame, and none looks behind it.
    let keys = key_frames(&file).await.unwrap();
    assert!(
        keys.len() > 10 && keys.iter().enumerate().all(|(at, key)| *key == at * 250),
        "{keys:?}"
    );
    let shown = pictures(&file, Some(22)).await.unwrap();
    assert!(shown.len() > 500 && shown.iter().all(|one| *one == shown[0]));

    let [picture, sound] = [seen.durations[0], seen.durations[1]];
    assert!((picture - sound).abs() <= SKEW, "{seen:?}");
    assert!((picture - produced.artifact.duration_s).abs() <= SKEW, "{seen:?}");
    // What is heard of it without an edit list is as late as it is shown, and as the samples say.
    let words = captions(&extra(&produced, "captions.vtt")).await.unwrap();
    let wav = |run: &mut Run| run.request.options.container = Some(Container::Wav);
    let (plain, samples) = harness.produce_with(Format::Audio, true, wav).await;
    let (heard, said) = (first_sound(&file).await.unwrap(), first_sound(&samples).await.unwrap());
    let spoken = captions(&extra(&plain, "captions.vtt")).await.unwrap();
    let lead = words[0].from_s - spoken[0].from_s;
    println!("the first word is heard at {heard} s, in the samples at {said} s, {lead} s earlier");
    assert!(lead > 0.05 && (heard - said - lead).abs() <= SKEW, "{heard} {said} {lead}");
    assert_in_time(&file, &words).await;
    let level = loudness(&file).await.unwrap();
    assert!((level.integrated + 19.0).abs() <= 1.0 && level.true_peak <= -1.0, "{level:?}");
    assert_eq!(source_type(&file).await.unwrap(), MADE);
    assert_beside(&produced, Aspect::Wide).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_film_for_phones_is_upright() {
    let harness = MediaHarness::new();
    let tall = shaped(Container::Mp4, Aspect::Tall, false);
    let (produced, file) = harness.produce_with(Format::Video, true, tall).await;
    let seen = facts(&file).await.unwrap();
    assert_eq!(seen.picture, "1080x1920 yuv420p tv bt709 bt709 bt709 High 2/1");
    assert_eq!(seen.codecs[..3], ["h264", "aac", "mov_text"]);
    assert_eq!(seen.codecs.last().unwrap(), "mjpeg", "its cover is in it: {seen:?}");
    assert_eq!(distinct_pictures(&file).await.unwrap(), 1);
    assert_eq!(source_type(&file).await.unwrap(), MADE);
    assert_beside(&produced, Aspect::Tall).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_moves_breathes_once_in_ten_seconds() {
    let harness = MediaHarness::new();
    let square = shaped(Container::Mp4, Aspect::Square, true);
    let (produced, file) = harness.produce_with(Format::Video, true, square).await;
    let seen = facts(&file).await.unwrap();
    assert_eq!(seen.picture, "1080x1080 yuv420p tv bt709 bt709 bt709 High 25/1");
    for duration in &seen.durations {
        assert!((duration - produced.artifact.duration_s).abs() <= SKEW, "{seen:?}");
    }
    // It is encoded once and repeated.
    let shown = pictures(&file, Some(22)).await.unwrap();
    assert!(shown.len() > 500);
    assert!(shown.iter().zip(&shown[250..]).all(|(one, next)| one == next));
    // It has come nearer in the middle, and has gone back at the end.
    let nearest = difference(&file, (0, 125)).await.unwrap();
    let again = difference(&file, (0, 249)).await.unwrap();
    let halfway = difference(&file, (62, 187)).await.unwrap();
    assert!(
        nearest > 1.0 && again < nearest / 3.0 && halfway < nearest / 3.0,
        "{nearest} {again} {halfway}"
    );
    assert_eq!(key_frames(&file).await.unwrap()[..3], [0, 250, 500]);
    assert_beside(&produced, Aspect::Square).await;
}
