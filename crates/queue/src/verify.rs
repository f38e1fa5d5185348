//! Looks whether a queue keeps its promises: scripts and a connection go in, broken rules come out.
//!
//! Reading goes by state, so a large queue serves its workers meanwhile. What looks wrong is looked
//! at again, since a job may have moved between two pages.

mod flights;
mod jobs;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet};

use redis::{FromRedisValue, ParsingError, Pipeline, Value};
use stillcast_enqueue::connection::SharedConnection;
use stillcast_enqueue::keys::FIXED;

use crate::{QueueError, Scripts};

/// Looks that must agree before a rule counts as broken. Damage stays; a job in motion does not.
const LOOKS: usize = 4;
/// Keys, members or jobs in one page.
const PAGE: usize = 200;
/// Indexes of the states, in the order in which a job is looked for in them.
const INDEXES: [&str; 9] =
    ["ready", "solo", "delayed", "parked", "leased", "done", "dead", "cancelled", "expired"];
/// Keys beside [`FIXED`] that need no owner; the last one is of older producers.
const OTHERS: [&str; 3] = ["bulks", "bulks_ended", "pressure"];

/// A promise that a queue does not keep.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The rule: an invariant such as `I1`, or a word such as `lease`.
    pub rule: &'static str,
    /// The job, or the key when no job is to blame; `None` for the queue as a whole.
    pub id: Option<String>,
    /// What is wrong, as a sentence without private text.
    pub detail: String,
}

/// A text as anybody may have written it: bytes that are no UTF-8 must not end the look at all others.
#[derive(PartialEq)]
struct Text(String);

impl FromRedisValue for Text {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let bytes = Vec::<u8>::from_redis_value(value)?;
        Ok(Self(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Every rule that all looks found broken, sorted.
    pub violations: Vec<Violation>,
    /// Keys of the queue.
    pub keys: usize,
    /// Records of jobs.
    pub jobs: usize,
    /// Members of the indexes of all states, of the deadlines and of the lists of waiters.
    pub members: usize,
    /// Flights in the air or landed.
    pub flights: usize,
}

/// Looks at the whole queue. Takes time in proportion to the keys of the Redis; locks nothing.
pub async fn verify(
    scripts: &Scripts,
    connection: &mut SharedConnection,
) -> Result<Verified, QueueError> {
    let mut verified = Look::at(scripts, connection).await?;
    for _ in 1..LOOKS {
        if verified.violations.is_empty() {
            break;
        }
        let again = Look::at(scripts, connection).await?.violations;
        let same =
            |one: &Violation, other: &Violation| (one.rule, &one.id) == (other.rule, &other.id);
        verified.violations.retain(|one| again.iter().any(|other| same(one, other)));
    }
    Ok(verified)
}

/// One look at everything.
struct Look<'look> {
    scripts: &'look Scripts,
    connection: &'look mut SharedConnection,
    broken: BTreeSet<Violation>,
    counts: Verified,
    /// Flights that some job inherits.
    heirs: BTreeSet<String>,
    flights: BTreeSet<String>,
    waiters: BTreeSet<String>,
}

impl<'look> Look<'look> {
    async fn at(
        scripts: &'look Scripts,
        connection: &'look mut SharedConnection,
    ) -> Result<Verified, QueueError> {
        let mut look = Look {
            scripts,
            connection,
            broken: BTreeSet::new(),
            counts: Verified::default(),
            heirs: BTreeSet::new(),
            flights: BTreeSet::new(),
            waiters: BTreeSet::new(),
        };
        look.conservation().await?;
        look.every_key().await?;
        for index in INDEXES.iter().chain(&["deadlines"]) {
            look.members_have_records(index).await?;
        }
        look.flights().await?;
        look.owed_are_there().await?;
        look.immortal(FIXED.iter().map(|name| look.key(name)).collect()).await?;
        Ok(Verified { violations: look.broken.into_iter().collect(), ..look.counts })
    }

    fn key(&self, name: &str) -> String {
        self.scripts.keys().named(name)
    }

    fn blame(&mut self, rule: &'static str, id: &str, detail: impl Into<String>) {
        let id = (!id.is_empty()).then(|| id.to_owned());
        self.broken.insert(Violation { rule, id, detail: detail.into() });
    }

    /// I1, by one script.
    async fn conservation(&mut self) -> Result<(), QueueError> {
        let stats = self.scripts.stats(self.connection).await?;
        let (enqueued, purged, kept) = (stats.enqueued, stats.purged, stats.states.all());
        if enqueued != purged + kept {
            let detail = format!("{enqueued} enqueued, {kept} in all states and {purged} purged");
            self.blame("I1", "", detail);
        }
        Ok(())
    }

    /// Each key of the queue belongs to somebody.
    async fn every_key(&mut self) -> Result<(), QueueError> {
        let prefix = self.scripts.keys().prefix().to_owned();
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{prefix}*")).arg("COUNT").arg(PAGE);
            let (next, page): (u64, Vec<Text>) = scan.query_async(self.connection).await?;
            self.counts.keys += page.len();
            let names = page.iter().filter_map(|key| key.strip_prefix(&prefix));
            for names in names.collect::<Vec<_>>().chunks(PAGE) {
                self.sort_keys(names).await?;
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }

    async fn sort_keys(&mut self, names: &[&str]) -> Result<(), QueueError> {
        let mut by_kind: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for name in names {
            match name.split_once(':') {
                Some((kind, rest)) => by_kind.entry(kind).or_default().push(rest),
                None if FIXED.contains(name) || OTHERS.contains(name) => {}
                None => self.blame("stray", name, "this key belongs to nobody"),
            }
        }
        for (kind, names) in by_kind {
            match kind {
                "job" => self.jobs(&names).await?,
                "webhook" => self.webhooks(&names).await?,
                "body" | "transcript" => self.belongs_to_a_job(kind, &names).await?,
                "idem" => self.keys_name_living_jobs(&names).await?,
                "flight" => self.flights.extend(names.into_iter().map(str::to_owned)),
                "probes" | "limit" | "in_flight" | "budget" | "bulk" | "bulk_jobs" => {}
                "waiters" => self.waiters.extend(names.into_iter().map(str::to_owned)),
                _ => names.iter().for_each(|name| {
                    self.blame("stray", &format!("{kind}:{name}"), "this key belongs to nobody");
                }),
            }
        }
        Ok(())
    }

    async fn belongs_to_a_job(&mut self, kind: &str, ids: &[&str]) -> Result<(), QueueError> {
        let found = self.have_records(ids).await?;
        for (id, _) in ids.iter().zip(found).filter(|(_, found)| !found) {
            self.blame("stray", &format!("{kind}:{id}"), "its job has no record");
        }
        Ok(())
    }

    async fn have_records(&mut self, ids: &[&str]) -> Result<Vec<bool>, QueueError> {
        let mut pipeline = redis::pipe();
        for id in ids {
            pipeline.exists(self.scripts.keys().job(id));
        }
        self.send(&pipeline).await
    }

    /// One answer for each command; none at all is no reason to ask.
    async fn send<T: FromRedisValue>(&mut self, pipeline: &Pipeline) -> Result<Vec<T>, QueueError> {
        if pipeline.is_empty() {
            return Ok(Vec::new());
        }
        Ok(pipeline.query_async(self.connection).await?)
    }

    /// I2 from the other side: an index names only jobs that exist.
    async fn members_have_records(&mut self, index: &str) -> Result<(), QueueError> {
        let key = self.key(index);
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("ZSCAN");
            scan.arg(&key).arg(cursor).arg("COUNT").arg(PAGE);
            let (next, page): (u64, Vec<(Text, f64)>) = scan.query_async(self.connection).await?;
            self.counts.members += page.len();
            let ids: Vec<&str> = page.iter().map(|(id, _)| &**id).collect();
            for ids in ids.chunks(PAGE) {
                let found = self.have_records(ids).await?;
                for (id, _) in ids.iter().zip(found).filter(|(_, found)| !found) {
                    self.blame("I2", id, format!("`{index}` names it, but it has no record"));
                }
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }

    /// Live state never dies by itself.
    async fn immortal(&mut self, keys: Vec<String>) -> Result<(), QueueError> {
        let mut pipeline = redis::pipe();
        for key in &keys {
            pipeline.cmd("PTTL").arg(key);
        }
        let left: Vec<i64> = self.send(&pipeline).await?;
        for (key, _) in keys.iter().zip(left).filter(|(_, left)| *left >= 0) {
            let name = key.trim_start_matches(self.scripts.keys().prefix()).to_owned();
            self.blame("ttl", &name, "live state has a time to live");
        }
        Ok(())
    }
}
