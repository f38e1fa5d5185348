//! A folder goes in; a private Redis and one worker come out, and live as long as their owner.
//!
//! Both children hold a copy of a lock as their stdin, so that nobody takes the folder before the
//! last of them is gone, even when their owner was killed.

mod home;
mod lock;
mod logs;
mod redis;
mod worker;

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use child::{ChildError, Finished, Running};
use queue::{Endpoint, Inspector};

use crate::cli_error::CliError;
use crate::context::Context;
pub(crate) use crate::embedded::home::Home;
use crate::embedded::lock::LockedHome;
pub(crate) use crate::embedded::worker::WorkerPlan;
pub(crate) use crate::embedded::worker::{is_offline, worker_here};

/// Restarts of children that a signal killed, before their owner gives up.
const MAX_RESTARTS: u32 = 5;
/// The worker's own default for its drain, and time to deregister.
const WORKER_GRACE: Duration = Duration::from_secs(30);
const REDIS_GRACE: Duration = Duration::from_secs(10);

/// The running stack. Dropped, both children are killed; [`Stack::stop`] ends them in order.
pub(crate) struct Stack {
    pub(crate) inspector: Inspector,
    home: LockedHome,
    plan: WorkerPlan,
    worker: Running,
    redis: Running,
    restarts: u32,
}

impl Stack {
    /// Locks the folder, starts Redis, takes back what an earlier run left, starts the worker.
    pub(crate) async fn start(context: &Context) -> anyhow::Result<Self> {
        let plan = WorkerPlan::new(&context.config)?;
        let home = LockedHome::lock(Home::at(&context.config.home)).await?;
        plan.explain(&context.screen);
        logs::remove(&home)?;
        let mut redis = redis::start(&home).await?;
        let endpoint = Endpoint::new(&home.redis_url(), &context.config.queue_name)?;
        let inspector = redis::wait_until_ready(&mut redis, endpoint, &home).await?;
        inspector.examine().await?;
        inspector.reap_everything().await?;
        let worker = plan.start(&home).await?;
        Ok(Self { inspector, home, plan, worker, redis, restarts: 0 })
    }

    /// The folder.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// Restarts what a signal killed; returns when that no longer helps, or a child has ended
    /// by itself. May be dropped and awaited again.
    pub(crate) async fn supervise(&mut self) -> anyhow::Result<Infallible> {
        loop {
            tokio::select! {
                ended = self.redis.wait() => self.restart_redis(ended).await?,
                ended = self.worker.wait() => self.restart_worker(ended).await?,
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

    async fn restart_redis(&mut self, ended: Result<Finished, ChildError>) -> anyhow::Result<()> {
        self.allow_restart("the private Redis", &ended, &self.home.redis_log())?;
        self.redis = redis::start(&self.home).await?;
        redis::wait_for_answer(&mut self.redis, &self.inspector, &self.home).await
    }

    /// The dead worker's leases end at once: nobody else can hold one.
    async fn restart_worker(&mut self, ended: Result<Finished, ChildError>) -> anyhow::Result<()> {
        self.allow_restart("the worker", &ended, &self.home.worker_log())?;
        self.inspector.reap_everything().await?;
        self.worker = self.plan.start(&self.home).await?;
        Ok(())
    }

    fn allow_restart(
        &mut self,
        who: &str,
        ended: &Result<Finished, ChildError>,
        log: &Path,
    ) -> anyhow::Result<()> {
        self.restarts += 1;
        if matches!(ended, Err(ChildError::Signal { .. })) && self.restarts <= MAX_RESTARTS {
            return Ok(());
        }
        let how = match ended {
            Ok(_) => "ended, since something told it to".to_owned(),
            Err(error) => format!("is gone: {error}"),
        };
        let text = format!("{who} {how}; jobs are kept{}", logs::tail_of(log));
        let is_configuration = matches!(ended, Err(ChildError::Status { code: 78, .. }));
        Err(if is_configuration { CliError::configuration(text) } else { CliError::missing(text) })
    }
}
