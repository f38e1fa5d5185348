//! An endpoint is held, and its calls stay open at a known place until it is released.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

use super::faults::Endpoint;

/// What is held, and how many calls wait there.
#[derive(Debug, Default)]
pub(super) struct Holds(watch::Sender<Board>);

#[derive(Debug, Default)]
struct Board {
    held: BTreeSet<Endpoint>,
    waiting: BTreeMap<Endpoint, usize>,
}

impl Holds {
    pub(super) fn hold(&self, endpoint: Endpoint) {
        let Self(board) = self;
        board.send_modify(|board| _ = board.held.insert(endpoint));
    }

    pub(super) fn release(&self, endpoint: Endpoint) {
        let Self(board) = self;
        board.send_modify(|board| _ = board.held.remove(&endpoint));
    }

    pub(super) fn waiting(&self, endpoint: Endpoint) -> usize {
        let Self(board) = self;
        board.borrow().waiting.get(&endpoint).copied().unwrap_or_default()
    }

    /// Goes by, or waits until it may.
    pub(super) async fn pass(&self, endpoint: Endpoint) {
        let Self(board) = self;
        if !board.borrow().held.contains(&endpoint) {
            return;
        }
        let _waiting = Waiting::at(self, endpoint);
        // It ends only with its owner, and then nobody waits.
        let _ = board.subscribe().wait_for(|board| !board.held.contains(&endpoint)).await;
    }
}

/// One call at its place; also counted out when its client goes away.
struct Waiting<'board> {
    holds: &'board Holds,
    endpoint: Endpoint,
}

impl<'board> Waiting<'board> {
    fn at(holds: &'board Holds, endpoint: Endpoint) -> Self {
        holds.0.send_modify(|board| *board.waiting.entry(endpoint).or_default() += 1);
        Self { holds, endpoint }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let endpoint = self.endpoint;
        self.holds.0.send_modify(|board| *board.waiting.entry(endpoint).or_default() -= 1);
    }
}
