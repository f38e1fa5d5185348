//! What operators let tenants spend in a day goes in; whether a call of a tenant may be paid for comes out.
//!
//! Redis keeps what is spent (`queue::TenantBudgets`). While it does not answer nothing is bought under a budget:
//! a limit of money that opens by itself is none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pipeline::{Budget, Expense, Funds};
use queue::{Spending, TenantBudgets};
use telemetry::Metrics;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::config::TenantLimits;

/// A job asks again after so long while nobody answers for the budgets.
const UNANSWERED: Duration = Duration::from_secs(10);
/// Jobs of a new day come back spread over this time.
const SPREAD: Duration = Duration::from_mins(1);
/// A round at the start, and then after so long: a call that was cheaper than its price leaves money to others.
const ROUND: Duration = Duration::from_mins(1);

/// The budgets of a fleet's tenants.
pub(crate) struct FleetBudget {
    budgets: TenantBudgets,
    limits: TenantLimits,
    metrics: Arc<Metrics>,
    settled: UnboundedSender<(Taken, u64)>,
    /// Puts right what was taken, while nobody waits for that.
    _teller: JoinSet<()>,
}

/// What was taken for one call; money in millionths of a US dollar.
struct Taken {
    tenant: String,
    day: u64,
    price: u64,
}

impl FleetBudget {
    pub(crate) fn new(budgets: TenantBudgets, limits: TenantLimits, metrics: Arc<Metrics>) -> Self {
        let (settled, to_tell) = unbounded_channel();
        let mut teller = JoinSet::new();
        teller.spawn(tell(budgets.clone(), to_tell));
        Self { budgets, limits, metrics, settled, _teller: teller }
    }
}

#[async_trait]
impl Budget for FleetBudget {
    async fn take(&self, tenant: &str, usd: f64) -> Funds {
        let Some(limit) = self.limits.of(tenant) else { return Funds::Free };
        let price = millionths(usd);
        match self.budgets.take((tenant, millionths(limit)), price).await {
            Ok(Spending::Taken { day }) => {
                self.metrics.budget_asked("taken");
                let taken = Taken { tenant: tenant.to_owned(), day, price };
                Funds::Taken(Box::new(Paid { taken, settled: self.settled.clone() }))
            }
            Ok(Spending::Spent { tomorrow }) => {
                self.metrics.budget_asked("spent");
                Funds::Spent { again: tomorrow + spread(), why: spent(tenant, limit, usd) }
            }
            Err(error) => {
                self.metrics.budget_asked("unknown");
                tracing::warn!("the budget of a tenant cannot be looked up: {error}");
                let why = format!("somebody to answer for the budget of {tenant}");
                Funds::Unknown { again: UNANSWERED, why }
            }
        }
    }
}

fn spent(tenant: &str, limit: f64, usd: f64) -> String {
    format!(
        "the next day (UTC): the budget of {tenant}, {limit} US dollars a day (TENANT_BUDGETS), has too little \
         left for this call of {usd:.6}"
    )
}

fn spread() -> Duration {
    SPREAD.mul_f64(fastrand::f64())
}

/// One call's, until it is over.
struct Paid {
    taken: Taken,
    settled: UnboundedSender<(Taken, u64)>,
}

impl Expense for Paid {
    fn settle(self: Box<Self>, usd: f64) {
        let cost = millionths(usd);
        if cost != self.taken.price {
            // Nobody listens any more where the worker ends; then the price stays taken.
            let _ = self.settled.send((self.taken, cost));
        }
    }
}

async fn tell(budgets: TenantBudgets, mut settled: UnboundedReceiver<(Taken, u64)>) {
    while let Some((taken, cost)) = settled.recv().await {
        let Taken { tenant, day, price } = &taken;
        let told = budgets.put_right((tenant, *day), (*price, cost)).await;
        if let Err(error) = told {
            tracing::warn!(
                "a call has cost {cost} millionths of a dollar and counts as {price}: {error}"
            );
        }
    }
}

/// Lets those go on, until it is dropped, whose tenants have money again before their day is over. Without any
/// budget one round is enough: there may have been one until now.
pub(crate) fn let_go_on(budgets: TenantBudgets, limits: &TenantLimits) -> JoinSet<()> {
    let by_tenant: BTreeMap<String, u64> =
        limits.iter().map(|(tenant, usd)| (tenant.clone(), millionths(*usd))).collect();
    let mut rounds = JoinSet::new();
    rounds.spawn(async move {
        loop {
            match budgets.let_go_on(&by_tenant).await {
                Ok(0) => {}
                Ok(jobs) => tracing::info!(jobs, "jobs go on: their tenants have money again"),
                Err(error) => tracing::warn!("jobs wait for their tenants' next day: {error}"),
            }
            if by_tenant.is_empty() {
                return;
            }
            sleep(ROUND + spread()).await;
        }
    });
    rounds
}

/// US dollars in whole millionths, rounded up.
pub(crate) fn millionths(usd: f64) -> u64 {
    const MILLION: f64 = 1e6;
    const MOST: f64 = 1e12;
    // What is no number is nothing; a rest of arithmetic is no millionth more.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let whole = (usd * MILLION - 1e-6).ceil().clamp(0.0, MOST) as u64;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_rounded_up_and_a_rest_of_arithmetic_is_none() {
        let cases =
            [(0.0, 0), (0.05, 50_000), (0.1 + 0.2, 300_000), (1e-9, 1), (1.000_000_1, 1_000_001)];
        for (usd, whole) in cases {
            assert_eq!(millionths(usd), whole, "{usd}");
        }
        assert_eq!((millionths(f64::NAN), millionths(-1.0)), (0, 0));
        assert_eq!(millionths(1e30), 1_000_000_000_000);
    }
}
