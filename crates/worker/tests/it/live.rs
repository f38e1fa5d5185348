//! A worker dies while people listen to what it makes: the next one goes on with the same sound.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stillcast_enqueue::{Format, Job, Options};
use tests::measure::{heard, heard_of_list};
use tests::simulator::{Endpoint, Latency, Voice};

use crate::harness::until;
use crate::paid_harness::{PaidHarness, job, slow_voice};

/// The whole files below `folder`, by their paths.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending != "part") {
            let content = std::fs::read(&path).unwrap();
            found.insert(path, content);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_tears_nothing_of_what_is_heard() {
    let latency = Latency { first_audio: 1.0, ..slow_voice() };
    let open = |options| tests::simulator::Options { latency, voice: Voice::Hurried, ..options };
    let paid = PaidHarness::open_with(open).await;
    let harness = paid.harness().set("LEASE_TTL", "3").set("TTS_SLOTS", "1");
    let asked = Options { live: true, ..Options::default() };
    let ids = paid.enqueue(&[Job { options: asked, ..job(Format::Audio) }]).await;
    let live = paid.store().join(format!("media/default/{}/live", ids[0].as_str()));
    let part = |name: &str| files(&live).into_keys().find(|path| path.ends_with(name));

    let victim = harness.start(&[]).await;
    // Parts are put side by side, and the head is one of them.
    let begun = async || part("part-00000.m4s").filter(|_| files(&live).len() > 1);
    until("the head and the first part are there", begun).await;
    paid.simulator.hold(Endpoint::Speech);
    victim.kill().await;
    let before = files(&live);
    let is_whole = before.keys().any(|path| path.ends_with("index.m3u8"));
    assert!(!is_whole && before.len() > 1, "killed while it is made: {:?}", before.keys());

    paid.simulator.release(Endpoint::Speech);
    let _heir = harness.start(&[]).await;
    let record = paid.done(&ids).await.remove(0);
    let after = files(&live);
    assert!(after.len() > before.len());
    for (path, content) in &before {
        assert!(after[path] == *content, "{} is what listeners have", path.display());
    }
    let list = paid.store().join(record.live.unwrap());
    let file = PathBuf::from(record.artifact.unwrap().path.unwrap());
    assert!(heard_of_list(&list).await.unwrap() == heard(&file).await.unwrap());
}
