//! The queue under attack: processes are killed, stopped and cut off, and the journal is counted.
//!
//! L = 3 s, unless a test says otherwise. Tests wait for events; the only times asserted are the
//! bounds of the contract, read from the journal and from Redis' clock.

mod crashes;
mod support;
