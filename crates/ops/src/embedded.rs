//! A folder goes in; a private Redis and one worker come out, and live as long as their owner.
//!
//! Both children hold a copy of a lock as their stdin, so that nobody takes the folder before the
//! last of them is gone, even when their owner was killed.

mod home;
mod redis;
mod worker;

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context as _;
use child::{ChildError, Finished, Running};
use queue::{Endpoint, Inspector};

use crate::Context;
use crate::cli_error::CliError;
use crate::embedded::home::Claimed;
pub(crate) use crate::embedded::home::Home;
use crate::embedded::worker::WorkerPlan;

/// Starts of a child that a signal killed, before its owner gives up.
const MAX_REVIVALS: u32 = 5;
/// The worker's own default for its drain, and time to say good-bye.
const WORKER_GRACE: Duration = Duration::from_secs(30);
const REDIS_GRACE: Duration = Duration::from_secs(10);

/// The running stack. Dropped, both children are killed; [`Stack::stop`] ends them in order.
pub(crate) struct Stack {
    pub(crate) inspector: Inspector,
    home: Claimed,
    plan: WorkerPlan,
    worker: Running,
    redis: Running,
    revivals: u32,
}

impl Stack {
    /// Locks the folder, starts Redis, takes back what an earlier run left, starts the worker.
    ///
    /// Must run on the thread that lives longest: the children die with it.
    pub(crate) async fn start(context: &Context) -> anyhow::Result<Self> {
        let plan = WorkerPlan::new(&context.config)?;
        let home = Home::at(&context.config.home).claim().await?;
        plan.explain(&context.screen);
        home.empty_logs()?;
        let mut redis = redis::start(&home).await?;
        let endpoint = Endpoint::new(&home.redis_url(), &context.config.queue_name)?;
        let inspector = redis::wait_until_ready(&mut redis, endpoint, &home).await?;
        inspector.examine().await?;
        inspector.reap_everything().await?;
        let worker = plan.start(&home).await?;
        Ok(Self { inspector, home, plan, worker, redis, revivals: 0 })
    }

    /// The folder.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// Starts again what a signal killed; returns when that no longer helps, or a child has ended
    /// by itself. May be dropped and awaited again.
    pub(crate) async fn supervise(&mut self) -> anyhow::Result<Infallible> {
        loop {
            tokio::select! {
                ended = self.redis.wait() => self.revive_redis(ended).await?,
                ended = self.worker.wait() => self.revive_worker(ended).await?,
            }
        }
    }

    /// Lets the worker drain, then ends Redis.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let drained = self.worker.terminate(WORKER_GRACE).await;
        let ended = self.redis.terminate(REDIS_GRACE).await;
        drained.and(ended).context("the embedded stack did not end in order")?;
        Ok(())
    }

    async fn revive_redis(&mut self, ended: Result<Finished, ChildError>) -> anyhow::Result<()> {
        self.allow_revival("the private Redis", &ended, &self.home.redis_log())?;
        self.redis = redis::start(&self.home).await?;
        redis::wait_for_answer(&mut self.redis, &self.inspector, &self.home).await
    }

    /// The dead worker's leases end at once: nobody else can hold one.
    async fn revive_worker(&mut self, ended: Result<Finished, ChildError>) -> anyhow::Result<()> {
        self.allow_revival("the worker", &ended, &self.home.worker_log())?;
        self.inspector.reap_everything().await?;
        self.worker = self.plan.start(&self.home).await?;
        Ok(())
    }

    fn allow_revival(
        &mut self,
        who: &str,
        ended: &Result<Finished, ChildError>,
        log: &std::path::Path,
    ) -> anyhow::Result<()> {
        self.revivals += 1;
        if matches!(ended, Err(ChildError::Signal { .. })) && self.revivals <= MAX_REVIVALS {
            return Ok(());
        }
        let how = match ended {
            Ok(_) => "ended, since something told it to".to_owned(),
            Err(error) => format!("is gone: {error}"),
        };
        let text = format!("{who} {how}; jobs are kept{}", tail_of(log));
        let is_configuration = matches!(ended, Err(ChildError::Status { code: 78, .. }));
        Err(if is_configuration { CliError::configuration(text) } else { CliError::missing(text) })
    }
}

/// The end of a log, indented below the sentence that it explains.
fn tail_of(log: &std::path::Path) -> String {
    const LINES: usize = 12;
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let head = format!("; its log is {}", log.display());
    let tail = text.lines().skip(text.lines().count().saturating_sub(LINES));
    std::iter::once(&*head).chain(tail).collect::<Vec<_>>().join("\n    ")
}
