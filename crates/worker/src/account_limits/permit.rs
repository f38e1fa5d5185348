//! A place for one call; however it is left, the fleet learns of it.

use std::sync::Arc;

use pipeline::Permit;

use super::account::{Account, Accounts};

/// The place of one call under the limits of an account.
pub(super) struct FleetPermit {
    accounts: Arc<Accounts>,
    account: Arc<Account>,
    /// The call's name; chance, so that no two have the same.
    name: String,
    tokens: u64,
    state: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Kept, and not used.
    Kept,
    /// The call is under way.
    Used,
    /// It was never there, or is told of.
    Left,
}

impl FleetPermit {
    pub(super) fn new(accounts: Arc<Accounts>, account: Arc<Account>, tokens: u64) -> Self {
        let name = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        Self { accounts, account, name, tokens, state: Place::Kept }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// There is no place.
    pub(super) fn forget(mut self) {
        self.state = Place::Left;
    }

    fn leave(&mut self) {
        let unused = match std::mem::replace(&mut self.state, Place::Left) {
            Place::Kept => (1, self.tokens),
            Place::Used => (0, 0),
            Place::Left => return,
        };
        self.account.ended(std::mem::take(&mut self.name), unused);
        self.accounts.changed.notify_one();
    }
}

impl Permit for FleetPermit {
    fn begin(&mut self) {
        self.state = Place::Used;
    }
}

impl Drop for FleetPermit {
    fn drop(&mut self) {
        self.leave();
    }
}
