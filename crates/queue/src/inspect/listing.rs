//! A state and a place go in, a page of records comes out.

use std::fmt;
use std::str::FromStr;

use redis::AsyncCommands;
use stillcast_enqueue::connection::SharedConnection;
use stillcast_enqueue::{InvalidField, JobRecord, State};

use super::inspector::Inspector;
use crate::QueueError;

/// Most records of one page.
pub const MAX_PAGE: usize = 500;
/// Stands in no identifier and in no index' name.
const SEPARATOR: char = '~';

/// Some jobs, and where the next ones begin.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Waiting jobs in the order in which their turn comes, ended ones from the newest.
    pub jobs: Vec<JobRecord>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// A place in a listing: after this job. Stays good while jobs come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    index: &'static str,
    score: i64,
    id: String,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SEPARATOR}{}{SEPARATOR}{}", self.index, self.score, self.id)
    }
}

impl FromStr for Cursor {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault =
            || InvalidField::value("cursor", "what a listing gave as its next", "another text");
        let mut parts = text.splitn(3, SEPARATOR);
        let mut part = || parts.next().ok_or_else(fault);
        let (word, score, id) = (part()?, part()?, part()?);
        let index = indexes(None).into_iter().find(|index| *index == word).ok_or_else(fault)?;
        Ok(Self { index, score: score.parse().map_err(|_| fault())?, id: id.to_owned() })
    }
}

impl Inspector {
    /// At most `limit` (and [`MAX_PAGE`]) jobs in `state`, or in any, after `cursor`.
    pub async fn list(
        &self,
        state: Option<State>,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Page, QueueError> {
        let found = self.scan(state, limit.min(MAX_PAGE), cursor).await?;
        let ids: Vec<&str> = found.iter().map(|place| place.id.as_str()).collect();
        let records = self.records(&ids).await?.into_iter().flatten();
        // A job may have moved on between the index and its record.
        let jobs = records.filter(|record| state.is_none_or(|state| state == record.state));
        let jobs = jobs.collect();
        let next = if found.len() < limit.min(MAX_PAGE) { None } else { found.last().cloned() };
        Ok(Page { jobs, next })
    }

    /// At most `limit` (and [`MAX_PAGE`]) places of jobs in `state` behind `after`, without their
    /// records.
    pub async fn places(
        &self,
        state: State,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Vec<Cursor>, QueueError> {
        self.scan(Some(state), limit.min(MAX_PAGE), after).await
    }

    async fn scan(
        &self,
        state: Option<State>,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Vec<Cursor>, QueueError> {
        let mut found: Vec<Cursor> = Vec::new();
        let begin = |index: &&str| cursor.is_some_and(|cursor| cursor.index != *index);
        for index in indexes(state).into_iter().skip_while(begin) {
            let after = cursor.filter(|cursor| cursor.index == index);
            let missing = limit - found.len();
            if missing > 0 {
                found.extend(self.scan_index(index, missing, after).await?);
            }
        }
        Ok(found)
    }

    async fn scan_index(
        &self,
        index: &'static str,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Vec<Cursor>, QueueError> {
        let key = self.endpoint.keys().named(index);
        let mut connection = self.connection.clone();
        let first = match after {
            Some(cursor) => cursor.place_after(&key, &mut connection).await?,
            None => 0,
        };
        let (first, last) = (first.cast_signed(), (first + limit - 1).cast_signed());
        let members: Vec<(String, i64)> = if is_newest_first(index) {
            connection.zrevrange_withscores(&key, first, last).await?
        } else {
            connection.zrange_withscores(&key, first, last).await?
        };
        Ok(members.into_iter().map(|(id, score)| Cursor { index, score, id }).collect())
    }
}

impl Cursor {
    /// The job.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What its index sorts it by: its rank, or a time in ms; of an ended job, when it ended.
    pub fn score(&self) -> i64 {
        self.score
    }

    /// The position of the first job after this one, which may have left since.
    async fn place_after(
        &self,
        key: &str,
        connection: &mut SharedConnection,
    ) -> Result<usize, QueueError> {
        let newest_first = is_newest_first(self.index);
        let rank: Option<usize> = if newest_first {
            connection.zrevrank(key, &self.id).await?
        } else {
            connection.zrank(key, &self.id).await?
        };
        if let Some(rank) = rank {
            return Ok(rank + 1);
        }
        let excluded = format!("({}", self.score);
        let (from, to) = if newest_first { (&*excluded, "+inf") } else { ("-inf", &*excluded) };
        Ok(connection.zcount(key, from, to).await?)
    }
}

/// The indexes that hold the jobs of `state`; those of every state in the order of a job's life.
fn indexes(state: Option<State>) -> Vec<&'static str> {
    let one = |state: State| match state {
        State::Ready => vec!["ready", "solo"],
        other => vec![other.as_str()],
    };
    state.map_or_else(|| State::ALL.into_iter().flat_map(one).collect(), one)
}

fn is_newest_first(index: &str) -> bool {
    State::parse(index).is_some_and(State::is_terminal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text() {
        for index in ["ready", "solo", "dead"] {
            let cursor = Cursor { index, score: -300_000, id: "a.b-c_d".to_owned() };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn a_foreign_cursor_is_refused() {
        for text in ["", "ready", "ready~1", "ready~x~id", "idem~1~id"] {
            assert!(text.parse::<Cursor>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn every_state_has_its_index() {
        for state in State::ALL {
            assert_eq!(indexes(Some(state))[0], state.as_str());
        }
        assert_eq!(indexes(None).len(), State::ALL.len() + 1);
    }
}
