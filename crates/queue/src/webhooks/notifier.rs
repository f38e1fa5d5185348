//! What the queue owes goes out by a courier, as long as somebody holds the notifier.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use stillcast_enqueue::connection::SharedConnection;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::attempt::{Attempt, Courier};
use super::delivery::{Delivery, Due};
use super::schedule::MAX_TRIES;
use crate::QueueError;
use crate::connection::{CALL_TIMEOUT, Endpoint};
use crate::scripts::webhook_calls::NotifyRequest;
use crate::scripts::{Clock, Scripts};

/// Attempts at once in one process.
const SLOTS: usize = 64;
/// How long a delivery is this process's: longer than an attempt and its report take.
const LEASE: Duration = Duration::from_mins(1);
/// Longest attempt, whatever the courier does.
const ATTEMPT: Duration = Duration::from_secs(30);
/// Between two looks with nothing due.
const ROUND: Duration = Duration::from_secs(1);
/// The same, of a process that can sign nothing: it takes only what others have left for a minute.
const AT_LEISURE: Duration = Duration::from_secs(10);
/// Shortest time between two looks, with something due that others take.
const SHORTEST: Duration = Duration::from_millis(50);
/// Between two looks while Redis does not answer, at most.
const AWAY: Duration = Duration::from_secs(10);
/// For so long must a delivery be due before a process takes it that can sign nothing: those that can
/// come first, and what nobody can sign says so.
const UNSIGNED_AFTER: Duration = Duration::from_mins(1);

/// Delivers what one queue owes. Any process may run one, beside any number of others.
pub struct Notifier {
    scripts: Scripts,
    connection: SharedConnection,
    courier: Arc<dyn Courier>,
    /// Whether it was said that a tenant has no secret.
    unsigned: AtomicBool,
}

impl Notifier {
    /// Over a connection of its own. Fails when Redis cannot be reached.
    pub async fn connect(
        endpoint: &Endpoint,
        courier: Arc<dyn Courier>,
    ) -> Result<Self, QueueError> {
        let connection = endpoint.shared(CALL_TIMEOUT).await?;
        let scripts = Scripts::new(endpoint.keys().clone(), Clock::Server);
        Ok(Self::new(scripts, connection, courier))
    }

    /// With scripts that may read another clock.
    pub fn new(scripts: Scripts, connection: SharedConnection, courier: Arc<dyn Courier>) -> Self {
        Self { scripts, connection, courier, unsigned: AtomicBool::new(false) }
    }

    /// Delivers until it is dropped, and then breaks off: what was under way is due again within a
    /// minute, under the same `webhook-id`.
    pub async fn run(self) {
        let this = Arc::new(self);
        let mut under_way: JoinSet<()> = JoinSet::new();
        let mut failures = 0;
        loop {
            while under_way.try_join_next().is_some() {}
            let begun = Instant::now();
            let pause = match this.take(SLOTS - under_way.len()).await {
                Ok(due) => {
                    failures = 0;
                    this.begin(&due, &mut under_way)
                }
                Err(error) => {
                    // An outage is told once, by its first call.
                    if failures == 0 {
                        tracing::warn!("webhooks wait until Redis answers: {error}");
                    }
                    failures += 1;
                    (ROUND * failures).min(AWAY)
                }
            };
            if under_way.len() >= SLOTS {
                under_way.join_next().await;
                continue;
            }
            // Workers that were started together do not look together.
            let end = begun + pause.mul_f64(0.5 + fastrand::f64());
            sleep(end.saturating_duration_since(Instant::now())).await;
        }
    }

    /// Begins what was taken; how long until the next look comes out.
    fn begin(self: &Arc<Self>, due: &Due, under_way: &mut JoinSet<()>) -> Duration {
        for delivery in due.deliveries.iter().cloned() {
            let this = Arc::clone(self);
            under_way.spawn(async move { this.deliver(delivery).await });
        }
        if !self.courier.can_sign() {
            return AT_LEISURE;
        }
        due.next.unwrap_or(ROUND).clamp(SHORTEST, ROUND)
    }

    /// Delivers what is due now, and waits for its end. How many attempts were begun comes out.
    pub async fn round(&self) -> Result<usize, QueueError> {
        let due = self.take(SLOTS).await?.deliveries;
        let all = due.len();
        futures::future::join_all(due.into_iter().map(|one| self.deliver(one))).await;
        Ok(all)
    }

    async fn take(&self, most: usize) -> Result<Due, QueueError> {
        // Mostly nothing is owed, which one command tells.
        let (owed, connection) =
            (self.scripts.keys().named("webhooks"), &mut self.connection.clone());
        let is_owed: bool = redis::cmd("EXISTS").arg(owed).query_async(connection).await?;
        if !is_owed {
            return Ok(Due::default());
        }
        let nonce = format!("{:016x}", fastrand::u64(..));
        let can_sign = self.courier.can_sign();
        let request = NotifyRequest {
            nonce: &nonce,
            most: most.max(1),
            lease: LEASE,
            tries: MAX_TRIES,
            overdue: if can_sign { Duration::ZERO } else { UNSIGNED_AFTER },
        };
        self.scripts.notify(connection, request).await
    }

    async fn deliver(&self, delivery: Delivery) {
        let attempt = match timeout(ATTEMPT, self.courier.send(&delivery)).await {
            Ok(attempt) => attempt,
            Err(_) => Attempt::stuck(ATTEMPT),
        };
        if attempt == Attempt::NoSecret && !self.unsigned.swap(true, Ordering::Relaxed) {
            let tenant = delivery.tenant.as_str();
            tracing::warn!(tenant, "webhooks wait: WEBHOOK_SECRETS has no key of this tenant");
        }
        let report = attempt.report(&delivery, fastrand::f64());
        let (job, token) = (delivery.job.as_str(), delivery.token.as_str());
        let told = self.scripts.notified(&mut self.connection.clone(), job, token, &report).await;
        match told {
            Ok(Some(state)) if ["exhausted", "off"].contains(&state.as_str()) => {
                let hint = "see `stillcast job show --json`, and send it again by `resend-webhook`";
                tracing::warn!(job, state, "a webhook is given up; {hint}");
            }
            Ok(Some(state)) => tracing::debug!(job, event = delivery.event, state, "webhook"),
            Ok(None) => tracing::debug!(job, event = delivery.event, "webhook of an older attempt"),
            // Its time comes again: the receiver knows it by its identifier.
            Err(error) => tracing::warn!(job, "what became of a webhook is not known: {error}"),
        }
    }
}
