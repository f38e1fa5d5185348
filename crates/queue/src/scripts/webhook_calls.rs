//! The calls of whoever delivers webhooks, and of a person who has one sent again.

use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{RedisResult, Value};

use super::arguments::millis;
use super::{Scripts, Verb};
use crate::QueueError;
use crate::webhooks::{Delivery, Due};

/// Whoever takes deliveries, and how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotifyRequest<'call> {
    /// Made anew for each call: a part of the tokens.
    pub(crate) nonce: &'call str,
    /// At most so many, 1 to 100.
    pub(crate) most: usize,
    /// For how long they are the caller's.
    pub(crate) lease: Duration,
    /// Attempts of one delivery.
    pub(crate) tries: usize,
    /// For how long they must have been due.
    pub(crate) overdue: Duration,
}

/// What became of one attempt, in the words of the script.
#[derive(Clone, Debug)]
pub(crate) struct NotifiedRequest {
    /// The outcome.
    pub(crate) outcome: &'static str,
    /// Until it is due again.
    pub(crate) delay: Duration,
    /// Why it is held.
    pub(crate) why: &'static str,
    /// The attempt as JSON; empty for none.
    pub(crate) attempt: String,
    /// The beginning of the answer.
    pub(crate) answer: String,
}

impl Scripts {
    /// Deliveries that are due, now the caller's.
    pub(crate) async fn notify(
        &self,
        connection: &mut impl ConnectionLike,
        request: NotifyRequest<'_>,
    ) -> Result<Due, QueueError> {
        let NotifyRequest { nonce, most, lease, tries, overdue } = request;
        let mut call = self.call(Verb::Notify);
        call.arg(nonce).arg(most).arg(millis(lease)).arg(tries).arg(millis(overdue));
        let answer: Vec<Value> = call.invoke_async(connection).await?;
        let next = match answer.first() {
            Some(Value::Int(next)) => u64::try_from(*next).ok().map(Duration::from_millis),
            _ => return Err(QueueError::Protocol { script: "notify", answer: "no time".into() }),
        };
        let row = |value| if let Value::Array(row) = value { Delivery::read(row) } else { None };
        Ok(Due { deliveries: answer.into_iter().skip(1).filter_map(row).collect(), next })
    }

    /// What became of the attempt `token` of the delivery of `id`; where it stands, none when stale.
    pub(crate) async fn notified(
        &self,
        connection: &mut impl ConnectionLike,
        id: &str,
        token: &str,
        request: &NotifiedRequest,
    ) -> RedisResult<Option<String>> {
        let NotifiedRequest { outcome, delay, why, attempt, answer } = request;
        let mut call = self.call(Verb::Notified);
        call.arg(id).arg(token).arg(*outcome).arg(millis(*delay)).arg(*why);
        let words: (String, String) =
            call.arg(attempt).arg(answer).invoke_async(connection).await?;
        Ok(Some(words).filter(|(word, _)| word == "ok").map(|(_, state)| state))
    }
}
