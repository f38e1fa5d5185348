//! A worker whose handler costs nothing: it begins, writes down that it ran, and is done.
//!
//! Arguments: address, name, folder, slots, records that are kept. What it writes: four bytes a run in
//! `NAME.runs`, the number of the job; one byte an accepted report in `NAME.done`. Ended by SIGTERM, it drains.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use queue::{
    Consumer, ConsumerOptions, Endpoint, Event, Handler, Limits, NewLease, Observer, Outcome,
    Report, Shutdown, Tally,
};
use stillcast_enqueue::{Artifact, ErrorReport};
use telemetry::{LogFormat, Logging};
use tests::soak::{QUEUE, number_of};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let _log = telemetry::start(&Logging::new(LogFormat::Pretty, "warn,apalis_core=warn")?)?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, name, folder, slots, records] = &*arguments else { anyhow::bail!("arguments") };
    let file = |kind: &str| {
        let path = PathBuf::from(folder).join(format!("{name}.{kind}"));
        OpenOptions::new().create(true).append(true).open(path)
    };
    let options = ConsumerOptions {
        endpoint: Endpoint::new(url, QUEUE)?,
        worker: format!("{name}-{}", uuid::Uuid::new_v4().simple()),
        lease_ttl: Duration::from_secs(30),
        slots: slots.parse()?,
        drain_timeout: Duration::from_secs(25),
        attempt_budget: Arc::new(|_| Duration::from_mins(1)),
        backoff: (Duration::from_secs(5), Duration::from_mins(10)),
        limits: Limits { max_records: records.parse()?, ..Limits::default() },
        until_empty: false,
        tally: Tally::default(),
        observer: Arc::new(Reports(file("done")?)),
    };
    let shutdown = Shutdown::default();
    let mut terminate = signal(SignalKind::terminate())?;
    let consumer = Consumer::connect(options).await.context("connect")?;
    let working = consumer.run(Arc::new(Runs(file("runs")?)), shutdown.clone());
    tokio::pin!(working);
    loop {
        tokio::select! {
            stopped = &mut working => return stopped.map(drop).map_err(Into::into),
            _ = terminate.recv() => shutdown.signal(),
        }
    }
}

/// Writes a byte for each job that is done.
struct Reports(File);

impl Observer for Reports {
    fn observe(&self, event: &Event) {
        if matches!(event, Event::Reported { state, .. } if state == "done") {
            (&self.0).write_all(b".").expect("the disk has room");
        }
    }
}

/// Writes the number of each job that runs.
struct Runs(File);

#[async_trait]
impl Handler for Runs {
    async fn attempt(&self, lease: NewLease) -> Report {
        let lease = lease.begin().await;
        let Some(number) = number_of(lease.id()) else {
            return Outcome::Dead { error: ErrorReport::new("foreign", "no job of ours") }.into();
        };
        (&self.0).write_all(&number.to_le_bytes()).expect("the disk has room");
        Outcome::Done { artifact: Box::new(artifact()) }.into()
    }
}

fn artifact() -> Artifact {
    Artifact {
        url: "file:///nowhere".to_owned(),
        key: "nowhere".to_owned(),
        path: None,
        bytes: 0,
        content_type: "audio/mp4".to_owned(),
        duration_s: 0.0,
        sha256: String::new(),
        extras: BTreeMap::new(),
    }
}
