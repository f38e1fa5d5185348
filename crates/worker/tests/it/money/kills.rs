//! A worker dies at every finished call, and in every stage: what had reached a checkpoint is never
//! bought again, and what had not is bought once more.

use std::collections::BTreeSet;
use std::path::PathBuf;

use stillcast_enqueue::{Job, JobId, Source, StageName};
use tests::postgres::Postgres;
use tests::simulator::{Endpoint, Latency, Options, Voice};

use super::kill_sequence::{KillSequence, unshared};
use crate::harness::{Worker, WorkerHarness, until};
use crate::paid_harness::{PaidHarness, USD_EPSILON, assert_usd, slow_voice, stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_each_finished_call_repeats_at_most_that_call() {
    let mut kill_sequence = KillSequence::begin(Latency { picture: 0.3, ..slow_voice() }).await;
    let mut met = BTreeSet::new();
    loop {
        let written = kill_sequence.paid.simulator.purchases().len();
        let worker = kill_sequence.harness.start(&[]).await;
        let Some(finished) = finished_or_done(&kill_sequence, &met, written).await else { break };
        met = finished;
        kill_sequence.kill(worker).await;
    }
    let record = kill_sequence.end().await;
    // Two may end in the same moment; nobody can be killed twice then.
    assert!(
        kill_sequence.kills + 3 >= met.len(),
        "{} kills at {} calls",
        kill_sequence.kills,
        met.len()
    );
    assert!(kill_sequence.cut.parts <= kill_sequence.kills, "{:?}", kill_sequence.cut);
    // What a checkpoint has booked stays; what was paid since died with its worker.
    // A draft that goes on behind what was said is another thing to buy.
    let cut_off = kill_sequence.paid.cut_off() + kill_sequence.paid.usd_paid(Some(Endpoint::Chat));
    let unbooked = kill_sequence.paid.unbooked(&[record]);
    assert!(unbooked > -USD_EPSILON && unbooked < cut_off + USD_EPSILON, "{unbooked} of {cut_off}");
}

/// All that is finished once it is more than `met`; none when the job has ended before.
async fn finished_or_done(
    kill_sequence: &KillSequence,
    met: &BTreeSet<String>,
    mut written: usize,
) -> Option<BTreeSet<String>> {
    let more = async {
        loop {
            let finished = kill_sequence.finished();
            if finished.len() > met.len() {
                return finished;
            }
            written = kill_sequence.paid.simulator.purchased(written).await;
        }
    };
    tokio::select! {
        biased;
        finished = more => Some(finished),
        _ = kill_sequence.paid.ended(std::slice::from_ref(&kill_sequence.id)) => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_each_checkpoint_repeats_nothing() {
    let mut kill_sequence = KillSequence::begin(Latency { first_audio: 1.5, ..slow_voice() }).await;
    let mut met = 0;
    loop {
        let worker = kill_sequence.harness.start(&[]).await;
        let kept = until("one more call is kept, or the job is done", async || {
            let record = kill_sequence.paid.record(&kill_sequence.id).await;
            let kept = kill_sequence.kept().await;
            let words = kill_sequence.paid.pinned(kill_sequence.id.as_str(), "transcript").await;
            let is_kept = kept > met && kill_sequence.parts() == kept && words == 1;
            (is_kept || record.state.is_terminal()).then_some(kept)
        })
        .await;
        if kept == met {
            break;
        }
        met = kept;
        kill_sequence.kill(worker).await;
    }
    let record = kill_sequence.end().await;
    assert!(kill_sequence.kills > 9, "{} kills", kill_sequence.kills);
    assert_eq!(
        (kill_sequence.cut.parts, kill_sequence.cut.words),
        (0, 0),
        "a call ended between look and kill"
    );
    kill_sequence.paid.assert_each_bought_once();
    let record_of = std::slice::from_ref(&record);
    assert_usd(
        kill_sequence.paid.unbooked(record_of),
        kill_sequence.paid.cut_off(),
        "calls that died",
    );
    for cached in [StageName::Transcript, StageName::Tts, StageName::Image] {
        assert!(stage(&record, cached).cached, "{record:?}");
    }
}

/// FFmpeg, which waits as long as a file called `hold` lies beside it.
fn reluctant_ffmpeg(harness: &WorkerHarness) -> (PathBuf, PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let (program, hold) = (harness.folder().join("ffmpeg"), harness.folder().join("hold"));
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *-version*) ;; *) while [ -e '{}' ]; do sleep 0.05; done ;; \
         esac\nexec ffmpeg \"$@\"\n",
        hold.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    (program, hold)
}

/// Waits until the job is in `stage`, by its record, and kills the worker there.
async fn kill_in(paid: &PaidHarness, id: &JobId, worker: Worker, wanted: StageName) {
    until(&format!("the job is in {wanted}"), async || {
        let record = paid.record(id).await;
        (record.stage == Some(wanted)).then_some(())
    })
    .await;
    worker.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_in_collection_encode_and_upload_repeats_nothing() {
    let postgres = Postgres::start().await.unwrap();
    let database = postgres.database("content").await.unwrap();
    providers::postgres::migrate(&database).await.unwrap();
    let conversation = postgres.converse("content", "default", "I sat by the sea.").await.unwrap();
    let voice = Voice::Hurried;
    let latency = slow_voice();
    let paid = PaidHarness::open_with(|options| Options { latency, voice, ..options }).await;
    let harness = unshared(&paid).set("DATABASE_URL", &database);
    let (ffmpeg, hold) = reluctant_ffmpeg(&harness);
    let harness = harness.set("FFMPEG_PATH", &ffmpeg.display().to_string());
    // Nothing can be read, encoded or delivered until each obstacle is taken away.
    let lock = postgres.lock("content", "messages").await.unwrap();
    let obstacle = paid.obstruct_deliveries();
    let ids = paid.enqueue(&[Job::video(Source::Conversation(conversation))]).await;

    kill_in(&paid, &ids[0], harness.start(&[]).await, StageName::Collection).await;
    assert!(paid.simulator.purchases().is_empty(), "nothing is bought before the text is known");
    drop(lock);
    let worker = harness.start(&[]).await;
    // It has tried FFMPEG_PATH by then, and the first sound is still to come.
    paid.simulator.purchased(0).await;
    std::fs::write(&hold, "").unwrap();
    until("all is bought, kept and on its way to the encoder", async || {
        let kept = async |name| paid.pinned(ids[0].as_str(), name).await >= 1;
        (kept("transcript").await && kept("image").await && kept("tts").await).then_some(())
    })
    .await;
    kill_in(&paid, &ids[0], worker, StageName::Encode).await;
    std::fs::remove_file(&hold).unwrap();
    kill_in(&paid, &ids[0], harness.start(&[]).await, StageName::Upload).await;
    std::fs::remove_file(&obstacle).unwrap();

    let _worker = harness.start(&[]).await;
    let record = paid.done(&ids).await.remove(0);
    paid.assert_each_bought_once();
    assert_eq!(paid.simulator.purchases().len(), paid.bought(Endpoint::Speech).len() + 2);
    for cached in [StageName::Transcript, StageName::Tts, StageName::Image] {
        assert!(stage(&record, cached).cached, "{record:?}");
    }
}
