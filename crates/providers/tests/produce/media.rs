//! One file of each format, measured.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use pipeline::sound::Loudness;
use pipeline::{
    Gate, Interrupted, Memory, Produced, Progress, Providers, Request, Run, Slots, percent,
    produce, standard,
};
use providers::ffmpeg::{FfmpegEncoder, FfmpegOptions};
use providers::offline::{OfflinePainter, OfflineSpeech, OfflineWriter};
use providers::scratch::{Scratch, ScratchDisk};
use providers::store::{self, Store, StoreOptions};
use stillcast_enqueue::{Format, JobId, Options, Source, StageName, StageRecord};
use tempfile::TempDir;
use tests::measure::{distinct_pictures, facts, has_faststart, loudness, silences};
use tokio_util::sync::CancellationToken;

const TEXT: &str = "After the storm the harbour was quiet again. My grandmother used to say that \
                    the sea forgets every evening, and that we may, too.";

struct Open;

impl Gate for Open {
    fn check(&self) -> Result<(), Interrupted> {
        Ok(())
    }

    fn check_finish(&self) -> Result<(), Interrupted> {
        Ok(())
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<(StageName, bool)>>);

impl Progress for Heard {
    fn stage_began(&self, stage: StageName) {
        self.0.lock().unwrap().push((stage, false));
    }

    fn stage_ended(&self, record: &StageRecord) {
        self.0.lock().unwrap().push((record.stage, true));
    }
}

/// A store in a temporary folder, and a way to produce into it.
pub(crate) struct MediaHarness {
    folder: TempDir,
    heard: Arc<Heard>,
}

impl MediaHarness {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), heard: Arc::default() }
    }

    /// Where everything is delivered.
    pub(crate) fn store_folder(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    async fn store(&self) -> Arc<dyn Store> {
        let url = format!("file://{}/store", self.folder.path().display());
        let options = StoreOptions { url, writer: "test".to_owned(), ..StoreOptions::default() };
        store::open(&options).await.unwrap()
    }

    pub(crate) async fn produce(&self, format: Format, speed: bool) -> (Produced, PathBuf) {
        self.produce_with(format, speed, |_| {}).await
    }

    pub(crate) async fn produce_with(
        &self,
        format: Format,
        speed: bool,
        change: impl FnOnce(&mut Run),
    ) -> (Produced, PathBuf) {
        let scratch = Scratch::open(&self.folder.path().join("scratch")).unwrap();
        let attempt = scratch.attempt().unwrap();
        let mut run = self.run(format, speed, attempt.path()).await;
        change(&mut run);
        let produced = produce(&run).await.unwrap();
        let path = PathBuf::from(produced.artifact.path.as_deref().unwrap());
        (produced, path)
    }

    pub(crate) async fn run(&self, format: Format, speed: bool, scratch: &Path) -> Run {
        let store = self.store().await;
        let policies = standard(4, 2);
        let options = FfmpegOptions {
            program: "ffmpeg".into(),
            speed,
            audio_bitrate: "96k".to_owned(),
            hardware: speed,
        };
        Run {
            request: Request {
                job: JobId::generate(),
                tenant: "default".to_owned(),
                source: Source::Text(TEXT.to_owned()),
                format,
                options: Options::default(),
            },
            memory: Memory::of_process(Arc::clone(&store) as _),
            loudness: Loudness::default(),
            pronunciation: Arc::default(),
            budget: None,
            limiter: None,
            slots: Arc::new(Slots::new(&policies)),
            policies: Arc::new(policies),
            providers: Providers {
                sources: None,
                moderator: None,
                writer: Arc::new(OfflineWriter),
                speaker: Arc::new(OfflineSpeech::new("ffmpeg")),
                painter: Arc::new(OfflinePainter),
                encoder: Arc::new(FfmpegEncoder::new(options)),
                disk: Arc::new(ScratchDisk),
                store,
            },
            scratch: scratch.to_owned(),
            gate: Arc::new(Open),
            progress: Arc::clone(&self.heard) as Arc<dyn Progress>,
            observer: Arc::new(pipeline::Unobserved),
            cancel: CancellationToken::new(),
        }
    }

    fn assert_no_litter(&self) {
        let scratch = std::fs::read_dir(self.folder.path().join("scratch")).unwrap();
        let left: Vec<_> = scratch.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["lock"], "the scratch folder is empty again");
    }
}

fn stage(produced: &Produced, name: StageName) -> &StageRecord {
    produced.stages.iter().find(|record| record.stage == name).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audio_job_becomes_a_levelled_file_with_exact_pauses() {
    let harness = MediaHarness::new();
    let (produced, path) = harness.produce(Format::Audio, true).await;
    let artifact = &produced.artifact;
    assert_eq!(artifact.content_type, "audio/mp4");
    let spoken = 120.0..400.0;
    assert!(spoken.contains(&artifact.duration_s), "{artifact:?}");

    let seen = facts(&path).await.unwrap();
    assert!((seen.duration_s - artifact.duration_s).abs() < 0.1, "{seen:?}");
    assert_eq!(seen.codecs[0], "aac");
    let level = loudness(&path).await.unwrap();
    assert!((level.integrated + 19.0).abs() <= 0.5, "{level:?}");
    assert!(level.true_peak <= -1.0, "{level:?}");
    let pauses = silences(&path).await.unwrap();
    let exact = |length: f64| pauses.iter().filter(|p| (p.length_s - length).abs() < 0.1).count();
    assert!(exact(3.0) >= 3 && exact(4.0) >= 3, "{pauses:?}");

    let begun: Vec<StageName> = produced.stages.iter().map(|record| record.stage).collect();
    let expected = StageName::ALL.into_iter().filter(|name| *name != StageName::Image);
    assert_eq!(begun, expected.collect::<Vec<_>>());
    for name in [StageName::Transcript, StageName::Tts] {
        assert_eq!(stage(&produced, name).provider.as_deref(), Some("offline"));
    }
    assert!(stage(&produced, StageName::Tts).resources["cpu_s"] > 0.1);
    assert_eq!(stage(&produced, StageName::Encode).tries, 1);
    let heard = harness.heard.0.lock().unwrap().clone();
    let ended = heard.iter().filter(|(_, ended)| *ended).map(|(name, _)| *name);
    assert_eq!(percent(Format::Audio, ended), 100);
    harness.assert_no_litter();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_job_becomes_one_still_picture_over_the_same_sound() {
    let harness = MediaHarness::new();
    let (produced, path) = harness.produce(Format::Video, true).await;
    let artifact = &produced.artifact;
    assert_eq!(artifact.content_type, "video/mp4");

    let seen = facts(&path).await.unwrap();
    assert_eq!(seen.codecs[..2], ["h264", "aac"]);
    for duration in seen.durations.iter().chain([&seen.duration_s]) {
        assert!((duration - artifact.duration_s).abs() < 0.1, "{seen:?}");
    }
    assert!((artifact.duration_s * 2.0).fract() < 0.05, "the sound ends on a whole picture");
    let picture = "1920x1080 yuv420p tv bt709 bt709 bt709 High 2/1";
    assert_eq!(seen.picture, picture);
    assert!(has_faststart(&path).unwrap());
    assert_eq!(distinct_pictures(&path).await.unwrap(), 1);
    assert!((loudness(&path).await.unwrap().integrated + 19.0).abs() <= 0.5);
    let encode = stage(&produced, StageName::Encode);
    assert!(encode.resources.contains_key("hardware_encoder"), "{encode:?}");
    assert_eq!(stage(&produced, StageName::Image).provider.as_deref(), Some("offline"));
    harness.assert_no_litter();
}
