//! A filter goes in; the jobs that it means come out, step by step, so that nobody waits for a search.

use chrono::Utc;

use super::known::{Freshness, Mirror};
use super::shelf::Place;
use crate::facts::Facts;
use crate::filter::Filter;
use crate::problem::Problem;

/// Jobs that a search looks at before it lets others go on.
const A_STEP: usize = 1_000;

/// What a search has found.
#[derive(Debug)]
pub(crate) struct Found {
    /// A page of them, the newest first.
    pub(crate) page: Vec<Place>,
    /// How many there are in all.
    pub(crate) matches: usize,
    pub(crate) freshness: Freshness,
}

impl Mirror {
    /// The first `limit` jobs behind `after` that a filter means, and how many it means in all.
    pub(crate) async fn find(
        &self,
        filter: &Filter,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Found, Problem> {
        let (mut page, mut matches) = (Vec::new(), 0);
        let freshness = self
            .visit(filter, |place, _| {
                matches += 1;
                if page.len() < limit && after.is_none_or(|after| place > after) {
                    page.push(place.clone());
                }
            })
            .await?;
        Ok(Found { page, matches, freshness })
    }

    /// Shows every job that a filter means, the newest first.
    pub(crate) async fn visit(
        &self,
        filter: &Filter,
        at: impl FnMut(&Place, &Facts),
    ) -> Result<Freshness, Problem> {
        self.visit_at(filter, Utc::now().timestamp_millis(), at).await
    }

    /// The same, where ages are those that jobs had at `now_ms` since 1970.
    pub(crate) async fn visit_at(
        &self,
        filter: &Filter,
        now_ms: i64,
        mut at: impl FnMut(&Place, &Facts),
    ) -> Result<Freshness, Problem> {
        let freshness = self.freshness()?;
        let mut look = |place: &Place, facts: &Facts| {
            if filter.matches(facts, now_ms) {
                at(place, facts);
            }
        };
        let mut last = None;
        loop {
            last = self.known().shelf.look(last.as_ref(), A_STEP, &mut look);
            if last.is_none() {
                return Ok(freshness);
            }
            tokio::task::yield_now().await;
        }
    }
}
