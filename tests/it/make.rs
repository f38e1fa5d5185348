//! From a text to a file that plays, with a real worker: in both formats, and whoever is killed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use child::Running;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use serde_json::Value;
use sha2::{Digest, Sha256};
use stillcast_enqueue::{JobRecord, StageName, State};
use tests::authority::Authority;
use tests::manifest::Manifest;
use tests::measure::{facts, has_faststart, quieter_above};
use tests::process::{children, mentioning};
use tests::program::{Program, Ran, binary, ended, voice};
use tests::wait::until;

const TEXT: &str = "\
Anna: I walked along the harbour before work. The gulls were loud and the water was quite still.
Ben: Did it help with the deadline?
Anna: A little. I watched a ferry turn around, slowly, and for a minute I forgot the list.
Ben: Maybe start tomorrow with the harbour again, and leave the list at home.";

/// A folder with a text, a home and room for files.
struct MakeHarness {
    folder: tempfile::TempDir,
    program: Program,
}

impl MakeHarness {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("sc-").tempdir().unwrap();
        std::fs::write(folder.path().join("text.txt"), TEXT).unwrap();
        let program = Program::stillcast(&folder.path().join("home"));
        Self { folder, program }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    async fn make(&self, more: &[&str]) -> Ran {
        let (text, out) = (self.path("text.txt"), self.path("out"));
        let args = ["make", "--text", &text, "--out", &out].into_iter().chain(more.iter().copied());
        self.program.run(&args.collect::<Vec<_>>()).await.unwrap()
    }

    /// A `make` under way: the words are written, and about to be spoken.
    async fn make_halfway(&self) -> (Running, JobRecord) {
        let (text, out) = (self.path("text.txt"), self.path("out"));
        let make = ["make", "--text", &text, "--out", &out, "--json"];
        let running = self.program.spawn(&make).await.unwrap();
        let record = until("the words are written", async || {
            let jobs = self.program.run(&["jobs", "--state", "leased", "--json"]).await.unwrap();
            let jobs: Value = serde_json::from_str(&jobs.stdout).ok()?;
            let record: JobRecord = serde_json::from_value(jobs["jobs"].get(0)?.clone()).unwrap();
            record.stages.iter().any(|ended| ended.stage == StageName::Transcript).then_some(record)
        });
        let record = record.await;
        (running, record)
    }

    /// Nothing that was started for this harness is left.
    async fn is_cleared(&self) {
        let home = self.path("home");
        until("nobody is left", async || mentioning(&home).is_empty().then_some(())).await;
    }

    /// The files that were made, without what lies beside them.
    fn files(&self) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.folder.path().join("out"));
        let is_media = |path: &PathBuf| {
            path.extension().is_some_and(|ending| ending == "m4a" || ending == "mp4")
        };
        let files = folder.into_iter().flatten().map(|file| file.unwrap().path());
        files.filter(is_media).collect()
    }
}

#[tokio::test]
async fn an_audio_and_a_video_are_made_and_play() {
    let harness = MakeHarness::new();
    let audio = harness.make(&[]).await.expect(0).saying("no key is set: offline providers");
    let file = PathBuf::from(audio.stdout.trim_end());
    let seen = facts(&file).await.unwrap();
    assert!(seen.duration_s > 60.0, "{seen:?}");
    assert_eq!(seen.codecs[0], "aac");
    for ending in ["vtt", "srt", "chapters.txt"] {
        assert!(file.with_extension(ending).exists(), "{ending}");
    }

    let options = ["--tenant", "acme", "--variant", "7", "--language", "en", "--voice", "slt"];
    let options = options.into_iter().chain(["--format", "video", "--json"]).collect::<Vec<_>>();
    let record: JobRecord = harness.make(&options).await.expect(0).json();
    let artifact = record.artifact.unwrap();
    assert!(record.tenant == "acme" && artifact.key.starts_with("media/acme/"), "{artifact:?}");
    let seen = facts(Path::new(&artifact.path.unwrap())).await.unwrap();
    assert!(seen.duration_s > 60.0, "{seen:?}");
    assert!((seen.duration_s - artifact.duration_s).abs() < 0.1, "{seen:?}");
    assert_eq!(seen.codecs[..3], ["h264", "aac", "mov_text"]);
    assert_eq!(
        record.extras.keys().collect::<Vec<_>>(),
        ["captions.srt", "captions.vtt", "chapters.txt", "cover.jpg", "poster.jpg"]
    );
    assert_eq!(record.stages.iter().map(|stage| stage.stage).collect::<Vec<_>>(), StageName::ALL);
    let copy = harness.files().into_iter().find(|path| path.extension().unwrap() == "mp4").unwrap();
    assert_eq!(std::fs::metadata(copy).unwrap().len(), artifact.bytes);
    harness.is_cleared().await;
}

/// The voice of `deploy/voice`, as `deploy/demo` uses it, in a network of its own where nobody is.
#[tokio::test]
async fn a_real_voice_speaks_without_a_network() {
    let harness = MakeHarness::new();
    let (text, out) = (harness.path("text.txt"), harness.path("out"));
    let (home, stillcast) = (harness.path("home"), binary("stillcast").display().to_string());
    let settings = std::fs::read_to_string(voice().join("settings")).unwrap();
    let settings = settings.lines().filter_map(|line| line.split_once('='));
    let alone = Program::at("unshare").env("STILLCAST_HOME", home);
    let alone = settings.fold(alone, |program, (name, value)| program.env(name, value));
    let rights: &[&str] = if geteuid().is_root() { &[] } else { &["--map-root-user"] };
    let make = ["--net", "--", &stillcast, "make", "--text", &text, "--out", &out, "--json"];
    let args: Vec<&str> = rights.iter().copied().chain(make).collect();
    let record: JobRecord = alone.run(&args).await.unwrap().expect(0).json();
    let speech = record.stages.iter().find(|stage| stage.stage == StageName::Tts).unwrap();
    assert_eq!(speech.provider.as_deref(), Some("command"), "{record:?}");
    let file = harness.files().remove(0);
    let seen = facts(&file).await.unwrap();
    assert!(seen.duration_s > 60.0, "{seen:?}");
    // What is built into FFmpeg knows nothing above 8 kHz.
    let quieter = quieter_above(&file, 9_000).await.unwrap();
    assert!(quieter < 50.0, "{quieter} dB quieter above 9 kHz");
    harness.is_cleared().await;
}

#[tokio::test]
async fn the_same_again_is_answered_from_the_cache_and_a_fresh_one_is_made() {
    let harness = MakeHarness::new();
    let first: JobRecord = harness.make(&["--format", "video", "--json"]).await.expect(0).json();
    let again: JobRecord = harness.make(&["--format", "video", "--json"]).await.expect(0).json();
    let skipped: Vec<StageName> =
        again.stages.iter().filter(|stage| stage.cached).map(|stage| stage.stage).collect();
    assert_eq!(skipped, StageName::ALL[1..], "{again:?}");
    assert!(again.stages[1..].iter().all(|stage| stage.tries == 0), "{again:?}");
    let (made, copied) = (first.artifact.unwrap(), again.artifact.unwrap());
    assert_eq!((copied.sha256, copied.bytes), (made.sha256, made.bytes));
    assert!(copied.key != made.key && copied.key.contains(&again.id), "{}", copied.key);
    assert_eq!(harness.files().len(), 2, "each has its copy in the folder");
    let fresh: JobRecord = harness.make(&["--fresh", "--json"]).await.expect(0).json();
    assert!(fresh.stages.iter().all(|stage| !stage.cached), "{fresh:?}");
    // The sound of the video serves an audio too; only its file is made.
    let audio: JobRecord = harness.make(&["--json"]).await.expect(0).json();
    let cached = |stage| audio.stages.iter().any(|record| record.stage == stage && record.cached);
    assert!(cached(StageName::Transcript) && cached(StageName::Tts), "{audio:?}");
    assert!(!cached(StageName::Encode), "{audio:?}");
}

#[tokio::test]
async fn with_a_certificate_every_file_is_signed() {
    let (authority, mut harness) = (Authority::new().await.unwrap(), MakeHarness::new());
    let video = ["--format", "video", "--json"];
    let before: JobRecord = harness.make(&video).await.expect(0).json();
    assert!(Manifest::read(Path::new(&before.artifact.unwrap().path.unwrap()), None).is_err());
    let [certificate, key] = authority.signer(&["-newkey", "ed25519"], 2).await.unwrap();
    harness.program =
        harness.program.env("C2PA_CERTIFICATE_FILE", certificate).env("C2PA_KEY_FILE", key);
    let record: JobRecord = harness.make(&video).await.expect(0).json();
    let bought = record.stages.iter().filter(|record| !record.cached).map(|record| record.stage);
    let anew = [StageName::Collection, StageName::Encode, StageName::Upload];
    assert_eq!(bought.collect::<Vec<_>>(), anew, "only its file is made anew");
    let artifact = record.artifact.unwrap();
    let pictures =
        ["poster.jpg", "cover.jpg"].map(|name| record.extras[name].path.clone().unwrap());
    let path = PathBuf::from(artifact.path.unwrap());
    let apart = ["--format", "audio", "--stems", "--bed", "rain", "--json"];
    let apart: JobRecord = harness.make(&apart).await.expect(0).json();
    let stems = ["voice.m4a", "bed.m4a"].map(|name| apart.extras[name].path.clone().unwrap());
    for file in pictures.iter().chain(&stems).map(PathBuf::from).chain([path.clone()]) {
        let read = Manifest::read(&file, Some(&authority.certificate())).unwrap();
        assert_eq!((read.state.as_str(), read.faults.len()), ("Trusted", 0), "{read:?}");
        let made = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
        assert_eq!(read.actions(), [["c2pa.created", made]]);
    }
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(bytes.len() as u64, artifact.bytes);
    assert_eq!(hex::encode(Sha256::digest(&bytes)), artifact.sha256);
    assert!(has_faststart(&path).unwrap());
    harness.is_cleared().await;
}

#[tokio::test]
async fn a_killed_make_leaves_nobody_behind_and_the_next_one_finishes_its_job() {
    let harness = MakeHarness::new();
    let (make, record) = harness.make_halfway().await;
    let refused = harness.make(&[]).await.expect(69);
    let _ = refused.saying(&format!("another stillcast (process {})", make.pid()));
    kill(Pid::from_raw(make.pid()), Signal::SIGKILL).unwrap();
    harness.is_cleared().await;
    assert_eq!(harness.files(), Vec::<PathBuf>::new());

    let next = harness.make(&["--fresh"]).await.expect(0);
    let found = format!("earlier job {}: ", record.id);
    let line = next.stderr.lines().find_map(|line| line.strip_prefix(&found)).unwrap();
    let seen = facts(Path::new(line)).await.unwrap();
    assert!(seen.duration_s > 60.0, "{seen:?}");
    assert_eq!(harness.files(), [PathBuf::from(next.stdout.trim_end())]);
    harness.is_cleared().await;
}

#[tokio::test]
async fn an_interrupted_make_ends_in_order_and_keeps_its_job() {
    let harness = MakeHarness::new();
    let (make, record) = harness.make_halfway().await;
    kill(Pid::from_raw(make.pid()), Signal::SIGINT).unwrap();
    let ran = ended(make).await.unwrap().expect(1);
    assert!(ran.stderr.contains(&format!("the job {} is kept", record.id)), "{ran:?}");
    assert_eq!(ran.stdout, "");
    harness.is_cleared().await;
    let next = harness.make(&["--format", "video"]).await.expect(0);
    assert!(next.stderr.contains(&format!("earlier job {}: /", record.id)), "{next:?}");
}

#[tokio::test]
async fn a_killed_worker_is_replaced_and_the_job_goes_on() {
    let harness = MakeHarness::new();
    let (make, _) = harness.make_halfway().await;
    let worker = *children(make.pid()).last().unwrap();
    kill(Pid::from_raw(worker), Signal::SIGKILL).unwrap();
    let record: JobRecord = ended(make).await.unwrap().expect(0).json();
    // What the second worker remembered has forgiven the first one's death.
    assert_eq!((record.state, record.crashes, record.attempt), (State::Done, 0, 1));
    let words = record.stages.iter().find(|stage| stage.stage == StageName::Transcript).unwrap();
    assert!(
        words.cached && words.tries == 0,
        "what was written before the kill is kept: {words:?}"
    );
    assert_eq!(harness.files().len(), 1);
    harness.is_cleared().await;
}
