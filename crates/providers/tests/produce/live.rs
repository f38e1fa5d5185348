//! A sound is heard while it is made: the playlist grows, and in the end holds what the file holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use pipeline::{
    Answer, LiveList, LivePart, ProviderError, Recording, Run, Speech, SpeechSynthesizer,
    Utterance, produce,
};
use providers::offline::OfflineSpeech;
use providers::scratch::Scratch;
use stillcast_enqueue::{Bed, Format};
use tests::measure::{heard, heard_of_list};
use tests::wait::until;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::media::MediaHarness;

/// A voice that says so many passages, and no more until it is told to.
struct Reluctant {
    voice: OfflineSpeech,
    passages: Semaphore,
}

#[async_trait]
impl SpeechSynthesizer for Reluctant {
    fn provider(&self) -> &'static str {
        self.voice.provider()
    }

    fn revision(&self) -> String {
        self.voice.revision()
    }

    async fn record(
        &self,
        utterance: &Utterance,
        scratch: &Path,
    ) -> Result<Answer<Recording>, ProviderError> {
        self.passages.acquire().await.unwrap().forget();
        self.voice.record(utterance, scratch).await
    }

    async fn hear(
        &self,
        recorded: &Answer<Recording>,
        scratch: &Path,
    ) -> Result<Answer<Speech>, ProviderError> {
        self.voice.hear(recorded, scratch).await
    }
}

/// Names and bytes of all that lies in the one folder of a making below `folder`.
fn parts(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let Some(making) = making(folder) else { return BTreeMap::new() };
    let files = std::fs::read_dir(making).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|path| path.extension().is_none_or(|ending| ending != "part"));
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // A part that is just being put has its name when it is whole.
        (name, std::fs::read(path).unwrap())
    };
    files.map(read).collect()
}

fn making(folder: &Path) -> Option<PathBuf> {
    let makings: Vec<_> = std::fs::read_dir(folder).ok()?.map(|one| one.unwrap().path()).collect();
    assert!(makings.len() < 2, "all attempts go on with one making: {makings:?}");
    makings.into_iter().next()
}

fn list(parts: &BTreeMap<String, Vec<u8>>, has_ended: bool) -> Option<String> {
    let parts = parts.keys().filter_map(|name| LivePart::parse(name));
    LiveList::of(parts).map(|list| list.render("", has_ended))
}

fn folder(harness: &MediaHarness, run: &Run) -> PathBuf {
    harness.store_folder().join("media/default").join(run.request.job.as_str()).join("live")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_list_and_its_file_hold_the_same_samples() {
    for bed in [Bed::None, Bed::Rain] {
        let harness = MediaHarness::new();
        let mut live = PathBuf::new();
        let asked = |run: &mut Run| {
            run.request.options.live = true;
            run.request.options.bed = bed;
            live = folder(&harness, run);
        };
        let (produced, file) = harness.produce_with(Format::Audio, true, asked).await;
        let list = making(&live).unwrap().join("index.m3u8");
        let text = std::fs::read_to_string(&list).unwrap();
        assert!(text.ends_with("#EXT-X-ENDLIST\n"), "{text}");
        let seconds = text.lines().filter_map(|line| line.strip_prefix("#EXTINF:"));
        let seconds: f64 = seconds.map(|s| s.trim_end_matches(',').parse::<f64>().unwrap()).sum();
        let duration = produced.artifact.duration_s;
        assert!((seconds - duration).abs() < 0.1, "{bed}: {seconds} s, of {duration} s");
        let (of_list, of_file) = (heard_of_list(&list).await.unwrap(), heard(&file).await.unwrap());
        assert!(of_list == of_file, "{bed}: {} B, {} B", of_list.len(), of_file.len());
        assert!(of_file.len() > 2 * 24_000 * 60, "there is a minute to compare");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_heard_before_it_is_whole_and_a_second_attempt_goes_on() {
    let harness = MediaHarness::new();
    let scratch = Scratch::open(&harness.store_folder().with_file_name("live")).unwrap();
    let attempt = scratch.attempt().unwrap();
    let mut run = harness.run(Format::Audio, true, attempt.path()).await;
    let voice = OfflineSpeech::new("ffmpeg");
    let reluctant = Arc::new(Reluctant { voice, passages: Semaphore::new(2) });
    run.providers.speaker = Arc::clone(&reluctant) as _;
    run.request.options.live = true;
    let live = folder(&harness, &run);

    let cancel = run.cancel.clone();
    let interrupt = async {
        let heard = until("something is heard", async || list(&parts(&live), false)).await;
        assert!(!heard.contains("ENDLIST"), "the voice has not said everything: {heard}");
        cancel.cancel();
    };
    let (ended, ()) = tokio::join!(produce(&run), interrupt);
    ended.unwrap_err();
    let before = parts(&live);
    let open = list(&before, false).unwrap();
    assert!(list(&before, true).unwrap().ends_with("#EXT-X-ENDLIST\n"), "a job that dies ends it");

    run.cancel = CancellationToken::new();
    reluctant.passages.add_permits(1_000);
    let produced = produce(&run).await.unwrap();
    let after = parts(&live);
    assert!(before.len() > 1 && before.len() < after.len());
    for (name, bytes) in &before {
        assert!(after[name] == *bytes, "{name} is what listeners have");
    }
    let whole = list(&after, false).unwrap();
    assert!(whole.starts_with(&open) && whole.ends_with("#EXT-X-ENDLIST\n"), "{open}\n{whole}");
    assert_eq!(whole.as_bytes(), after["index.m3u8"], "the store's own list is the same");
    let file = PathBuf::from(produced.artifact.path.unwrap());
    let of_list = heard_of_list(&making(&live).unwrap().join("index.m3u8")).await.unwrap();
    assert!(of_list == heard(&file).await.unwrap());
}
