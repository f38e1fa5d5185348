//! What a tenant may spend in a day goes in, call by call; whether there is enough left comes out.
//!
//! Redis takes the price before a call and puts it right behind it, so that jobs side by side pass the last
//! cent by no more than what their calls cost beyond what was known beforehand. Money is in millionths of a
//! US dollar.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::RedisResult;
use stillcast_enqueue::connection::SharedConnection;
use tokio::time::timeout;

use crate::QueueError;
use crate::connection::Endpoint;
use crate::scripts::budget_calls::Spending;
use crate::scripts::{Clock, Scripts};

/// Longest wait for Redis.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// The budgets of tenants, as a fleet keeps them. Cheap to clone.
#[derive(Clone)]
pub struct TenantBudgets {
    connection: SharedConnection,
    scripts: Scripts,
}

impl TenantBudgets {
    /// Those of the fleet at `endpoint`. Connects at its first use.
    pub fn new(endpoint: &Endpoint) -> Self {
        let connection = endpoint.at_first_use(ANSWER_TIMEOUT);
        Self { connection, scripts: Scripts::new(endpoint.keys().clone(), Clock::Server) }
    }

    /// Takes `price` out of what a tenant may spend today, `budget` in all.
    pub async fn take(&self, tenant: (&str, u64), price: u64) -> Result<Spending, QueueError> {
        let mut connection = self.connection.clone();
        in_time(self.scripts.take(&mut connection, tenant, price)).await
    }

    /// Puts right what was taken of a tenant's day: the second for the first.
    pub async fn put_right(
        &self,
        tenant_and_day: (&str, u64),
        price_and_cost: (u64, u64),
    ) -> Result<(), QueueError> {
        let mut connection = self.connection.clone();
        let call = self.scripts.put_right(&mut connection, tenant_and_day, price_and_cost);
        in_time(call).await.map(drop)
    }

    /// Lets jobs go on that wait for the next day and whose tenants have money again: a budget was raised, or
    /// a call was cheaper than its price. `budgets` are by tenant, `*` for all others, at most 200; who stands
    /// in none is not limited. How many jobs there were.
    pub async fn let_go_on(&self, budgets: &BTreeMap<String, u64>) -> Result<u64, QueueError> {
        let (mut woken, mut passed_by) = (0, Some(0));
        while let Some(behind) = passed_by {
            let mut connection = self.connection.clone();
            let call = self.scripts.afford(&mut connection, budgets, behind);
            let (more, next) = in_time(call).await?;
            (woken, passed_by) = (woken + more, next);
        }
        Ok(woken)
    }
}

pub(crate) async fn in_time<T>(
    call: impl Future<Output = RedisResult<T>>,
) -> Result<T, QueueError> {
    let silent = || {
        let kind = redis::ErrorKind::Io;
        redis::RedisError::from((kind, "the budgets of tenants were not answered for in time"))
    };
    Ok(timeout(ANSWER_TIMEOUT, call).await.unwrap_or_else(|_| Err(silent()))?)
}
