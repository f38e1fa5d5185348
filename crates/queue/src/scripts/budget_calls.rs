//! The calls by which a fleet keeps what tenants may spend in a day.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::RedisResult;
use redis::aio::ConnectionLike;

use super::{Scripts, Verb};

/// Where that is kept which has no day.
pub(crate) const NO_DAY: u64 = 0;

/// What became of a wish to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spending {
    /// It is taken out of this day's budget.
    Taken {
        /// The day, in days since the epoch.
        day: u64,
    },
    /// Too little is left of the day.
    Spent {
        /// When the next one begins.
        tomorrow: Duration,
    },
}

impl Scripts {
    /// Takes `price` out of the `budget` of a day.
    pub(crate) async fn take(
        &self,
        connection: &mut impl ConnectionLike,
        (tenant, budget): (&str, u64),
        price: u64,
    ) -> RedisResult<Spending> {
        let mut call = self.call(Verb::Spend);
        call.arg("take").arg(tenant).arg(price).arg(budget);
        let (word, number): (String, u64) = call.invoke_async(connection).await?;
        Ok(match word.as_str() {
            "taken" => Spending::Taken { day: number },
            _ => Spending::Spent { tomorrow: Duration::from_millis(number) },
        })
    }

    /// Takes `price` out of what an errand may spend in all; whether there was enough.
    pub(crate) async fn take_in_all(
        &self,
        connection: &mut impl ConnectionLike,
        (errand, cap): (&str, u64),
        price: u64,
    ) -> RedisResult<bool> {
        let mut call = self.call(Verb::Spend);
        call.arg("take").arg(errand).arg(price).arg(cap).arg(NO_DAY);
        let (word, _): (String, u64) = call.invoke_async(connection).await?;
        Ok(word == "taken")
    }

    /// Puts right what was taken on `day`: `cost` for `price`. Answers what is spent of it then.
    pub(crate) async fn put_right(
        &self,
        connection: &mut impl ConnectionLike,
        (tenant, day): (&str, u64),
        (price, cost): (u64, u64),
    ) -> RedisResult<u64> {
        let mut call = self.call(Verb::Spend);
        call.arg("settle").arg(tenant).arg(cost).arg(day).arg(price);
        let (_, spent): (String, u64) = call.invoke_async(connection).await?;
        Ok(spent)
    }

    /// Lets go on whose tenant has money again, behind the first `passed_by` jobs; how many there were, and
    /// behind how many the next call begins, if there is more to look at.
    pub(crate) async fn afford(
        &self,
        connection: &mut impl ConnectionLike,
        budgets: &BTreeMap<String, u64>,
        passed_by: u64,
    ) -> RedisResult<(u64, Option<u64>)> {
        let mut call = self.call(Verb::Afford);
        call.arg(passed_by);
        for (tenant, budget) in budgets {
            call.arg(tenant).arg(*budget);
        }
        let (woken, next): (u64, i64) = call.invoke_async(connection).await?;
        Ok((woken, u64::try_from(next).ok()))
    }
}
