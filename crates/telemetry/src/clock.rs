//! The time of day, for whoever shows spans and numbers beside those of other machines.

use std::time::SystemTime;

/// Now, by this machine's clock.
#[expect(clippy::disallowed_methods, reason = "spans and exemplars carry the time of day")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
