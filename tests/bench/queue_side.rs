//! This project's queue, as its users use it: a `Producer`, a `Consumer` and an empty handler.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use async_trait::async_trait;
use futures::future::join_all;
use queue::{
    Consumer, ConsumerOptions, Endpoint, Event, Handler, Limits, NewLease, Observer, Outcome,
    Report, Shutdown, Tally,
};
use stillcast_enqueue::{Artifact, Job, Producer, ProducerOptions, Source};
use tests::fleet::QUEUE;
use tests::server::Server;
use tokio::sync::mpsc;

use crate::meter::Meter;
use crate::subject::{BODY, Contender, JOBS};
use crate::table::{Measure, Subject, Table};

/// How long an idle worker is watched: several turns of everything that it does by itself.
const IDLE: Duration = Duration::from_secs(20);
/// Workers of that fleet, and how long they take to settle.
const FLEET: usize = 4;
const SETTLING: Duration = Duration::from_secs(3);
/// Jobs that are worked on while others wait.
const OF_A_CROWD: usize = 2000;
const WAIT_TIMEOUT: Duration = Duration::from_mins(2);

/// What the queue tells while it runs.
pub(crate) enum Told {
    Started(String, Instant),
    Reported(Instant),
}

/// The queue with one producer.
pub(crate) struct Queue {
    pub(crate) producer: Producer,
}

impl Queue {
    pub(crate) async fn connect(server: &Server) -> anyhow::Result<Self> {
        let options =
            ProducerOptions { queue_name: QUEUE.to_owned(), ..ProducerOptions::default() };
        Ok(Self { producer: Producer::connect_with(&server.url(), options).await? })
    }
}

fn job() -> Job {
    Job::audio(Source::Text("x".repeat(BODY)))
}

/// A handler that only tells that it was called, and reports at once.
struct Empty(mpsc::UnboundedSender<Told>);

#[async_trait]
impl Handler for Empty {
    async fn attempt(&self, lease: NewLease) -> Report {
        // Whoever listens may have heard enough.
        let _ = self.0.send(Told::Started(lease.id().to_owned(), Instant::now()));
        let artifact = Artifact {
            url: "file:///nowhere".to_owned(),
            key: "nowhere".to_owned(),
            path: None,
            bytes: 0,
            content_type: "audio/mp4".to_owned(),
            duration_s: 0.0,
            sha256: String::new(),
            extras: std::collections::BTreeMap::new(),
        };
        Outcome::Done { artifact: Box::new(artifact) }.into()
    }
}

struct Listen(mpsc::UnboundedSender<Told>);

impl Observer for Listen {
    fn observe(&self, event: &Event) {
        if let Event::Reported { .. } = event {
            let _ = self.0.send(Told::Reported(Instant::now()));
        }
    }
}

/// Runs a worker beside `watch`, which hears all that it tells; then ends it.
pub(crate) async fn with_worker<T>(
    server: &Server,
    slots: usize,
    limits: Limits,
    watch: impl AsyncFnOnce(mpsc::UnboundedReceiver<Told>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let (tell, told) = mpsc::unbounded_channel();
    let options = ConsumerOptions {
        endpoint: Endpoint::new(&server.url(), QUEUE)?,
        worker: format!("bench-{}", uuid::Uuid::new_v4().simple()),
        lease_ttl: Duration::from_secs(30),
        slots,
        drain_timeout: Duration::from_secs(25),
        attempt_budget: Arc::new(|_| Duration::from_mins(1)),
        backoff: (Duration::from_secs(5), Duration::from_mins(10)),
        limits,
        until_empty: false,
        tally: Tally::default(),
        observer: Arc::new(Listen(tell.clone())),
    };
    let shutdown = Shutdown::default();
    let consumer = Consumer::connect(options).await?;
    let working = consumer.run(Arc::new(Empty(tell)), shutdown.clone());
    let watching = async {
        let seen = tokio::time::timeout(WAIT_TIMEOUT, watch(told)).await;
        shutdown.signal();
        seen.context("the worker took too long")?
    };
    let (ended, seen) = tokio::join!(working, watching);
    ended?;
    seen
}

#[async_trait]
impl Contender for Queue {
    const SUBJECT: Subject = Subject::Queue;

    async fn enqueue(&mut self, _: &Server, batch: usize) -> anyhow::Result<Duration> {
        let began = Instant::now();
        for _ in 0..JOBS / batch {
            let jobs: Vec<Job> = (0..batch).map(|_| job()).collect();
            for answer in self.producer.enqueue_many(&jobs).await {
                answer?;
            }
        }
        Ok(began.elapsed())
    }

    async fn drain(&mut self, server: &Server, slots: usize) -> anyhow::Result<Duration> {
        with_worker(server, slots, Limits::default(), async |mut told| {
            let (mut first, mut reported) = (None, 0);
            while let Some(word) = told.recv().await {
                match word {
                    Told::Started(_, at) => first = first.or(Some(at)),
                    Told::Reported(at) => {
                        reported += 1;
                        if let (JOBS, Some(first)) = (reported, first) {
                            return Ok(at - first);
                        }
                    }
                }
            }
            anyhow::bail!("the worker ended early")
        })
        .await
    }

    async fn pick_up(
        &mut self,
        server: &Server,
        number: usize,
        pause: Duration,
    ) -> anyhow::Result<Vec<Duration>> {
        let producer = self.producer.clone();
        with_worker(server, 4, Limits::default(), async |mut told| {
            let mut sent = HashMap::new();
            for _ in 0..number {
                tokio::time::sleep(pause).await;
                let job = job();
                sent.insert(job.id.to_string(), Instant::now());
                producer.enqueue(&job).await?;
            }
            let mut waits = Vec::new();
            while waits.len() < number {
                match told.recv().await.context("the worker ended early")? {
                    Told::Started(id, at) => waits.push(at - sent[&id]),
                    Told::Reported(_) => {}
                }
            }
            Ok(waits)
        })
        .await
    }
}

/// What a fleet without work asks of Redis, a worker and second.
pub(crate) async fn idle(server: &Server, table: &mut Table) -> anyhow::Result<()> {
    println!("{FLEET} workers idle for {} s", IDLE.as_secs());
    let mut meter = Meter::new(server).await?;
    let rest = || {
        with_worker(server, 4, Limits::default(), async |_told| {
            tokio::time::sleep(SETTLING + IDLE).await;
            Ok(())
        })
    };
    let watch = async {
        // What they do once, at their start, is no part of it.
        tokio::time::sleep(SETTLING).await;
        let before = meter.read().await?;
        tokio::time::sleep(IDLE.mul_f64(0.9)).await;
        meter.read().await.map(|now| now.since(&before, FLEET).commands)
    };
    let (commands, workers) = tokio::join!(watch, join_all((0..FLEET).map(|_| rest())));
    workers.into_iter().collect::<anyhow::Result<Vec<()>>>()?;
    table.note(Measure::Idle, Subject::Queue, commands? / IDLE.mul_f64(0.9).as_secs_f64());
    Ok(())
}

/// What a job takes of Redis, claim to report, while so many others wait.
pub(crate) async fn crowd(
    server: &Server,
    waiting: usize,
    measure: Measure,
    table: &mut Table,
) -> anyhow::Result<()> {
    println!("{waiting} jobs wait");
    let producer = Queue::connect(server).await?.producer;
    for _ in 0..(waiting + OF_A_CROWD).div_ceil(100) {
        let jobs: Vec<Job> = (0..100).map(|_| Job::audio(Source::Text("x".to_owned()))).collect();
        for answer in producer.enqueue_many(&jobs).await {
            answer?;
        }
    }
    let mut meter = Meter::new(server).await?;
    let before = meter.read().await?;
    let reported = with_worker(server, 4, Limits::default(), async |mut told| {
        let mut reported = 0;
        while let Some(word) = told.recv().await {
            reported += usize::from(matches!(word, Told::Reported(_)));
            if reported == OF_A_CROWD {
                break;
            }
        }
        Ok(reported)
    })
    .await?;
    table.note(measure, Subject::Queue, meter.read().await?.since(&before, reported).redis_us);
    Ok(())
}
