//! Jobs come out of the queue, one for each free slot, and go to the handler. The roles that do it
//! stand here in the order in which they start and end, each in a file of its own.

mod adapter;
mod begins;
mod breaker;
mod cancels;
mod claimed;
mod claimer;
mod drain;
mod ended;
mod exchange;
mod executor;
mod handler;
mod health;
mod heartbeat;
mod options;
mod presence;
mod pulse;
mod role;
mod shared;
mod shutdown;
mod tally;
mod vacancy;
mod wake;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

pub use self::handler::{Handler, NewLease};
pub use self::health::Health;
pub use self::options::{AttemptBudget, ConsumerOptions};
pub use self::shutdown::{Shutdown, Stopped};

use self::begins::Begins;
use self::claimer::Claimer;
use self::drain::Drain;
use self::executor::Executor;
use self::shared::Shared;
use crate::QueueError;
use crate::examination::ServerReport;
use crate::link::{Link, LinkVitals};
use crate::scripts::{Clock, Scripts};

/// A worker's end of the queue.
pub struct Consumer {
    shared: Shared,
    server: ServerReport,
}

impl Consumer {
    /// Connects and examines the server; claims nothing yet.
    pub async fn connect(options: ConsumerOptions) -> Result<Self, QueueError> {
        // A server that hangs is left within a third of a lease, and several tries fit into one.
        let response_timeout = (options.lease_ttl / 6).max(Duration::from_millis(250));
        let vitals = Arc::new(LinkVitals::new());
        let watch = {
            let vitals = Arc::clone(&vitals);
            Arc::new(move |answer: Result<(), &_>| vitals.hear(answer))
        };
        let mut connection = options.endpoint.watched(response_timeout, watch).await?;
        let server = options.endpoint.examine(&mut connection).await?;
        let scripts = Scripts::new(options.endpoint.keys().clone(), Clock::Server);
        Ok(Self { shared: Shared::new(options, Link { scripts, connection, vitals }), server })
    }

    /// What the server said of itself.
    pub fn server(&self) -> &ServerReport {
        &self.server
    }

    /// For the probes.
    pub fn health(&self) -> Health {
        self.shared.health.clone()
    }

    /// Claims and works until `shutdown`, or until nothing is left.
    pub async fn run(
        self,
        handler: Arc<dyn Handler>,
        shutdown: Shutdown,
    ) -> Result<Stopped, QueueError> {
        let shared = &self.shared;
        // Each role needs those above it, so they end from below.
        let pulse = pulse::start(shared);
        let heartbeat = heartbeat::start(shared)?;
        let presence = presence::start(shared);
        let tally = tally::start(shared);
        let cancels = cancels::start(shared);
        let (claims, claimed) = mpsc::channel(shared.options.slots);
        let (tell_end, ended) = mpsc::channel(shared.options.slots);
        let (begins, _begins) = Begins::start(shared);
        let executor = Executor::new(shared.clone(), handler, begins, tell_end);
        let attempts = adapter::start(executor, claimed);
        let claimer = Claimer::start(shared, claims, ended, shutdown.clone());
        let drain = Drain::new(shared.clone(), shutdown);

        let stopped = drain.see_out(claimer, attempts).await;
        cancels.stop().await;
        tally.stop().await;
        tally::tell(shared).await;
        // Their last rounds would write this worker into the queue again.
        presence.stop().await;
        heartbeat.stop().await;
        pulse.stop().await;
        drain.leave().await;
        Ok(stopped)
    }
}
