//! What a job hears of a flight when it joins it, and what it says of it in the end, as types and as
//! the words of the scripts.

/// What joining a flight answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JoinAnswer {
    /// This job pays; recall once more before, land after.
    Owned,
    /// The named job already pays.
    Waiting {
        /// The owner.
        owner: String,
    },
    /// The value exists but cannot be shared: pay without a flight.
    Unshared,
    /// This input can never succeed; the owner's error as JSON.
    Permanent(String),
}

/// How a flight ends for its waiters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlightResult {
    /// The value can be recalled.
    Stored,
    /// The value could not be stored: each waiter pays for itself.
    Unshared,
    /// This input can never succeed; the error as JSON.
    Permanent(String),
}

impl JoinAnswer {
    /// Reads the answer of `lua/join.lua`; `None` when the token is stale.
    pub(crate) fn from_words(words: &[impl AsRef<str>]) -> Option<Self> {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        match words.as_slice() {
            ["owned"] => Some(Self::Owned),
            ["waiting", owner] => Some(Self::Waiting { owner: (*owner).to_owned() }),
            ["landed", how] => Some(
                how.strip_prefix("permanent ")
                    .map_or(Self::Unshared, |error| Self::Permanent(error.to_owned())),
            ),
            _ => None,
        }
    }
}

impl FlightResult {
    /// The word for `lua/land.lua`.
    pub(crate) fn as_word(&self) -> String {
        match self {
            Self::Stored => "stored".to_owned(),
            Self::Unshared => "unshared".to_owned(),
            Self::Permanent(error) => format!("permanent {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_owner_says_its_waiters_hear() {
        let heard = |result: FlightResult| JoinAnswer::from_words(&["landed", &result.as_word()]);
        assert_eq!(heard(FlightResult::Unshared), Some(JoinAnswer::Unshared));
        let error = "{\"code\":\"x\"}".to_owned();
        let permanent = Some(JoinAnswer::Permanent(error.clone()));
        assert_eq!(heard(FlightResult::Permanent(error)), permanent);
        assert_eq!(JoinAnswer::from_words(&["stale"]), None);
    }
}
