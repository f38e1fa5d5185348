//! What the pipeline needs to know of a tenant's money: whether a call may be paid for.

use std::time::Duration;

use async_trait::async_trait;

/// Keeps what tenants may spend in a day, for the whole fleet.
#[async_trait]
pub trait Budget: Send + Sync {
    /// Takes `usd`, what a call costs as near as is known, out of what `tenant` may spend today.
    async fn take(&self, tenant: &str, usd: f64) -> Funds;
}

/// Whether a call may be paid for.
pub enum Funds {
    /// Nobody limits what this tenant spends.
    Free,
    /// Its price is taken.
    Taken(Box<dyn Expense>),
    /// Too little is left.
    Spent {
        /// When the next day begins.
        again: Duration,
        /// What is waited for, such as `the next day (UTC): the budget of acme, 5 US dollars a day
        /// (TENANT_BUDGETS), has too little left for this call of 0.02`.
        why: String,
    },
    /// Nobody knows.
    Unknown {
        /// When asking again is of use.
        again: Duration,
        /// What is waited for.
        why: String,
    },
}

/// The price of a call that was taken. Dropped unsettled it stays taken: whoever held it has died, and whoever
/// sells charges for what was made.
pub trait Expense: Send {
    /// The call is over, and has cost `usd`. Does not wait: nothing lies between what is bought and its checkpoint.
    fn settle(self: Box<Self>, usd: f64);
}
