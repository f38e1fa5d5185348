//! How loud a delivered file is, as FFmpeg measures it.

use pipeline::Run;
use pipeline::sound::Loudness;
use stillcast_enqueue::Format;
use tests::measure::loudness;

use crate::media::MediaHarness;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_as_loud_as_its_purpose_asks_for() {
    let purposes =
        [(Loudness::Podcast, -19.0), (Loudness::Streaming, -14.0), (Loudness::Broadcast, -23.0)];
    for (purpose, wanted) in purposes {
        let harness = MediaHarness::new();
        let loud = |run: &mut Run| run.loudness = purpose;
        let (_, file) = harness.produce_with(Format::Audio, true, loud).await;
        let level = loudness(&file).await.unwrap();
        println!("{purpose:?}: {level:?}");
        assert!((level.integrated - wanted).abs() <= 1.0, "{purpose:?}: {level:?}");
        assert!(level.true_peak <= -1.0, "{purpose:?}: {level:?}");
    }
}
