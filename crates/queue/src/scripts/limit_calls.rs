//! The calls by which a fleet keeps the limits of providers' accounts.

use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{FromRedisValue, ParsingError, RedisResult, Value};

use super::arguments::millis;
use super::{Scripts, Verb};

/// What operators have set of an account; 0 is any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Requests a minute.
    pub requests: u32,
    /// Tokens a minute.
    pub tokens: u32,
    /// Calls in flight.
    pub in_flight: u32,
}

/// A call that asks for a place.
#[derive(Clone, Copy, Debug)]
pub struct AdmitRequest<'call> {
    /// The account's name in keys.
    pub account: &'call str,
    /// What it allows.
    pub allowance: Allowance,
    /// The call's name, used by no other.
    pub call: &'call str,
    /// Tokens that it uses, at most.
    pub tokens: u64,
    /// Longest wait for which a place is kept, at most ten minutes.
    pub patience: Duration,
    /// When it has ended for certain, after its begin.
    pub hold: Duration,
}

/// Whether a call may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// After this wait; its place is kept.
    Granted(Duration),
    /// Not now.
    Refused {
        /// What does not let it begin.
        by: AccountLimit,
        /// When asking again is of use.
        again: Duration,
    },
}

/// What may hold a call back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountLimit {
    /// Requests a minute.
    Requests,
    /// Tokens a minute.
    Tokens,
    /// Calls in flight.
    InFlight,
    /// The provider has asked some worker to be left alone.
    Told,
}

impl AccountLimit {
    const ALL: [Self; 4] = [Self::Requests, Self::Tokens, Self::InFlight, Self::Told];

    /// Its one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::InFlight => "in_flight",
            Self::Told => "told",
        }
    }
}

/// What became of calls of one account, and what its provider has told.
#[derive(Clone, Copy, Debug)]
pub struct Settlement<'calls> {
    /// The account's name in keys.
    pub account: &'calls str,
    /// What it allows.
    pub allowance: Allowance,
    /// How long the provider has asked to be left alone.
    pub asked: Option<Duration>,
    /// What it has told of requests.
    pub requests: Told,
    /// What it has told of tokens.
    pub tokens: Told,
    /// Requests and tokens that were given away and not used.
    pub unused: (u64, u64),
    /// Calls that are over, at most 100.
    pub over: &'calls [String],
}

/// What a provider has told of one of its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// How many there are.
    pub limit: Option<u64>,
    /// How many are left.
    pub left: Option<u64>,
    /// After which time all are there again.
    pub full_after: Option<Duration>,
}

impl Told {
    fn words(self) -> [String; 3] {
        let full = self.full_after.map(millis);
        [self.limit, self.left, full].map(|word| word.map_or_else(String::new, |n| n.to_string()))
    }
}

impl Scripts {
    /// Asks for a place for one call.
    pub(crate) async fn admit(
        &self,
        connection: &mut impl ConnectionLike,
        request: &AdmitRequest<'_>,
    ) -> RedisResult<Admission> {
        let AdmitRequest { account, allowance, call: name, tokens, patience, hold } = *request;
        let Allowance { requests, tokens: a_minute, in_flight } = allowance;
        let mut call = self.call(Verb::Admit);
        call.arg(account).arg(name).arg(requests).arg(a_minute).arg(in_flight);
        call.arg(tokens).arg(millis(patience)).arg(millis(hold));
        call.invoke_async(connection).await
    }

    /// Says what became of calls.
    pub(crate) async fn settle(
        &self,
        connection: &mut impl ConnectionLike,
        settlement: &Settlement<'_>,
    ) -> RedisResult<()> {
        let Settlement { account, allowance, asked, requests, tokens, unused, over } = settlement;
        let mut call = self.call(Verb::Settle);
        call.arg(account).arg(allowance.requests).arg(allowance.tokens);
        call.arg(asked.map_or(0, millis)).arg(&requests.words()).arg(&tokens.words());
        call.arg(unused.0).arg(unused.1).arg(*over);
        call.invoke_async::<u8>(connection).await.map(drop)
    }
}

impl FromRedisValue for Admission {
    fn from_redis_value(answer: Value) -> Result<Self, ParsingError> {
        let (word, ms) = <(String, u64)>::from_redis_value(answer)?;
        let again = Duration::from_millis(ms);
        let limit = AccountLimit::ALL.into_iter().find(|limit| limit.as_str() == word);
        Ok(limit.map_or(Self::Granted(again), |by| Self::Refused { by, again }))
    }
}
