//! `BullMQ` from npm on the same Redis: `bullmq/measure.js` does what the others do here, and says how long
//! it took.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use child::Spec;
use serde::Deserialize;
use tests::foreign::{root, told};
use tests::server::Server;

use crate::subject::{BODY, Contender, JOBS};
use crate::table::Subject;

/// Where `run` has installed it.
pub(crate) struct BullMq {
    /// The program `node`.
    pub(crate) node: PathBuf,
    /// The folder `node_modules`.
    pub(crate) modules: PathBuf,
    /// What the last drain has taken of the worker's processor, in µs.
    cpu_us: Option<f64>,
}

/// What the script says; what a phase does not measure is 0.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    seconds: f64,
    cpu_us: f64,
    waits_ms: Vec<f64>,
}

impl BullMq {
    pub(crate) fn new(node: PathBuf, modules: PathBuf) -> Self {
        Self { node, modules, cpu_us: None }
    }

    async fn measure(
        &self,
        server: &Server,
        phase: &str,
        numbers: &[usize],
    ) -> anyhow::Result<Told> {
        let socket = server.url().trim_start_matches("unix://").to_owned();
        let script = root().join("tests/bench/bullmq/measure.js");
        let program = Spec::new(&self.node)
            .arg(script)
            .args([socket.as_str(), phase])
            .args(numbers.iter().map(ToString::to_string))
            .env("NODE_PATH", &self.modules);
        told(program).await
    }
}

#[async_trait]
impl Contender for BullMq {
    const SUBJECT: Subject = Subject::BullMq;

    async fn enqueue(&mut self, server: &Server, batch: usize) -> anyhow::Result<Duration> {
        let told = self.measure(server, "enqueue", &[JOBS, batch, BODY]).await?;
        Ok(Duration::try_from_secs_f64(told.seconds)?)
    }

    async fn drain(&mut self, server: &Server, slots: usize) -> anyhow::Result<Duration> {
        let told = self.measure(server, "drain", &[JOBS, slots]).await?;
        self.cpu_us = Some(told.cpu_us);
        Ok(Duration::try_from_secs_f64(told.seconds)?)
    }

    async fn pick_up(
        &mut self,
        server: &Server,
        number: usize,
        pause: Duration,
    ) -> anyhow::Result<Vec<Duration>> {
        let pause = usize::try_from(pause.as_millis())?;
        let told = self.measure(server, "pickup", &[number, pause, BODY]).await?;
        let spans = told.waits_ms.into_iter().map(|ms| Duration::try_from_secs_f64(ms / 1e3));
        Ok(spans.collect::<Result<_, _>>()?)
    }

    fn worker_cpu_us(&self) -> Option<f64> {
        self.cpu_us
    }
}
