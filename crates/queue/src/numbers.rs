//! Pairs of a name and a number, as a script answers them, go in; numbers by name come out.

use std::collections::HashMap;

use redis::{FromRedisValue, ParsingError, Value};

use crate::QueueError;

/// Numbers by name.
pub(crate) struct Numbers(HashMap<String, i64>);

impl FromRedisValue for Numbers {
    fn from_redis_value(answer: Value) -> Result<Self, ParsingError> {
        HashMap::from_redis_value(answer).map(Self)
    }
}

impl Numbers {
    /// One number of the answer of `script`.
    pub(crate) fn get(&self, script: &'static str, name: &str) -> Result<i64, QueueError> {
        let missing = || QueueError::Protocol { script, answer: format!("no number `{name}`") };
        self.0.get(name).copied().ok_or_else(missing)
    }

    /// One number that counts something, so that it is never negative.
    pub(crate) fn count(&self, script: &'static str, name: &str) -> Result<u64, QueueError> {
        self.get(script, name).map(|number| u64::try_from(number).unwrap_or(0))
    }

    #[cfg(test)]
    pub(crate) fn of(pairs: &[(&str, i64)]) -> Self {
        Self(pairs.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect())
    }
}
