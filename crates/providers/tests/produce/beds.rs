//! A voice over a bed: how loud each is while the voice speaks and where it rests, measured on what was
//! delivered.

use std::path::{Path, PathBuf};

use pipeline::Run;
use stillcast_enqueue::{Bed, Format};
use tests::measure::{channels, facts, level_between, loudness, silences};

use crate::captions::extra;
use crate::media::MediaHarness;

/// How loud a file is in the middle of each of `places`, in dB of its mean; the mean of all.
async fn level(file: &Path, places: &[(f64, f64)]) -> f64 {
    let mut sum = 0.0;
    for (from_s, to_s) in places {
        sum += level_between(file, *from_s, *to_s).await.unwrap();
    }
    sum / places.len() as f64
}

/// Where the voice speaks for a while, and where it rests long enough for the bed to have come up.
async fn places(voice: &Path) -> (Vec<(f64, f64)>, Vec<(f64, f64)>) {
    let silences = silences(voice).await.unwrap();
    let speech = silences.windows(2).map(|two| (two[0].from_s + two[0].length_s, two[1].from_s));
    let speech: Vec<_> = speech.filter(|(from, to)| to - from > 3.0).take(6).collect();
    let rests = silences.iter().skip(1).filter(|rest| rest.length_s > 3.9);
    let rests = rests.map(|rest| (rest.from_s + 1.5, rest.from_s + rest.length_s - 1.2));
    (speech, rests.take(6).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bed_lies_far_below_the_voice_and_comes_up_where_it_rests() {
    for (bed, format) in [(Bed::Rain, Format::Audio), (Bed::Sea, Format::Video)] {
        let harness = MediaHarness::new();
        let lying = |run: &mut Run| {
            let options = &mut run.request.options;
            (options.bed, options.bells, options.tail, options.stems) = (bed, true, 20, true);
        };
        let (produced, file) = harness.produce_with(format, true, lying).await;
        let whole = loudness(&file).await.unwrap();
        println!("{bed}: {whole:?}");
        assert!((whole.integrated + 16.0).abs() <= 1.0, "{bed}: {whole:?}");
        assert!(whole.true_peak <= -1.0, "{bed}: {whole:?}");
        assert_eq!(channels(&file).await.unwrap(), 2);
        let stems: [PathBuf; 2] = ["voice.m4a", "bed.m4a"].map(|name| extra(&produced, name));
        for stem in &stems {
            let length = facts(stem).await.unwrap().duration_s;
            assert!((length - produced.artifact.duration_s).abs() <= 0.6, "{length}");
        }
        let [voice, under] = &stems;
        let (speech, rests) = places(voice).await;
        assert!(speech.len() > 3 && rests.len() > 3, "{speech:?} {rests:?}");
        let distance = level(voice, &speech).await - level(under, &speech).await;
        assert!(distance >= 12.0, "{bed}: {distance} dB");
        let ducks = level(under, &rests).await - level(under, &speech).await;
        println!("{bed}: {distance:.1} dB below the voice, {ducks:.1} dB up where it rests");
        assert!(ducks > 1.5, "{bed}: {ducks} dB");
        // It goes on behind the last word, and ends in silence.
        let end = produced.artifact.duration_s;
        let last = silences(voice).await.unwrap();
        let last = last.last().unwrap();
        assert!(last.length_s > 20.0, "{last:?}");
        let (tail, faded) = ((end - 15.0, end - 10.0), (end - 0.5, end - 0.1));
        let falls = level(under, &[tail]).await - level(under, &[faded]).await;
        assert!(falls > 15.0, "{bed}: {falls} dB");
    }
}
