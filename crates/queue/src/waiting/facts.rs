//! What `lua/why.lua` says goes in; typed facts of one moment come out.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use stillcast_enqueue::{ErrorReport, StageName, State};

/// What is known of one job and of the queue around it.
pub(super) struct Facts {
    named: HashMap<String, String>,
    pub(super) workers: Vec<(String, Worker)>,
    /// Jobs that pay for what it waits for.
    pub(super) owners: Vec<String>,
}

/// A worker's line in `workers`: `seen|draining|nonce|job`, and of one that says so
/// `|slots|busy|lease|refused stage|next probe`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Worker {
    /// When it was heard last, in ms.
    pub(crate) seen_ms: Option<i64>,
    pub(crate) draining: bool,
    pub(crate) standing: Option<Standing>,
}

/// How a worker stands: of an older one nothing is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) slots: u64,
    pub(crate) busy: u64,
    pub(crate) lease_ms: i64,
    /// The stage that refuses it, and when its next probe is due, in ms.
    pub(crate) refused: Option<(Option<StageName>, i64)>,
}

impl Worker {
    pub(crate) fn read(line: &str) -> Self {
        let mut parts = line.split('|');
        let seen_ms = parts.next().and_then(|ms| ms.parse().ok());
        let draining = parts.next() == Some("1");
        let standing = Standing::read(&mut parts.skip(2));
        Self { seen_ms, draining, standing }
    }
}

impl Standing {
    fn read<'line>(parts: &mut impl Iterator<Item = &'line str>) -> Option<Self> {
        let slots = parts.next()?.parse().ok()?;
        let busy = parts.next()?.parse().ok()?;
        let lease_ms = parts.next()?.parse().ok()?;
        let (stage, next) = (parts.next()?, parts.next()?);
        let refused = (!stage.is_empty())
            .then(|| (StageName::parse(stage), next.parse().unwrap_or_default()));
        Some(Self { slots, busy, lease_ms, refused })
    }
}

impl Facts {
    /// `None` when the answer is that of an unknown job.
    pub(super) fn of(lists: Vec<Vec<Vec<u8>>>) -> Option<Self> {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let mut lists = lists.into_iter().map(|list| list.into_iter().map(text));
        let named = pairs(lists.next()?);
        let workers = lists.next().map(pairs).unwrap_or_default();
        let workers = workers.into_iter().map(|(name, line)| (name, Worker::read(&line)));
        let owners = lists.next().map(Iterator::collect).unwrap_or_default();
        Some(Self { named: named.into_iter().collect(), workers: workers.collect(), owners })
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.named.get(name).map(String::as_str)
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    pub(super) fn count(&self, name: &str) -> u64 {
        self.number(name).and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
    }

    /// A time in ms; the epoch when it is none.
    pub(super) fn at(&self, name: &str) -> DateTime<Utc> {
        moment(self.number(name).unwrap_or_default())
    }

    pub(super) fn now(&self) -> i64 {
        self.number("now").unwrap_or_default()
    }

    pub(super) fn state(&self) -> Option<State> {
        State::parse(self.text("state")?)
    }

    pub(super) fn error(&self) -> Option<ErrorReport> {
        serde_json::from_str(self.text("error")?).ok()
    }
}

/// A time in ms.
pub(super) fn moment(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

fn pairs(list: impl Iterator<Item = String>) -> Vec<(String, String)> {
    let list: Vec<String> = list.collect();
    let (pairs, _) = list.as_chunks::<2>();
    pairs.iter().cloned().map(|[name, value]| (name, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_any_version_is_read() {
        let old = Worker::read("1700000000123|1|nonce|job-1");
        assert_eq!(
            (old.seen_ms, old.draining, old.standing),
            (Some(1_700_000_000_123), true, None)
        );
        let new = Worker::read("17|0|||4|2|30000||0").standing.unwrap();
        assert_eq!((new.slots, new.busy, new.lease_ms, new.refused), (4, 2, 30_000, None));
        let refused = |line| Worker::read(line).standing.unwrap().refused;
        assert_eq!(refused("17|0|n|j|4|2|30000|tts|99"), Some((Some(StageName::Tts), 99)));
        assert_eq!(refused("17|0|n|j|4|2|30000|any|99|more"), Some((None, 99)));
        assert_eq!(Worker::read("x|0|n|j|four").standing, None);
        assert_eq!(Worker::read(""), Worker::default());
    }
}
