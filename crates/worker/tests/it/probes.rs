//! A worker and its Redis go in; what the probes and the scrape say of them comes out.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;
use stillcast_enqueue::{Job, Source, StageName, State};
use tests::server::Server;

use crate::harness::{WorkerHarness, free_address, get, producer, until};

async fn answers(address: SocketAddr, path: &str, status: u16, word: &str) -> String {
    until(&format!("{path} answers {status} with `{word}`"), async || {
        let answer = get(address, path).await?;
        let fits = answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(word);
        fits.then_some(answer)
    })
    .await
}

fn job() -> Job {
    Job::audio(Source::Text("The rain stopped, and a heron stood by the river.".to_owned()))
}

#[tokio::test]
async fn readiness_follows_redis_and_liveness_does_not() {
    let mut server = Server::start().await.unwrap();
    let address = free_address().await;
    let harness = WorkerHarness::on(&server).set("WORKER_ADDR", &address.to_string());
    let _worker = harness.start(&[]).await;
    answers(address, "/readyz", 200, "ready").await;
    answers(address, "/healthz", 200, "live").await;
    server.kill().await.unwrap();
    answers(address, "/readyz", 503, "Redis has not answered").await;
    let live = get(address, "/healthz").await.unwrap();
    assert!(live.starts_with("HTTP/1.1 200 "), "it still asks, so it lives: {live}");
    server.resume().await.unwrap();
    answers(address, "/readyz", 200, "ready").await;
}

#[tokio::test]
async fn a_draining_worker_says_so_until_the_second_signal() {
    let server = Server::start().await.unwrap();
    let address = free_address().await;
    let harness = WorkerHarness::on(&server).set("WORKER_ADDR", &address.to_string());
    // A voice that never ends keeps the drain waiting.
    let voice = harness.folder().join("slow-ffmpeg");
    let script = "#!/bin/sh\ncase \"$*\" in *flite=*) exec sleep 600 ;; esac\nexec ffmpeg \"$@\"\n";
    std::fs::write(&voice, script).unwrap();
    std::fs::set_permissions(&voice, PermissionsExt::from_mode(0o755)).unwrap();
    let harness = harness.set("FFMPEG_PATH", &voice.display().to_string());
    let (producer, job) = (producer(&server).await, job());
    producer.enqueue(&job).await.unwrap();
    let record =
        async || producer.status(std::slice::from_ref(&job.id)).await.unwrap().pop().flatten();
    let mut worker = harness.start(&[]).await;
    until("the job speaks", async || {
        record().await.filter(|record| record.stage >= Some(StageName::Tts))
    })
    .await;
    worker.signal(Signal::SIGTERM);
    answers(address, "/readyz", 503, "draining").await;
    answers(address, "/healthz", 200, "live").await;
    assert_eq!(record().await.unwrap().state, State::Leased);
    worker.signal(Signal::SIGINT);
    assert_eq!(worker.end().await, 0, "{}", worker.log());
    let record = record().await.unwrap();
    assert_eq!((record.state, record.attempt, record.interruptions), (State::Ready, 0, 1));
}

#[tokio::test]
async fn the_scrape_tells_what_was_done() {
    let server = Server::start().await.unwrap();
    let address = free_address().await;
    let harness = WorkerHarness::on(&server).set("WORKER_ADDR", &address.to_string());
    producer(&server).await.enqueue(&job()).await.unwrap();
    let _worker = harness.start(&[]).await;
    let done = "stillcast_job_duration_seconds_count{queue=\"worker-tests\",state=\"done\"} 1";
    let page = answers(address, "/metrics", 200, done).await;
    let head = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(page.contains(head), "{page}");
    for stage in ["collection", "transcript", "tts", "encode", "upload"] {
        for name in ["stage_wait_seconds", "stage_run_seconds"] {
            let line =
                format!("stillcast_{name}_count{{queue=\"worker-tests\",stage=\"{stage}\"}} 1\n");
            assert!(page.contains(&line), "`{line}` is not in {page}");
        }
    }
    for line in [
        "stillcast_wait_seconds_count{queue=\"worker-tests\"} 1\n",
        "stillcast_attempts_total{queue=\"worker-tests\",stage=\"none\",error_type=\"none\"} 1\n",
        "stillcast_slots{queue=\"worker-tests\",pool=\"jobs\",state=\"busy\"} 0\n",
        "stillcast_interrupts_total{queue=\"worker-tests\"} 0\n",
    ] {
        assert!(page.contains(line), "`{line}` is not in {page}");
    }
    assert!(!page.contains("stillcast_jobs"), "depth belongs to one exporter");
}

/// A full or broken disk is the host's, not the job's: it waits for another worker, whole.
#[tokio::test]
async fn a_worker_that_has_lost_its_folder_uses_up_no_attempt() {
    let server = Server::start().await.unwrap();
    let harness = WorkerHarness::on(&server);
    let worker = harness.start(&[]).await;
    let scratch = harness.folder().join("home/scratch");
    let folders = async || {
        let entries = std::fs::read_dir(&scratch).ok()?.flatten().map(|entry| entry.path());
        let own: Vec<_> = entries.filter(|path| path.join("lock").is_file()).collect();
        (!own.is_empty()).then_some(own)
    };
    for folder in until("the worker has its folder", folders).await {
        std::fs::remove_dir_all(folder).unwrap();
    }
    let (producer, job) = (producer(&server).await, job());
    producer.enqueue(&job).await.unwrap();
    let record = async || {
        let record = producer.status(std::slice::from_ref(&job.id)).await.ok()?.pop().flatten();
        record.filter(|record| record.error.is_some())
    };
    let record = until("the job is given back", record).await;
    assert_eq!((record.state, record.attempt), (State::Parked, 0), "{record:?}");
    let error = record.error.unwrap();
    assert_eq!(error.code, "worker-unusable");
    assert!(error.message.contains("STILLCAST_HOME"), "{error:?}");
    drop(worker);
    let _other = WorkerHarness::on(&server).start(&[]).await;
    let done = async || {
        let record = producer.status(std::slice::from_ref(&job.id)).await.ok()?.pop().flatten();
        record.filter(|record| record.state.is_terminal())
    };
    let record = until("another one has made it", done).await;
    assert_eq!((record.state, record.attempt), (State::Done, 1), "{record:?}");
}
