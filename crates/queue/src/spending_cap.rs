//! What one errand may spend in all goes in, call by call; whether there is enough left comes out.
//!
//! As a tenant's day is kept ([`crate::TenantBudgets`]), and for two days from its last call: so whoever is killed and
//! begins again goes on from what was spent. Money is in millionths of a US dollar.

use stillcast_enqueue::connection::SharedConnection;

use crate::QueueError;
use crate::connection::Endpoint;
use crate::scripts::budget_calls::NO_DAY;
use crate::scripts::{Clock, Scripts};
use crate::tenant_budgets::{ANSWER_TIMEOUT, in_time};

/// What one errand spends, by its name. Cheap to clone.
#[derive(Clone)]
pub struct SpendingCap {
    connection: SharedConnection,
    scripts: Scripts,
    errand: String,
}

impl SpendingCap {
    /// Of `errand`, an identifier, at `endpoint`. Connects at its first use.
    pub fn new(endpoint: &Endpoint, errand: String) -> Self {
        let connection = endpoint.at_first_use(ANSWER_TIMEOUT);
        let scripts = Scripts::new(endpoint.keys().clone(), Clock::Server);
        Self { connection, scripts, errand }
    }

    /// Takes `price`, if no more than `cap` is spent with it; whether it is taken.
    pub async fn take(&self, price: u64, cap: u64) -> Result<bool, QueueError> {
        let mut connection = self.connection.clone();
        in_time(self.scripts.take_in_all(&mut connection, (&self.errand, cap), price)).await
    }

    /// Puts right what was taken: `cost` for `price`. Answers what is spent.
    pub async fn put_right(&self, price: u64, cost: u64) -> Result<u64, QueueError> {
        let mut connection = self.connection.clone();
        in_time(self.scripts.put_right(&mut connection, (&self.errand, NO_DAY), (price, cost)))
            .await
    }

    /// What is spent, calls under way among it.
    pub async fn spent(&self) -> Result<u64, QueueError> {
        self.put_right(0, 0).await
    }
}
