//! Every ten seconds a worker tells the queue's history what it has counted. Who is killed takes what
//! it has not told yet along: statistics, and no money of any record.

use std::time::{Duration, Instant};

use super::role::Running;
use super::shared::Shared;
use crate::link::Link;

/// Between two words.
const ROUND: Duration = Duration::from_secs(10);
/// The same, with nothing counted: the first word of each minute says how deep the queue is.
const QUIET_ROUND: Duration = Duration::from_secs(40);

/// Starts the words. The first one comes at once: it looks how deep the queue is.
pub(crate) fn start(shared: &Shared) -> Running {
    let shared = shared.clone();
    Running::task(async move {
        let mut told = Instant::now();
        tell(&shared).await;
        loop {
            tokio::time::sleep(ROUND.mul_f64(fastrand::f64().midpoint(1.0))).await;
            if !shared.options.tally.is_empty() || told.elapsed() > QUIET_ROUND {
                told = Instant::now();
                tell(&shared).await;
            }
        }
    })
}

/// Tells what was counted until now; what Redis does not hear is told next time.
pub(crate) async fn tell(shared: &Shared) {
    let Link { scripts, mut connection, .. } = shared.link.clone();
    let tally = &shared.options.tally;
    loop {
        let counted = tally.take();
        // A failure has been heard by whoever watches the connection.
        if scripts.tally(&mut connection, &counted).await.is_err() {
            tally.give_back(&counted);
            return;
        }
        if tally.is_empty() {
            return;
        }
    }
}
