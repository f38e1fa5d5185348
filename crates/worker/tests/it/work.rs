//! Jobs go in; files, records and exit codes come out.

use nix::sys::signal::Signal;
use queue::{Actor, Endpoint, Inspector, Interface};
use stillcast_enqueue::{Format, Job, JobRecord, Source, StageName, State, TraceParent};
use tests::server::Server;

use crate::harness::{QUEUE, WorkerHarness, producer, until};

const TEXT: &str = "I walked home by the river after the rain. A heron stood in the water, and the \
    light came under the clouds. I called my sister, and we laughed about her garden.";

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn job(format: Format) -> Job {
    Job::new(Source::Text(TEXT.to_owned()), format)
}

async fn inspector(server: &Server) -> Inspector {
    Inspector::connect(Endpoint::new(&server.url(), QUEUE).unwrap()).await.unwrap()
}

async fn record(server: &Server, job: &Job) -> JobRecord {
    let records = producer(server).await.status(std::slice::from_ref(&job.id)).await.unwrap();
    records.into_iter().next().flatten().unwrap()
}

#[tokio::test]
async fn until_empty_makes_every_file_and_ends_with_0() {
    let server = Server::start().await.unwrap();
    let harness = WorkerHarness::on(&server);
    let parent = TraceParent::parse(&format!("00-{TRACE}-00f067aa0ba902b7-01")).unwrap();
    let jobs = [job(Format::Audio).with_traceparent(parent), job(Format::Video)];
    for enqueued in producer(&server).await.enqueue_many(&jobs).await {
        enqueued.unwrap();
    }
    let ended = harness.run(&["--until-empty"]).await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for job in &jobs {
        let record = record(&server, job).await;
        assert_eq!(record.state, State::Done, "{record:?}");
        let artifact = record.artifact.unwrap();
        let path = harness.store().join(&artifact.key);
        assert_eq!(std::fs::metadata(path).unwrap().len(), artifact.bytes);
        assert!(artifact.duration_s > 60.0, "{artifact:?}");
        let has_picture = record.stages.iter().any(|stage| stage.stage == StageName::Image);
        assert_eq!(has_picture, job.format == Format::Video);
        let tts = record.stages.iter().find(|stage| stage.stage == StageName::Tts).unwrap();
        assert_eq!(tts.provider.as_deref(), Some("offline"));
    }
    let traced: Vec<&str> = ended.stderr.lines().filter(|line| line.contains(TRACE)).collect();
    assert!(traced.iter().any(|line| line.contains("delivered")), "{}", ended.stderr);
    assert!(traced.iter().all(|line| line.contains(jobs[0].id.as_str())), "{traced:?}");
    assert!(!ended.stderr.contains("heron"), "private text reached the log");
    let scratch = std::fs::read_dir(harness.folder().join("home/scratch")).unwrap();
    let folders = scratch.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(folders, 0, "an ended worker leaves no scratch");
}

#[tokio::test]
async fn a_paused_queue_with_jobs_ends_until_empty_with_69() {
    let server = Server::start().await.unwrap();
    let harness = WorkerHarness::on(&server);
    producer(&server).await.enqueue(&job(Format::Audio)).await.unwrap();
    let anna = Actor::new(Interface::Cli, "anna");
    assert!(inspector(&server).await.pause(&anna).await.unwrap());
    let ended = harness.run(&["--until-empty"]).await;
    assert_eq!(ended.code, 69, "{}", ended.stderr);
    assert!(ended.stderr.contains("paused"), "{}", ended.stderr);
    assert!(ended.stderr.contains("stillcast queue resume"), "{}", ended.stderr);
}

#[tokio::test]
async fn sigterm_gives_the_running_job_back_and_ends_with_0() {
    let server = Server::start().await.unwrap();
    let harness = WorkerHarness::on(&server);
    let job = job(Format::Video);
    producer(&server).await.enqueue(&job).await.unwrap();
    let mut worker = harness.start(&[]).await;
    until("the job speaks", async || {
        let record = record(&server, &job).await;
        (record.stage >= Some(StageName::Tts)).then_some(())
    })
    .await;
    worker.signal(Signal::SIGTERM);
    assert_eq!(worker.end().await, 0, "{}", worker.log());
    let record = record(&server, &job).await;
    assert_eq!(record.state, State::Ready, "{record:?}\n{}", worker.log());
    assert_eq!((record.attempt, record.interruptions, record.crashes), (0, 1, 0), "{record:?}");
}

#[tokio::test]
async fn progress_is_seen_while_the_job_runs() {
    let server = Server::start().await.unwrap();
    let harness = WorkerHarness::on(&server);
    let job = job(Format::Audio);
    producer(&server).await.enqueue(&job).await.unwrap();
    let _worker = harness.start(&["--until-empty"]).await;
    let seen = until("percent and ended stages of a running job", async || {
        let record = record(&server, &job).await;
        let shows = record.percent > Some(0) && !record.stages.is_empty();
        shows.then_some(record)
    })
    .await;
    assert_eq!(seen.state, State::Leased, "{seen:?}");
    assert_eq!(seen.stages[0].stage, StageName::Collection);
}

#[tokio::test]
async fn a_voice_that_nobody_has_ends_the_job_with_its_stage_and_cause() {
    let server = Server::start().await.unwrap();
    let harness = WorkerHarness::on(&server);
    let options = stillcast_enqueue::Options {
        voice: Some(stillcast_enqueue::Identifier::parse("voice", "nobody").unwrap()),
        ..Default::default()
    };
    let job = job(Format::Audio).with_options(options);
    producer(&server).await.enqueue(&job).await.unwrap();
    assert_eq!(harness.run(&["--until-empty"]).await.code, 0);
    let record = record(&server, &job).await;
    assert_eq!(record.state, State::Dead, "{record:?}");
    let error = record.error.unwrap();
    assert_eq!(error.stage, Some(StageName::Tts), "{error:?}");
    assert!(error.message.contains("slt"), "it names the voices there are: {error:?}");
}

#[tokio::test]
async fn work_of_ended_jobs_is_deleted_and_that_of_waiting_ones_stays() {
    let server = Server::start().await.unwrap();
    let harness = WorkerHarness::on(&server);
    let producer = producer(&server).await;
    let later = chrono::Utc::now() + chrono::Duration::hours(1);
    let jobs = [job(Format::Audio), job(Format::Audio)].map(|job| job.with_run_at(later));
    let [ended, waiting] = jobs.each_ref().map(|job| {
        let folder = harness.store().join(format!("work/default/{}", job.id));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("passage"), "sound").unwrap();
        folder
    });
    for enqueued in producer.enqueue_many(&jobs).await {
        enqueued.unwrap();
    }
    producer.cancel(&jobs[0].id).await.unwrap();
    let inspector = inspector(&server).await;
    assert_eq!(inspector.stats().await.unwrap().trash, 1);
    let _worker = harness.start(&[]).await;
    until("the trash is empty", async || {
        (inspector.stats().await.unwrap().trash == 0).then_some(())
    })
    .await;
    assert!(!ended.exists());
    assert!(waiting.join("passage").exists());
}
