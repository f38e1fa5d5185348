//! Each fault, the same for both columns: what happens goes in, the words of a cell come out.

mod crowds;
mod jobs;
mod outages;
mod workers;

use std::time::Duration;

use anyhow::Context;
use baseline::Errand;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use tests::fleet::{Fleet, Worker};
use tests::journal::Act;
use tests::script::Script;

use crate::column::Column;
use crate::seen::line;

/// How long what must come is waited for, unless a fault says otherwise: longer than the heartbeat of
/// `apalis-redis` (30 s) and than our lease with its sixth (35 s).
const WINDOW: Duration = Duration::from_secs(45);
const SLOTS: usize = 4;

/// One row.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    /// Whether nothing may run beside it, since it measures speed.
    pub(crate) alone: bool,
    run: Box<dyn Fn(Column) -> LocalBoxFuture<'static, anyhow::Result<String>>>,
}

impl Fault {
    fn new<F>(name: &'static str, run: fn(Column) -> F) -> Self
    where
        F: Future<Output = anyhow::Result<String>> + 'static,
    {
        Self { name, alone: false, run: Box::new(move |column| run(column).boxed_local()) }
    }

    fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// What `column` makes of it.
    pub(crate) async fn run(&self, column: Column) -> anyhow::Result<String> {
        (self.run)(column).await
    }
}

/// Every row, in the order of the table.
pub(crate) fn all() -> Vec<Fault> {
    vec![
        Fault::new("kill −9, four jobs running, a second worker alive", workers::killed),
        Fault::new("SIGTERM, four jobs running, a second worker alive", workers::terminated),
        Fault::new("a job that aborts its worker, restarted each time", workers::crash_loop),
        Fault::new("a handler that blocks every thread", workers::blocked),
        Fault::new("`CLIENT KILL`, four jobs running", outages::connections_killed),
        Fault::new("`CLIENT PAUSE 1500`, four jobs running", outages::paused),
        Fault::new("Redis killed and back after 2 s, four jobs running", outages::restarted),
        Fault::new("an unreadable payload among good ones", jobs::poison),
        Fault::new("a panic beside three good jobs", jobs::panic),
        Fault::new("one idempotency key, two requests", jobs::twice),
        Fault::new("eight long jobs, two workers of four slots", crowds::shared),
        Fault::new("10,000 jobs due at once", crowds::due_at_once).alone(),
        Fault::new("pickup by an idle worker, 20 jobs", crowds::picked_up).alone(),
    ]
}

/// A server with one worker that has its jobs in their second call.
struct Busy {
    fleet: Fleet,
    worker: Worker,
    errands: Vec<Errand>,
}

impl Busy {
    async fn start(column: Column, errands: Vec<Errand>) -> anyhow::Result<Self> {
        let fleet = Fleet::start().await?;
        // Enqueued first, since an idle worker of apalis-redis looks for work each 30 s only.
        column.enqueue(&fleet, &errands).await?;
        let worker = column.worker(&fleet, "one", SLOTS).await?;
        for errand in &errands {
            let second = |entry: &tests::journal::Entry| {
                entry.job == errand.id && entry.act == Act::CallStart && entry.call == 2
            };
            line(WINDOW, &fleet, second).await.context("the jobs did not begin")?;
        }
        Ok(Self { fleet, worker, errands })
    }
}

/// What became of the running jobs, and of a new one enqueued after the fault.
async fn aftermath(column: Column, busy: &Busy) -> anyhow::Result<String> {
    use crate::seen::Seen;
    let probe = Errand::many("new", 1, &Script::of(10));
    column.enqueue(&busy.fleet, &probe).await?;
    let (old, new) = tokio::join!(
        Seen::within(WINDOW, &busy.fleet, &busy.errands),
        Seen::within(WINDOW, &busy.fleet, &probe)
    );
    Ok(format!("{}; a new job: {}", old.words(), new.words()))
}
