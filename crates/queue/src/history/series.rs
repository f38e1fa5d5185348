//! Slots as they lie in Redis go in; a typed series, and its sum, come out.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use stillcast_enqueue::{Cost, Format, StageName};

use super::buckets::Buckets;
use super::names::{Money, Name};
use super::packed::{Packed, Ring, read};
use crate::StateCounts;

/// What a queue did in a span of time.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// When it was read, by the clock of Redis.
    pub at: DateTime<Utc>,
    /// Seconds of one slot: 60 for spans of up to 6 h, 900 up to 3 d, else 7,200.
    pub step_s: u64,
    /// From the oldest, without those in which no worker said anything; the last one is under way.
    pub slots: Vec<Slot>,
    /// All slots in one. Depth, ages and workers are those of the newest.
    pub total: Slot,
}

/// What a queue did in one slot of time.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// When it began.
    pub at: DateTime<Utc>,
    /// Jobs by state when it began.
    pub depth: StateCounts,
    /// Seconds that the oldest job had waited when it began, by what it waited for: `ready`,
    /// `back-off`, `provider`, `rate`, `budget`, `flight`, `version`.
    pub oldest_s: BTreeMap<String, u64>,
    /// Workers that had signed on when it began.
    pub workers: u64,
    /// Attempts that ended, by what became of the job.
    pub jobs: JobsEnded,
    /// What the stages did, in travel order, as far as they did anything.
    pub stages: Vec<StageUse>,
    /// Calls that failed, the most frequent first.
    pub errors: Vec<ErrorCount>,
    /// Results that were had again, and that had to be made.
    pub cache: CacheUse,
    /// What its attempts have cost.
    pub cost: Cost,
}

/// Attempts by what became of their job.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobsEnded {
    /// Delivered.
    pub done: u64,
    /// Will not run again by themselves.
    pub dead: u64,
    /// Ended by a person while they ran.
    pub cancelled: u64,
    /// Ended by their deadline while they ran.
    pub expired: u64,
    /// Tried again later.
    pub retried: u64,
    /// Wait for an event.
    pub parked: u64,
    /// Given back.
    pub released: u64,
}

/// What one stage did.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageUse {
    /// Which.
    pub stage: StageName,
    /// Waits for a slot.
    pub wait: Times,
    /// Work.
    pub run: Times,
    /// Tries made.
    pub tries: u64,
    /// Results that a checkpoint or cache gave.
    pub hits: u64,
    /// Results that had to be made, or failed to be.
    pub misses: u64,
    /// Calls that failed.
    pub errors: u64,
}

/// Times in seconds, each at most a tenth off; null of nothing.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// How many.
    pub count: u64,
    /// Half were shorter.
    pub p50_s: Option<f64>,
    /// One of 20 was longer.
    pub p95_s: Option<f64>,
    /// One of 100 was longer.
    pub p99_s: Option<f64>,
}

/// Calls that failed alike.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorCount {
    /// Whose stage.
    pub stage: StageName,
    /// Who was called.
    pub provider: String,
    /// The code of the failure; `cut` of a call that was cut off.
    pub code: String,
    /// How many.
    pub count: u64,
}

/// Results that were had again, and that had to be made.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheUse {
    /// From a checkpoint or a cache.
    pub hits: u64,
    /// Made, of the stages that can be had again.
    pub misses: u64,
}

/// A slot's counts with their meaning.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts(BTreeMap<Name, u64>);

/// The slots of a ring from `since_s` until now, seconds since the epoch, with their names.
pub(crate) fn assemble(
    ring: &Ring,
    (now, since_s): (DateTime<Utc>, u64),
    names: &HashMap<String, u64>,
    packed: impl IntoIterator<Item = Vec<u8>>,
) -> (History, Counts) {
    let now_s = u64::try_from(now.timestamp()).unwrap_or_default();
    let names: HashMap<u64, Name> =
        names.iter().filter_map(|(text, number)| Some((*number, Name::parse(text)?))).collect();
    // A ring keeps what is older than it reaches until a new slot takes its place.
    let oldest = since_s.max(now_s.saturating_sub(ring.step_s * ring.slots)) / ring.step_s;
    let newest = now_s / ring.step_s;
    let in_time = |slot: &Packed| (oldest..=newest).contains(&slot.number);
    let mut slots: Vec<Packed> =
        packed.into_iter().filter_map(|bytes| read(&bytes)).filter(in_time).collect();
    slots.sort_by_key(|slot| slot.number);
    let mut all = Counts::default();
    let slots = slots.iter().map(|slot| {
        let counts = Counts::of(slot, &names);
        all.merge(&counts);
        counts.slot(slot.number * ring.step_s)
    });
    let slots: Vec<Slot> = slots.collect();
    let first = slots.first().map_or(now, |slot| slot.at);
    let total = match slots.last().cloned() {
        None => Slot { at: now, ..Slot::default() },
        Some(Slot { depth, oldest_s, workers, .. }) => {
            Slot { at: first, depth, oldest_s, workers, ..all.slot(0) }
        }
    };
    (History { at: now, step_s: ring.step_s, slots, total }, all)
}

impl Counts {
    fn of(slot: &Packed, names: &HashMap<u64, Name>) -> Self {
        let named = slot.counts.iter();
        let named = named.filter_map(|(number, count)| Some((names.get(number)?.clone(), *count)));
        Self(named.collect())
    }

    fn merge(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            *self.0.entry(name.clone()).or_default() += count;
        }
    }

    fn sum(&self, of: impl Fn(&Name) -> bool) -> u64 {
        self.0.iter().filter(|(name, _)| of(name)).map(|(_, count)| count).sum()
    }

    fn count(&self, name: &Name) -> u64 {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// Runs of a stage; those of `encode` of one format, if one is named.
    pub(crate) fn runs(&self, stage: StageName, of: Option<Format>) -> Buckets {
        self.buckets(|name| match name {
            Name::Run(known, format, bucket) if *known == stage => {
                let is_other = of.is_some() && format.is_some() && *format != of;
                (!is_other).then_some(*bucket)
            }
            _ => None,
        })
    }

    /// Whole attempts of jobs of this format that delivered.
    pub(crate) fn attempts(&self, of: Format) -> Buckets {
        self.buckets(|name| match name {
            Name::Attempt(format, bucket) if *format == of => Some(*bucket),
            _ => None,
        })
    }

    fn waits(&self, stage: StageName) -> Buckets {
        self.buckets(|name| match name {
            Name::Wait(known, bucket) if *known == stage => Some(*bucket),
            _ => None,
        })
    }

    fn buckets(&self, bucket: impl Fn(&Name) -> Option<u32>) -> Buckets {
        let mut buckets = Buckets::default();
        for (name, count) in &self.0 {
            if let Some(bucket) = bucket(name) {
                buckets.add(bucket, *count);
            }
        }
        buckets
    }

    fn slot(&self, at_s: u64) -> Slot {
        let at = i64::try_from(at_s).ok().and_then(|at| DateTime::from_timestamp(at, 0));
        let oldest = self.0.iter().filter_map(|(name, age)| match name {
            Name::Oldest(reason) => Some((reason.clone(), *age)),
            _ => None,
        });
        Slot {
            at: at.unwrap_or_default(),
            depth: StateCounts::by(|state| self.count(&Name::Depth(state))),
            oldest_s: oldest.collect(),
            workers: self.count(&Name::Workers),
            jobs: self.jobs(),
            stages: StageName::ALL.into_iter().filter_map(|stage| self.stage(stage)).collect(),
            errors: self.errors(),
            cache: self.cache(),
            cost: self.cost(),
        }
    }

    fn jobs(&self) -> JobsEnded {
        let ended = StateCounts::by(|state| self.count(&Name::Job(state)));
        JobsEnded {
            done: ended.done,
            dead: ended.dead,
            cancelled: ended.cancelled,
            expired: ended.expired,
            retried: ended.delayed,
            parked: ended.parked,
            released: ended.ready,
        }
    }

    fn stage(&self, stage: StageName) -> Option<StageUse> {
        let (wait, run) = (self.waits(stage), self.runs(stage, None));
        let errors = self.sum(|name| matches!(name, Name::Error(known, ..) if *known == stage));
        let (hits, misses) = (self.count(&Name::Hit(stage)), self.count(&Name::Miss(stage)));
        let tries = self.count(&Name::Tries(stage));
        let has_run = run.count() + errors + hits + misses > 0;
        let (wait, run) = (Times::of(&wait), Times::of(&run));
        has_run.then_some(StageUse { stage, wait, run, tries, hits, misses, errors })
    }

    fn errors(&self) -> Vec<ErrorCount> {
        let errors = self.0.iter().filter_map(|(name, count)| match name {
            Name::Error(stage, provider, code) => Some(ErrorCount {
                stage: *stage,
                provider: provider.clone(),
                code: code.clone(),
                count: *count,
            }),
            _ => None,
        });
        let mut errors: Vec<ErrorCount> = errors.collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.count));
        errors
    }

    /// Of the stages whose results jobs share, or have again.
    fn cache(&self) -> CacheUse {
        use StageName::{Image, Transcript, Tts};
        let of = |name: fn(StageName) -> Name| {
            [Transcript, Tts, Image].map(|stage| self.count(&name(stage))).iter().sum()
        };
        CacheUse { hits: of(Name::Hit), misses: of(Name::Miss) }
    }

    fn cost(&self) -> Cost {
        let usd = |money| self.count(&Name::Money(money)) as f64 / 1e6;
        Cost {
            spent_usd: usd(Money::Spent),
            avoided_usd: usd(Money::Avoided),
            wasted_usd: usd(Money::Wasted),
        }
    }
}

impl Times {
    fn of(buckets: &Buckets) -> Self {
        let at = |share| buckets.quantile(share);
        Self { count: buckets.count(), p50_s: at(0.5), p95_s: at(0.95), p99_s: at(0.99) }
    }
}
