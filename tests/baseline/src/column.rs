//! The two queues under test, each reached as its own users would reach it.

use std::fmt;
use std::path::PathBuf;

use anyhow::Context;
use apalis::prelude::*;
use apalis_redis::{Config, RedisStorage};
use baseline::Errand;
use stillcast_enqueue::{JobId, State};
use tests::fleet::{Fleet, QUEUE, Worker, WorkerOptions};

/// A queue, at its default settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Stillcast,
    Apalis,
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stillcast => "stillcast",
            Self::Apalis => "apalis-redis",
        })
    }
}

impl Column {
    pub(crate) const ALL: [Self; 2] = [Self::Stillcast, Self::Apalis];

    /// A worker with `slots`; ours at the lease, drain and back-off of production.
    pub(crate) async fn worker(
        self,
        fleet: &Fleet,
        name: &str,
        slots: usize,
    ) -> anyhow::Result<Worker> {
        let program = match self {
            Self::Stillcast => "six_calls",
            Self::Apalis => "apalis_calls",
        };
        let here = std::env::current_exe().context("this program has a path")?;
        let program: PathBuf = here.with_file_name(program);
        let options = WorkerOptions {
            lease_ms: 30_000,
            drain_ms: 25_000,
            budget_ms: 300_000,
            backoff_ms: 5000,
            slots,
            url: None,
            program,
        };
        fleet.worker(name, &options).await
    }

    /// Enqueues all, in order.
    pub(crate) async fn enqueue(self, fleet: &Fleet, errands: &[Errand]) -> anyhow::Result<()> {
        match self {
            Self::Stillcast => {
                let jobs =
                    errands.iter().map(|errand| Ok(errand.script.job().with_id(id(errand)?)));
                let jobs: Vec<_> = jobs.collect::<anyhow::Result<_>>()?;
                fleet.enqueue(&jobs).await.map(drop)
            }
            Self::Apalis => {
                let mut storage = storage::<Errand>(fleet).await?;
                for batch in errands.chunks(500) {
                    storage.push_bulk(batch.to_vec()).await?;
                }
                Ok(())
            }
        }
    }

    /// Enqueues one errand under an idempotency key.
    pub(crate) async fn enqueue_once(
        self,
        fleet: &Fleet,
        errand: &Errand,
        key: &str,
    ) -> anyhow::Result<()> {
        match self {
            Self::Stillcast => {
                let job = errand.script.job().with_id(id(errand)?).with_idempotency_key(key);
                fleet.producer.enqueue(&job).await?;
            }
            Self::Apalis => {
                let task = TaskBuilder::new(errand.clone()).idempotency_key(key).build();
                storage::<Errand>(fleet).await?.push_task(task).await?;
            }
        }
        Ok(())
    }

    /// Enqueues a job whose payload no worker can read.
    pub(crate) async fn enqueue_poison(self, fleet: &Fleet) -> anyhow::Result<()> {
        match self {
            Self::Stillcast => {
                let job = Errand::many("poison", 1, &tests::script::Script::default());
                self.enqueue(fleet, &job).await?;
                let (scripts, mut connection) = fleet.scripts();
                let mut spoil = redis::cmd("SET");
                spoil.arg(scripts.keys().body("poison-0")).arg("not an envelope");
                spoil.query_async::<()>(&mut connection).await?;
            }
            // The same queue with another type of payload, as after a careless deployment.
            Self::Apalis => storage::<String>(fleet).await?.push("no errand".to_owned()).await?,
        }
        Ok(())
    }

    /// Whether the queue itself has given the one job up.
    pub(crate) async fn gave_up(self, fleet: &Fleet, errand: &Errand) -> anyhow::Result<bool> {
        match self {
            Self::Stillcast => Ok(fleet.record(&id(errand)?).await?.state == State::Dead),
            Self::Apalis => {
                let mut dead = redis::cmd("EXISTS");
                dead.arg(Config::default().queue(QUEUE).dead_jobs_set());
                Ok(dead.query_async(&mut fleet.connection()).await?)
            }
        }
    }
}

fn id(errand: &Errand) -> anyhow::Result<JobId> {
    Ok(JobId::parse(&errand.id)?)
}

async fn storage<T>(fleet: &Fleet) -> anyhow::Result<RedisStorage<T>> {
    let connection = apalis_redis::connect(fleet.server.url()).await?;
    Ok(RedisStorage::new(connection).with_config(Config::default().queue(QUEUE)))
}
