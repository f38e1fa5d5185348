//! Suspects on the real stages: a process of its own makes the same file, what it counts and pays is its
//! worker's to tell, and its death is nobody else's.

use stillcast_enqueue::{Format, Job, JobId, State, keys};
use tests::simulator::{Endpoint, Latency};

use crate::harness::{QUEUE, WorkerHarness, free_address, get, until};
use crate::numbers::count;
use crate::paid_harness::{PaidHarness, assert_usd, job};

/// A job under which two workers have died.
pub(crate) async fn suspect(paid: &PaidHarness, job: Job) -> JobId {
    let id = paid.enqueue(&[job]).await.remove(0);
    let key = keys::Keys::new(QUEUE).unwrap().job(id.as_str());
    let words: [&[u8]; 6] = [b"HSET", key.as_bytes(), b"fence", b"2", b"crashes", b"2"];
    let _: i64 = paid.server.command(&words).await.unwrap();
    id
}

/// The folders of attempts below the home of a worker.
fn folders(harness: &WorkerHarness) -> Vec<String> {
    let below = |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().flatten();
    let of_process =
        below(&harness.folder().join("home/scratch")).filter(|entry| entry.path().is_dir());
    let all = of_process.flat_map(|folder| below(&folder.path()).collect::<Vec<_>>());
    let names = all.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name != "lock").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspect_s_file_and_money_and_numbers_are_its_worker_s() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let address = free_address().await;
    let harness = paid.harness().set("WORKER_ADDR", &address.to_string());
    let id = suspect(&paid, job(Format::Video)).await;
    let worker = harness.start(&[]).await;
    let record = paid.done(std::slice::from_ref(&id)).await.remove(0);
    assert!(worker.log().contains("runs apart"), "{}", worker.log());
    assert_eq!((record.attempt, record.crashes), (1, 0), "a checkpoint ends the suspicion");
    paid.assert_each_bought_once();
    assert_usd(record.cost.spent_usd, paid.usd_paid(None), "of its process");
    let page = until("the worker has counted it", async || {
        let page = get(address, "/metrics").await?;
        page.contains("stage=\"upload\",outcome=\"ok\"").then_some(page)
    })
    .await;
    let calls = |stage: &str| {
        let labels = [format!("stage=\"{stage}\""), "code=\"ok\"".to_owned()];
        let labels = labels.each_ref().map(String::as_str);
        count(&page, "stillcast_provider_requests_total", &labels)
    };
    let speech = i64::try_from(paid.count(Endpoint::Speech)).unwrap();
    assert_eq!((calls("transcript"), calls("tts"), calls("image")), (1, speech, 1), "{page}");
    let answers = count(&page, "stillcast_provider_responses_total", &["status=\"200\""]);
    assert_eq!(answers, speech + 2);
    assert_eq!(count(&page, "stillcast_attempts_total", &["error_type=\"none\""]), 1);
    assert_eq!(count(&page, "stillcast_interrupts_total", &[]), 0);
    let none = async || folders(&harness).is_empty().then_some(());
    until("its folder is gone", none).await;
}

/// What a supervisor does: who has ended is started again, until one outlives the job.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voice_that_kills_its_process_is_a_dead_letter_and_its_last_worker_lives() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let harness = paid.harness();
    let script = harness.folder().join("voice.sh");
    std::fs::write(&script, "kill -ABRT $PPID\nexec sleep 600\n").unwrap();
    let harness = harness
        .set("LEASE_TTL", "3")
        .set("TTS_PROVIDER", "command")
        .set("TTS_COMMAND", &format!("sh {}", script.display()));
    let id = paid.enqueue(&[job(Format::Audio)]).await.remove(0);
    let (mut worker, mut deaths) = (harness.start(&[]).await, 0);
    let record = until("the job is dead", async || {
        if worker.has_ended() {
            deaths += 1;
            worker = harness.start(&[]).await;
        }
        Some(paid.record(&id).await).filter(|record| record.state.is_terminal())
    })
    .await;
    assert_eq!((record.state, record.crashes), (State::Dead, 3), "{record:?}");
    let error = record.error.unwrap();
    assert_eq!(error.code, "crashed");
    assert!(error.message.contains("signal 6"), "{error:?}");
    // More where one died before the words had reached their checkpoint, or nobody was there to reap.
    assert!(deaths >= 2, "{deaths} workers died");
    assert!(!worker.has_ended(), "the last one lives");
}
