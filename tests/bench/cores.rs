//! Redis on one core, whoever uses it on the others, as on two machines. Where they may meet on one, a rate
//! tells most of all where the scheduler has put them: the same worker drains 8,000 or 13,000 jobs a second.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use tests::server::Server;

/// Who runs where.
#[derive(Clone, Copy)]
pub(crate) struct Cores {
    /// The core of Redis; `None` where there is but one for all.
    redis: Option<usize>,
}

impl Cores {
    /// Leaves the first core to Redis: this process, and whatever it starts from here on, keeps to the
    /// others. Before any other thread begins.
    pub(crate) fn divide() -> anyhow::Result<Self> {
        let all = sched_getaffinity(Pid::from_raw(0))?;
        let ours = (0..CpuSet::count()).filter(|core| all.is_set(*core).unwrap_or(false));
        let ours: Vec<usize> = ours.collect();
        let [redis, others @ ..] = &*ours else { return Ok(Self { redis: None }) };
        if others.is_empty() {
            return Ok(Self { redis: None });
        }
        let mut rest = CpuSet::new();
        others.iter().try_for_each(|core| rest.set(*core))?;
        sched_setaffinity(Pid::from_raw(0), &rest)?;
        Ok(Self { redis: Some(*redis) })
    }

    /// A fresh server on its core.
    pub(crate) async fn server(self) -> anyhow::Result<Server> {
        Server::start_everysec_on(self.redis).await
    }
}
