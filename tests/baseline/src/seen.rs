//! The journal of a fault becomes the words of one cell.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use baseline::Errand;
use tests::fleet::Fleet;
use tests::journal::{Act, Entry};
pub(crate) use tests::wait::look;

/// What became of some errands within a window.
pub(crate) struct Seen {
    window: Duration,
    of: usize,
    done: usize,
    begun_again: usize,
    paid_twice: usize,
    took: Duration,
}

impl Seen {
    /// Looks until all errands are done, at most for `window`.
    pub(crate) async fn within(window: Duration, fleet: &Fleet, errands: &[Errand]) -> Self {
        let began = Instant::now();
        let all =
            async || (acted(fleet, errands, Act::Finish).len() == errands.len()).then_some(());
        let took = look(window, all).await.map_or(window, |()| began.elapsed());
        let more_than_once =
            |act: Act| acted(fleet, errands, act).values().filter(|times| **times > 1).count();
        let calls = fleet.account().paid_twice();
        let ours = |key: &String| errands.iter().any(|errand| key.starts_with(&errand.id));
        Self {
            window,
            of: errands.len(),
            done: acted(fleet, errands, Act::Finish).len(),
            begun_again: more_than_once(Act::Attempt),
            paid_twice: calls.iter().filter(|key| ours(key)).count(),
            took,
        }
    }

    /// Such as `4 of 4 done in 35 s, 4 begun again, no call paid twice`.
    pub(crate) fn words(&self) -> String {
        let Self { of, done, begun_again, paid_twice, .. } = self;
        let time = if done == of {
            format!("{done} of {of} done in {}", seconds(self.took))
        } else {
            format!("**{done} of {of} done** within {}", seconds(self.window))
        };
        let again = match begun_again {
            0 => String::new(),
            number => format!(", {number} begun again, {paid_twice} calls paid twice"),
        };
        format!("{time}{again}")
    }
}

/// `35 s`, or `0.4 s` below ten.
pub(crate) fn seconds(span: Duration) -> String {
    let seconds = span.as_secs_f64();
    if seconds < 10.0 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}

/// How often each errand did `act`.
pub(crate) fn acted(fleet: &Fleet, errands: &[Errand], act: Act) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for entry in fleet.account().entries() {
        if entry.act == act && errands.iter().any(|errand| errand.id == entry.job) {
            *counts.entry(entry.job).or_default() += 1;
        }
    }
    counts
}

/// The first line of the journal that `wanted` accepts.
pub(crate) async fn line(
    window: Duration,
    fleet: &Fleet,
    wanted: impl Fn(&Entry) -> bool,
) -> Option<Entry> {
    look(window, async || fleet.account().entries().into_iter().find(&wanted)).await
}
