//! A worker dies at every finished call, and in every stage: what had reached a checkpoint is never
//! bought again, and what had not is bought once more.

use std::collections::BTreeSet;
use std::path::PathBuf;

use stillcast_enqueue::{Job, JobId, Source, StageName};
use tests::postgres::Postgres;
use tests::simulator::{Endpoint, Latency, Options, Voice};

use super::ordeal::{Ordeal, unshared};
use crate::bench::{Bench, Worker, until};
use crate::shop::{DUST, Shop, assert_usd, slow_voice, stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_each_finished_call_repeats_at_most_that_call() {
    let mut ordeal = Ordeal::begin(Latency { picture: 0.3, ..slow_voice() }).await;
    let mut met = BTreeSet::new();
    loop {
        let (worker, written) = (ordeal.bench.start(&[]), ordeal.shop.simulator.purchases().len());
        let Some(finished) = finished_or_done(&ordeal, &met, written).await else { break };
        met = finished;
        ordeal.kill(worker).await;
    }
    let record = ordeal.end().await;
    // Two may end in the same moment; nobody can be killed twice then.
    assert!(ordeal.kills + 3 >= met.len(), "{} kills at {} calls", ordeal.kills, met.len());
    assert!(ordeal.cut.parts <= ordeal.kills, "{:?}", ordeal.cut);
    // What a checkpoint has booked stays; what was paid since died with its worker.
    // A draft that goes on behind what was said is another thing to buy.
    let cut_off = ordeal.shop.cut_off() + ordeal.shop.paid(Some(Endpoint::Chat));
    let unbooked = ordeal.shop.unbooked(&[record]);
    assert!(unbooked > -DUST && unbooked < cut_off + DUST, "{unbooked} of {cut_off}");
}

/// All that is finished once it is more than `met`; none when the job has ended before.
async fn finished_or_done(
    ordeal: &Ordeal,
    met: &BTreeSet<String>,
    mut written: usize,
) -> Option<BTreeSet<String>> {
    let more = async {
        loop {
            let finished = ordeal.finished();
            if finished.len() > met.len() {
                return finished;
            }
            written = ordeal.shop.simulator.purchased(written).await;
        }
    };
    tokio::select! {
        biased;
        finished = more => Some(finished),
        _ = ordeal.shop.ended(std::slice::from_ref(&ordeal.id)) => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_each_checkpoint_repeats_nothing() {
    let mut ordeal = Ordeal::begin(Latency { first_audio: 1.5, ..slow_voice() }).await;
    let mut met = 0;
    loop {
        let worker = ordeal.bench.start(&[]);
        let kept = until("one more call is kept, or the job is done", async || {
            let record = ordeal.shop.record(&ordeal.id).await;
            let kept = ordeal.kept().await;
            let words = ordeal.shop.pinned(ordeal.id.as_str(), "transcript").await;
            let is_kept = kept > met && ordeal.parts() == kept && words == 1;
            (is_kept || record.state.is_terminal()).then_some(kept)
        })
        .await;
        if kept == met {
            break;
        }
        met = kept;
        ordeal.kill(worker).await;
    }
    let record = ordeal.end().await;
    assert!(ordeal.kills > 9, "{} kills", ordeal.kills);
    assert_eq!((ordeal.cut.parts, ordeal.cut.words), (0, 0), "a call ended between look and kill");
    ordeal.shop.assert_each_bought_once();
    let record_of = std::slice::from_ref(&record);
    assert_usd(ordeal.shop.unbooked(record_of), ordeal.shop.cut_off(), "calls that died");
    for cached in [StageName::Transcript, StageName::Tts, StageName::Image] {
        assert!(stage(&record, cached).cached, "{record:?}");
    }
}

/// FFmpeg, which waits as long as a file called `hold` lies beside it.
fn reluctant_ffmpeg(bench: &Bench) -> (PathBuf, PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let (program, hold) = (bench.folder().join("ffmpeg"), bench.folder().join("hold"));
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
async fn kill_in(shop: &Shop, id: &JobId, worker: Worker, wanted: StageName) {
    until(&format!("the job is in {wanted}"), async || {
        let record = shop.record(id).await;
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
    let shop = Shop::open_with(|options| Options { latency, voice, ..options }).await;
    let bench = unshared(&shop).set("DATABASE_URL", &database);
    let (ffmpeg, hold) = reluctant_ffmpeg(&bench);
    let bench = bench.set("FFMPEG_PATH", &ffmpeg.display().to_string());
    // Nothing can be read, encoded or delivered until each obstacle is taken away.
    let lock = postgres.lock("content", "messages").await.unwrap();
    let obstacle = shop.obstruct_deliveries();
    let ids = shop.enqueue(&[Job::video(Source::Conversation(conversation))]).await;

    kill_in(&shop, &ids[0], bench.start(&[]), StageName::Collection).await;
    assert!(shop.simulator.purchases().is_empty(), "nothing is bought before the text is known");
    drop(lock);
    let worker = bench.start(&[]);
    // It has tried FFMPEG_PATH by then, and the first sound is still to come.
    shop.simulator.purchased(0).await;
    std::fs::write(&hold, "").unwrap();
    until("all is bought, kept and on its way to the encoder", async || {
        let kept = async |name| shop.pinned(ids[0].as_str(), name).await == 1;
        (kept("transcript").await && kept("image").await && kept("tts").await).then_some(())
    })
    .await;
    kill_in(&shop, &ids[0], worker, StageName::Encode).await;
    std::fs::remove_file(&hold).unwrap();
    kill_in(&shop, &ids[0], bench.start(&[]), StageName::Upload).await;
    std::fs::remove_file(&obstacle).unwrap();

    let _worker = bench.start(&[]);
    let record = shop.done(&ids).await.remove(0);
    shop.assert_each_bought_once();
    assert_eq!(shop.simulator.purchases().len(), shop.bought(Endpoint::Speech).len() + 2);
    for cached in [StageName::Transcript, StageName::Tts, StageName::Image] {
        assert!(stage(&record, cached).cached, "{record:?}");
    }
}
