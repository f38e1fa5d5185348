//! The numbers of the queue go in; whoever is on duty hears of what needs them, once a change.
//!
//! What is watched here stands under the same names in `deploy/prometheus/alerts.yml`, so that an alert
//! reaches people without a Prometheus too. Of several servers one watches; what was told is kept in
//! Redis, so that the next one goes on from there. How it is carried, and where to, is not known here.

mod conditions;
mod teller;
mod watcher;

use std::sync::Arc;

use queue::Inspector;

pub use conditions::{ALERTS, Alert};
pub(crate) use conditions::{
    DEAD_LETTERS, DUE_JOBS_STAY, JOBS_WAIT_TOO_LONG, Look, NEWS, NO_WORKERS, PAGE, PAUSED,
    PROVIDER_REFUSES,
};
pub use teller::Teller;

/// Watches until it is dropped.
pub(crate) async fn watch(inspector: Inspector, teller: Arc<dyn Teller>) {
    watcher::Watcher::new(inspector, teller).run().await;
}
