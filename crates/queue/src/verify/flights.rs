//! Flights: whoever waits has somebody that pays or will; whoever pays is leased.

use super::{Look, PAGE, Text};
use crate::QueueError;

/// Three fields of a record, each if it is there.
type Fields = (Option<Text>, Option<Text>, Option<Text>);

/// What a flight's key holds.
#[derive(PartialEq)]
enum Air {
    /// Nothing, or the mark of a landing.
    Empty,
    /// A job that is leased under the flight's token pays for it.
    Alive,
    /// An owner that no longer is one.
    Orphaned,
}

impl Look<'_> {
    pub(super) async fn flights(&mut self) -> Result<(), QueueError> {
        let flights = std::mem::take(&mut self.flights);
        self.counts.flights = flights.len();
        for key in &flights {
            self.flight(key).await?;
        }
        for key in &std::mem::take(&mut self.waiters) {
            self.waiters_of(key).await?;
        }
        Ok(())
    }

    async fn flight(&mut self, key: &str) -> Result<(), QueueError> {
        let name = format!("flight:{key}");
        let full = self.key(&name);
        let (landed, left): (Option<Text>, i64) = redis::pipe()
            .hget(&full, "landed")
            .cmd("PTTL")
            .arg(&full)
            .query_async(self.connection)
            .await?;
        if landed.is_some() && left == -1 {
            self.blame("flight", &name, "its mark has no time to live");
        }
        if landed.is_none() && left >= 0 {
            self.blame("ttl", &name, "a flight in the air has a time to live");
        }
        if landed.is_none() && self.air(key).await? == Air::Orphaned {
            self.blame("flight", &name, "its owner is not leased under its token");
        }
        Ok(())
    }

    /// A flight that changes under the look is alive: somebody has just joined or left it.
    async fn air(&mut self, key: &str) -> Result<Air, QueueError> {
        let before = self.owner(key).await?;
        let (Some(job), Some(token)) = &before else { return Ok(Air::Empty) };
        let mut look = redis::cmd("HMGET");
        look.arg(self.scripts.keys().job(job)).arg("state").arg("token").arg("owns");
        let (state, held, owns): Fields = look.query_async(self.connection).await?;
        let owns = owns.is_some_and(|owns| owns.lines().any(|line| line == key));
        let pays = state.as_deref() == Some("leased") && held.as_ref() == Some(token) && owns;
        let alive = pays || self.owner(key).await? != before;
        Ok(if alive { Air::Alive } else { Air::Orphaned })
    }

    /// Job and token of the flight.
    async fn owner(&mut self, key: &str) -> Result<(Option<Text>, Option<Text>), QueueError> {
        let mut look = redis::cmd("HMGET");
        look.arg(self.key(&format!("flight:{key}"))).arg("job").arg("token");
        Ok(look.query_async(self.connection).await?)
    }

    async fn waiters_of(&mut self, key: &str) -> Result<(), QueueError> {
        let full = self.key(&format!("waiters:{key}"));
        let (mut cursor, mut parked) = (0_u64, false);
        loop {
            let mut scan = redis::cmd("ZSCAN");
            scan.arg(&full).arg(cursor).arg("COUNT").arg(PAGE);
            let (next, page): (u64, Vec<(Text, f64)>) = scan.query_async(self.connection).await?;
            self.counts.members += page.len();
            parked |= self.some_wait(key, &page).await?;
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        let mut look = redis::cmd("SISMEMBER");
        look.arg(self.key("landed")).arg(key);
        let on_the_way: bool = look.query_async(self.connection).await?;
        if parked && !on_the_way && !self.heirs.contains(key) && self.air(key).await? != Air::Alive
        {
            self.blame("flight", &format!("waiters:{key}"), "they wait and nobody pays or will");
        }
        Ok(())
    }

    /// Whether one of these is parked for the flight; one that neither waits nor runs is misplaced.
    async fn some_wait(&mut self, key: &str, page: &[(Text, f64)]) -> Result<bool, QueueError> {
        let mut pipeline = redis::pipe();
        for (id, _) in page {
            let record = self.scripts.keys().job(id);
            pipeline.cmd("HMGET").arg(record).arg("state").arg("reason").arg("awaits");
        }
        let records: Vec<Fields> = self.send(&pipeline).await?;
        let mut some = false;
        for ((id, _), (state, reason, awaits)) in page.iter().zip(records) {
            let parked = state.as_deref() == Some("parked") && reason.as_deref() == Some("flight");
            let listed = awaits.is_some_and(|awaits| awaits.lines().any(|line| line == key));
            if !listed || !(parked || state.as_deref() == Some("leased")) {
                let state = state.as_deref().unwrap_or("without a record");
                self.blame("flight", id, format!("it is {state} and a waiter of `{key}`"));
            }
            some |= parked;
        }
        Ok(some)
    }
}
