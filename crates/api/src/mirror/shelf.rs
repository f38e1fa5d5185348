//! Facts go in, in any order; the newest stay, as many as there is room for, and are looked through
//! from the newest.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Bound::{Excluded, Unbounded};
use std::str::FromStr;
use std::sync::Arc;

use stillcast_enqueue::JobRecord;

use crate::facts::{Facts, Words};

/// Stands in no number.
const SEPARATOR: char = '~';

/// How much there is room for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) jobs: usize,
    pub(crate) bytes: usize,
}

/// A place among all jobs, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    enqueued_ms: Reverse<i64>,
    pub(crate) id: Arc<str>,
}

/// The jobs, by their places.
#[derive(Debug)]
pub(super) struct Shelf {
    room: Room,
    rows: BTreeMap<Place, Row>,
    /// When each was accepted, which is where it lies.
    places: HashMap<Arc<str>, i64>,
    words: Words,
    bytes: usize,
    /// When the newest was accepted of those for which there was no room; older ones need not come.
    floor_ms: Option<i64>,
    /// How many there was no room for.
    left_out: usize,
}

#[derive(Debug)]
struct Row {
    facts: Facts,
    /// The last comparison that has met it.
    met: u64,
}

impl Shelf {
    pub(super) fn new(room: Room) -> Self {
        Self {
            room,
            rows: BTreeMap::new(),
            places: HashMap::new(),
            words: Words::default(),
            bytes: 0,
            floor_ms: None,
            left_out: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn left_out(&self) -> usize {
        self.left_out
    }

    /// Whether there can be no room for a job that was accepted, or has ended, then.
    pub(super) fn is_below(&self, at_ms: i64) -> bool {
        self.floor_ms.is_some_and(|floor_ms| at_ms < floor_ms)
    }

    /// What is kept of a job.
    pub(super) fn get(&self, id: &str) -> Option<&Facts> {
        let (id, enqueued_ms) = self.places.get_key_value(id)?;
        let place = Place { enqueued_ms: Reverse(*enqueued_ms), id: Arc::clone(id) };
        self.rows.get(&place).map(|row| &row.facts)
    }

    /// Takes a record over in place of what was known of the job.
    pub(super) fn put(&mut self, record: &JobRecord, met: u64) {
        self.remove(&record.id);
        let facts = Facts::of(record, &mut self.words);
        if self.is_below(facts.enqueued_ms) {
            return;
        }
        let place = Place { enqueued_ms: Reverse(facts.enqueued_ms), id: Arc::clone(&facts.id) };
        self.bytes += facts.bytes();
        self.places.insert(Arc::clone(&facts.id), facts.enqueued_ms);
        self.rows.insert(place, Row { facts, met });
        while self.rows.len() > self.room.jobs || self.bytes > self.room.bytes {
            let Some((oldest, _)) = self.rows.last_key_value() else { return };
            let (Reverse(enqueued_ms), id) = (oldest.enqueued_ms, Arc::clone(&oldest.id));
            self.remove(&id);
            self.floor_ms = self.floor_ms.max(Some(enqueued_ms));
            self.left_out += 1;
        }
    }

    pub(super) fn remove(&mut self, id: &str) {
        let Some((id, enqueued_ms)) = self.places.remove_entry(id) else { return };
        if let Some(row) = self.rows.remove(&Place { enqueued_ms: Reverse(enqueued_ms), id }) {
            self.bytes -= row.facts.bytes();
        }
    }

    /// A comparison has met the job as it is known.
    pub(super) fn meet(&mut self, id: &str, met: u64) {
        let Some((id, enqueued_ms)) = self.places.get_key_value(id) else { return };
        let place = Place { enqueued_ms: Reverse(*enqueued_ms), id: Arc::clone(id) };
        if let Some(row) = self.rows.get_mut(&place) {
            row.met = met;
        }
    }

    /// The jobs that no comparison has met since `met`.
    pub(super) fn unmet(&self, met: u64) -> Vec<String> {
        let unmet = self.rows.values().filter(|row| row.met != met);
        unmet.map(|row| row.facts.id.to_string()).collect()
    }

    /// A comparison is over, and has found so many jobs in all. Where there is room again, older ones
    /// come in by the next.
    pub(super) fn sweep(&mut self, in_all: usize) {
        self.words.sweep();
        self.left_out = in_all.saturating_sub(self.len());
        let is_full = |is: usize, room: usize| is * 10 > room * 9;
        if !is_full(self.len(), self.room.jobs) && !is_full(self.bytes, self.room.bytes) {
            self.floor_ms = None;
        }
    }

    /// Looks at so many jobs behind `after`; the last of them, if there were as many.
    pub(super) fn look(
        &self,
        after: Option<&Place>,
        steps: usize,
        mut at: impl FnMut(&Place, &Facts),
    ) -> Option<Place> {
        let begin = after.map_or(Unbounded, Excluded);
        let (mut looked, mut last) = (0, None);
        for (place, row) in self.rows.range((begin, Unbounded)).take(steps) {
            at(place, &row.facts);
            (looked, last) = (looked + 1, Some(place));
        }
        last.filter(|_| looked == steps).cloned()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SEPARATOR}{}", self.enqueued_ms.0, self.id)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (enqueued_ms, id) = text.split_once(SEPARATOR).ok_or(())?;
        let enqueued_ms = Reverse(enqueued_ms.parse().map_err(|_| ())?);
        Ok(Self { enqueued_ms, id: id.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { jobs: 3, bytes: 1 << 20 };

    fn record(id: &str, enqueued_ms: i64, metadata: &str) -> JobRecord {
        let enqueued_ms = enqueued_ms.to_string();
        let hash = [("state", "ready"), ("enqueued_ms", &enqueued_ms), ("metadata", metadata)];
        let hash = hash.map(|(field, value)| (field.to_owned(), value.to_owned())).into();
        JobRecord::from_hash(id, &hash).unwrap()
    }

    fn all(shelf: &Shelf) -> Vec<String> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            after = shelf.look(after.as_ref(), 2, |place, _| all.push(place.id.to_string()));
            if after.is_none() {
                return all;
            }
        }
    }

    #[test]
    fn the_newest_come_first_and_the_oldest_go_first() {
        let mut shelf = Shelf::new(ROOM);
        for (id, at) in [("b", 2), ("d", 4), ("a", 1), ("c", 3)] {
            shelf.put(&record(id, at, ""), 1);
        }
        assert_eq!((all(&shelf).join(" "), shelf.left_out()), ("d c b".to_owned(), 1));
        assert!(shelf.is_below(0) && !shelf.is_below(1));
        // The same job enqueued anew lies elsewhere, once.
        shelf.put(&record("b", 9, ""), 1);
        assert_eq!(all(&shelf), ["b", "d", "c"]);
        shelf.remove("d");
        shelf.remove("d");
        assert_eq!((all(&shelf), shelf.len()), (vec!["b".to_owned(), "c".to_owned()], 2));
        assert_eq!(shelf.get("c").unwrap().enqueued_ms, 3);
        assert!(shelf.get("d").is_none());
        shelf.put(&record("older", 0, ""), 1);
        assert!(shelf.get("older").is_none(), "those that are newer had no room");
        shelf.sweep(3);
        shelf.put(&record("older", 0, ""), 1);
        assert_eq!((all(&shelf).join(" "), shelf.left_out()), ("b c older".to_owned(), 1));
    }

    #[test]
    fn there_is_room_for_so_many_bytes() {
        let mut shelf = Shelf::new(Room { jobs: 100, bytes: 4000 });
        let long = format!(r#"{{"show":"{}"}}"#, "x".repeat(1000));
        for at in 0..10 {
            shelf.put(&record(&format!("job-{at}"), at, &long), 1);
        }
        assert_eq!(all(&shelf), ["job-9", "job-8"]);
        shelf.put(&record("job-9", 9, ""), 1);
        shelf.put(&record("job-8", 8, ""), 1);
        let bytes: usize = ["job-9", "job-8"].map(|id| shelf.get(id).unwrap().bytes()).iter().sum();
        assert_eq!(shelf.bytes, bytes);
    }

    #[test]
    fn who_was_not_met_is_found() {
        let mut shelf = Shelf::new(ROOM);
        shelf.put(&record("a", 1, ""), 1);
        shelf.put(&record("b", 2, ""), 2);
        shelf.meet("a", 2);
        assert_eq!((shelf.unmet(2), shelf.unmet(1).len()), (vec![], 2));
    }

    #[test]
    fn a_place_survives_its_text() {
        let place = Place { enqueued_ms: Reverse(-7), id: "a~b".into() };
        assert_eq!(place.to_string().parse(), Ok(place));
        assert!("7".parse::<Place>().is_err() && "x~id".parse::<Place>().is_err());
    }
}
