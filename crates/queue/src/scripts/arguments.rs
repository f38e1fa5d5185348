//! Values go in, the words that the scripts read come out.

use std::time::Duration;

use serde::Serialize;
use stillcast_enqueue::ErrorReport;

const CRASHED: &str = "workers died under it six times without progress; \
    look at the worker's log and memory, then replay the job";
const NO_PROGRESS: &str = "given back twenty times without progress; \
    the lease or the drain time-out is too short for one call of this job";

/// JSON; empty for nothing.
pub(super) fn json<T: Serialize>(value: Option<&T>) -> String {
    value.map_or_else(String::new, |value| {
        serde_json::to_string(value).expect("records are plain data and always serialize")
    })
}

/// The error of a job under which too many workers died.
pub(super) fn crashed() -> String {
    json(Some(&ErrorReport::new("crashed", CRASHED)))
}

/// The error of a job that was given back too often.
pub(super) fn no_progress() -> String {
    json(Some(&ErrorReport::new("no-progress", NO_PROGRESS)))
}

/// The longest span that a script takes: ten years. A report must end its lease whatever a provider has
/// asked for.
const MAX_SPAN: Duration = Duration::from_hours(24 * 3650);

pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.min(MAX_SPAN).as_millis()).unwrap_or(u64::MAX)
}
