//! Sockets that have said what they were asked for go in; the next passage of the same voice takes one.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::http::Socket;

/// As many as calls at once.
const MOST: usize = 8;
/// Servers end a session after an hour at most; whoever is near that would be cut off in the middle.
const OLDEST: Duration = Duration::from_mins(25);

/// Open sockets that nobody uses.
#[derive(Default)]
pub(super) struct Sockets(Mutex<Vec<Idle>>);

/// One of them. A session that has spoken keeps its voice.
pub(super) struct Idle {
    pub(super) socket: Socket,
    voice: String,
    opened: Instant,
}

impl Idle {
    pub(super) fn new(socket: Socket, voice: String) -> Self {
        Self { socket, voice, opened: Instant::now() }
    }
}

impl Sockets {
    /// The one that was used last: it is the likeliest to be open.
    pub(super) fn take(&self, voice: &str) -> Option<Idle> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|one| one.opened.elapsed() < OLDEST);
        let at = idle.iter().rposition(|one| one.voice == voice)?;
        Some(idle.remove(at))
    }

    pub(super) fn put(&self, one: Idle) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() >= MOST {
            idle.remove(0);
        }
        idle.push(one);
    }
}
