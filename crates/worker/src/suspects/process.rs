//! The process of a suspect: a lease comes from the worker that has started it, the report goes back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use isolation::{Process, Teller};
use queue::{Endpoint, Tally};
use secrecy::ExposeSecret;
use telemetry::{Metrics, Traces};

use crate::config::Config;
use crate::job_handler::{Folder, Folders, JobHandler, Watched};
use crate::notes::{Note, Setup};
use crate::start_error::StartError;
use crate::wiring;

/// Longest wait at the end for a collector to take the last spans.
const FLUSH: Duration = Duration::from_secs(5);

/// Works on the one job that a worker hands over by stdin.
pub(crate) async fn work(config: &Config) -> Result<(), StartError> {
    let (process, traces) = Box::pin(begin(config)).await.map_err(StartError::Missing)?;
    let Begun { process, handler, tally } = process;
    let (lease, teller) = (process.lease().clone(), process.teller().clone());
    let attempt = async move {
        let _told = Told { tally, teller };
        handler.attempt(lease).await
    };
    process.run(attempt).await;
    // It blocks; where it panicked, nothing is lost but spans.
    let _ = tokio::task::spawn_blocking(move || traces.shutdown(FLUSH)).await;
    Ok(())
}

/// All that one attempt needs.
struct Begun {
    process: Process,
    handler: JobHandler,
    tally: Tally,
}

async fn begin(config: &Config) -> anyhow::Result<(Begun, Traces)> {
    let queue = &config.queue;
    let endpoint = Endpoint::new(queue.redis_url.expose_secret(), &queue.name)?;
    let process = Process::begin(&endpoint, queue.lease_ttl / 6).await?;
    let Setup { worker, folder } =
        serde_json::from_value(process.setup().clone()).context("what the worker has set up")?;
    let teller = process.teller().clone();
    let metrics = relayed(&queue.name, teller.clone());
    let traces = match &config.traces {
        Some(options) => Traces::start(options, &worker, &metrics)?,
        None => Traces::off(),
    };
    let tally = Tally::default();
    let watched = Watched { metrics, traces: traces.clone(), tally: tally.clone() };
    let handler = wiring::suspect(config, &worker, Box::new(Given(folder)), watched).await?;
    let handler = JobHandler { teller: Some(teller), ..handler };
    Ok((Begun { process, handler, tally }, traces))
}

fn relayed(queue: &str, teller: Teller) -> Arc<Metrics> {
    let tell = move |counted| Note::Counted(counted).tell(&teller);
    Arc::new(Metrics::relayed(env!("CARGO_PKG_VERSION"), queue, tell))
}

/// Tells the worker what was counted for the queue's history, however the attempt ends.
struct Told {
    tally: Tally,
    teller: Teller,
}

impl Drop for Told {
    fn drop(&mut self) {
        while !self.tally.is_empty() {
            Note::Tally(self.tally.take()).tell(&self.teller);
        }
    }
}

/// The folder that the worker has made, and removes.
struct Given(PathBuf);

impl Folder for Given {
    fn path(&self) -> &Path {
        &self.0
    }
}

impl Folders for Given {
    fn folder(&self) -> std::io::Result<Box<dyn Folder>> {
        Ok(Box::new(Self(self.0.clone())))
    }
}
