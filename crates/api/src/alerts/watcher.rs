//! The turn of one server that watches: it looks, waits until an alert holds for long enough, and tells.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use queue::{Inspector, QueueError};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use uuid::Uuid;

use super::conditions::{ALERTS, Alert, Dead, Look};
use super::teller::Teller;
use crate::numbers::Numbers;

/// Between two looks.
const TURN: Duration = Duration::from_secs(3);
/// A server that has not looked for so long has left; another one watches.
const LEASE: Duration = Duration::from_secs(10);
/// The same while a message is on its way: longer than anybody may take to answer.
const TELLING: Duration = Duration::from_secs(20);
/// Longest look.
const LOOK: Duration = Duration::from_secs(5);
/// Longest wait before what nobody has taken is sent again.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

pub(super) struct Watcher {
    inspector: Inspector,
    teller: Arc<dyn Teller>,
    /// This server's name among those that watch.
    server: String,
    dead: Dead,
    /// Since when an alert holds.
    held: BTreeMap<&'static str, Instant>,
    /// What this server has told of not reaching the queue: it cannot be kept there.
    unreachable: Told,
    /// Nothing is sent before; and how often in a row nobody has taken it.
    pause: (Instant, u32),
}

/// What was told last of an alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    /// Which message of it that was, from 1.
    number: u64,
    is_firing: bool,
}

impl Watcher {
    pub(super) fn new(inspector: Inspector, teller: Arc<dyn Teller>) -> Self {
        Self {
            inspector,
            teller,
            server: Uuid::now_v7().simple().to_string(),
            dead: Dead::new(),
            held: BTreeMap::new(),
            unreachable: Told::default(),
            pause: (Instant::now(), 0),
        }
    }

    pub(super) async fn run(mut self) {
        let mut turns = interval(TURN);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            self.turn().await;
        }
    }

    async fn turn(&mut self) {
        let [unreachable, others @ ..] = &ALERTS;
        let looked = timeout(LOOK, self.look()).await;
        let is_reached = matches!(looked, Ok(Ok(_)));
        if let Some(told) = self.judge(unreachable, !is_reached, self.unreachable).await {
            self.unreachable = told;
        }
        match looked {
            Ok(Ok(Some((look, all)))) => {
                for alert in others {
                    let told =
                        all.get(alert.name).map_or_else(Told::default, |one| Told::read(one));
                    if let Some(told) =
                        self.judge(alert, alert.holds(&look, told.is_firing), told).await
                    {
                        self.keep(alert, told).await;
                    }
                }
            }
            // Another server watches: what this one has seen is old when its turn comes.
            Ok(Ok(None)) => {
                self.held.clear();
                self.dead = Dead::new();
            }
            Ok(Err(_)) | Err(_) => {}
        }
    }

    /// The queue, and what was told last; `None` while another server watches.
    async fn look(&mut self) -> Result<Option<(Look, HashMap<String, String>)>, QueueError> {
        let told = self.inspector.watch_alerts(&self.server, LEASE).await?;
        let Some(told) = told else { return Ok(None) };
        let numbers = Numbers::read(&self.inspector).await?;
        let fewest_dead = self.dead.fewest(numbers.stats.states.dead);
        let is_young = self.dead.is_young();
        Ok(Some((Look { numbers, fewest_dead, is_young }, told)))
    }

    /// Tells of `alert` when it has changed; what has been told then.
    async fn judge(&mut self, alert: &Alert, holds: bool, told: Told) -> Option<Told> {
        if holds {
            let since = *self.held.entry(alert.name).or_insert_with(Instant::now);
            if told.is_firing || since.elapsed() < alert.after {
                return None;
            }
        } else {
            self.held.remove(alert.name);
            if !told.is_firing {
                return None;
            }
        }
        if !alert.is_told_by_all() && !self.still_watches().await {
            return None;
        }
        let next = Told { number: told.number + 1, is_firing: holds };
        self.tell(alert, next).await.then_some(next)
    }

    /// Whether it is this server's to tell, for as long as that may take.
    async fn still_watches(&self) -> bool {
        let asked = timeout(LOOK, self.inspector.watch_alerts(&self.server, TELLING)).await;
        matches!(asked, Ok(Ok(Some(_))))
    }

    async fn tell(&mut self, alert: &Alert, told: Told) -> bool {
        let (until, failures) = self.pause;
        if Instant::now() < until {
            return false;
        }
        let (id, body) = (self.id(alert, told.number), self.body(alert, told.is_firing));
        let Err(why) = self.teller.tell(&id, &body).await else {
            self.pause = (Instant::now(), 0);
            return true;
        };
        if failures == 0 {
            tracing::warn!("nobody takes {}: {why}; it is sent until somebody does", alert.name);
        }
        let pause = (TURN * 2_u32.saturating_pow(failures.min(16))).min(LONGEST_PAUSE);
        self.pause = (Instant::now() + pause, failures + 1);
        false
    }

    /// The same for the same message, whichever server sends it; of what servers cannot agree on, each
    /// has its own.
    fn id(&self, alert: &Alert, number: u64) -> String {
        let by = if alert.is_told_by_all() { &self.server } else { self.inspector.queue_name() };
        let by = by.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
        format!("alert_{by}_{}_{number}", alert.name)
    }

    fn body(&self, alert: &Alert, is_firing: bool) -> String {
        let word = if is_firing { "firing" } else { "resolved" };
        let now = Utc::now();
        let since = self.held.get(alert.name).map(|since| now - since.elapsed());
        json!({
            "type": format!("alert.{word}"),
            "timestamp": now,
            "data": {
                "name": alert.name,
                "queue": self.inspector.queue_name(),
                "severity": alert.severity,
                "summary": alert.summary,
                "since": since,
                "runbook_url": alert.runbook_url(),
            },
        })
        .to_string()
    }

    /// Where that fails, it is told once more under the same identifier.
    async fn keep(&self, alert: &Alert, told: Told) {
        let kept = timeout(LOOK, self.inspector.alert_told(alert.name, &told.to_string())).await;
        if !matches!(kept, Ok(Ok(()))) {
            tracing::warn!("what was told of {} could not be kept, and is told again", alert.name);
        }
    }
}

impl Told {
    /// As it is kept: `7 firing`. What nobody can read was never told.
    fn read(text: &str) -> Self {
        let (number, word) = text.split_once(' ').unwrap_or((text, ""));
        Self { number: number.parse().unwrap_or_default(), is_firing: word == "firing" }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, if self.is_firing { "firing" } else { "resolved" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_survives_its_text() {
        for told in [Told { number: 7, is_firing: true }, Told { number: 8, is_firing: false }] {
            assert_eq!(Told::read(&told.to_string()), told);
        }
        assert_eq!(Told::read("nonsense"), Told::default());
    }

    #[test]
    fn whoever_is_paged_is_paged_within_thirty_seconds() {
        for alert in ALERTS.iter().filter(|alert| alert.severity == "page") {
            // It begins right behind a look, and holds for long enough right behind another one.
            let longest = TURN + alert.after + TURN + LOOK;
            assert!(longest <= Duration::from_secs(30), "{}: {longest:?}", alert.name);
        }
    }
}
