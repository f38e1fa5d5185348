//! Facts of one moment go in; the first reason that holds comes out.
//!
//! What belongs to the job itself comes first, then what holds the whole queue, then its workers, then
//! its turn. Whoever cures the first reason may meet the next one.

use chrono::{DateTime, Utc};
use redis::{FromRedisValue, ParsingError, Value};
use stillcast_enqueue::{StageName, State};

use super::facts::{Facts, Standing, Worker, moment};
use super::reason::WaitingReason;

/// The lease of workers that do not say theirs.
const DEFAULT_LEASE_MS: i64 = 30_000;

/// Why a job does not run, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// `None` when there is no such job.
    pub reason: Option<WaitingReason>,
    /// The moment, by the clock of Redis; the epoch when there is no such job.
    pub at: DateTime<Utc>,
}

impl FromRedisValue for Why {
    fn from_redis_value(answer: Value) -> Result<Self, ParsingError> {
        let lists = Vec::<Vec<Vec<u8>>>::from_redis_value(answer)?;
        let facts = Facts::of(lists);
        let at = facts.as_ref().map(|facts| facts.at("now")).unwrap_or_default();
        Ok(Self { reason: facts.and_then(|facts| judge(&facts)), at })
    }
}

/// `None` when the state is no word of ours.
fn judge(facts: &Facts) -> Option<WaitingReason> {
    let state = facts.state()?;
    if state.is_terminal() {
        return Some(WaitingReason::Ended { state });
    }
    if state == State::Leased {
        return Some(leased(facts));
    }
    if facts.number("deadline_ms").is_some_and(|deadline| deadline <= facts.now()) {
        return Some(WaitingReason::DeadlinePassed { deadline: facts.at("deadline_ms") });
    }
    let asleep = match state {
        State::Delayed => delayed(facts),
        State::Parked => parked(facts),
        _ => None,
    };
    Some(asleep.or_else(|| queue(facts)).unwrap_or_else(|| workers(facts)))
}

fn leased(facts: &Facts) -> WaitingReason {
    let worker = facts.text("worker").unwrap_or_default().to_owned();
    if facts.number("expiry").is_some_and(|expiry| expiry < facts.now()) {
        let lease_ms = lease_ms(facts.workers.iter().map(|(_, worker)| worker));
        let gap_until = gap_until(facts, lease_ms).map(moment);
        return WaitingReason::LeaseOver { worker, gap_until };
    }
    WaitingReason::Running { worker }
}

/// `None` once its time has come: then it is claimed like one that is ready.
fn delayed(facts: &Facts) -> Option<WaitingReason> {
    let attempts = u32::try_from(facts.count("attempts")).unwrap_or(u32::MAX);
    let due = if attempts > 0 { "wake_ms" } else { "ready_ms" };
    let until = facts.number(due).filter(|due| *due > facts.now()).map(moment)?;
    if attempts == 0 {
        return Some(WaitingReason::Scheduled { until });
    }
    let max_attempts = u32::try_from(facts.count("max_attempts")).unwrap_or(u32::MAX);
    Some(WaitingReason::Backoff { until, attempts, max_attempts, error: facts.error() })
}

fn parked(facts: &Facts) -> Option<WaitingReason> {
    let until = facts.number("wake_ms").filter(|wake| *wake > facts.now()).map(moment)?;
    let error = facts.error();
    Some(match facts.text("reason").unwrap_or_default() {
        "rate" => WaitingReason::Rate { until, error },
        "budget" => WaitingReason::Budget { until, error },
        "flight" => WaitingReason::Flight { owners: facts.owners.clone(), until },
        "version" => WaitingReason::Version { until },
        _ => WaitingReason::Provider { until, error },
    })
}

/// What holds everybody.
fn queue(facts: &Facts) -> Option<WaitingReason> {
    facts.number("paused").map(|since| WaitingReason::Paused { since: moment(since) })
}

fn workers(facts: &Facts) -> WaitingReason {
    let all: Vec<&(String, Worker)> = facts.workers.iter().collect();
    if all.is_empty() {
        return WaitingReason::NoWorker;
    }
    let lease_ms = lease_ms(all.iter().map(|(_, worker)| worker));
    let is_heard =
        |worker: &Worker| worker.seen_ms.is_some_and(|seen| facts.now() - seen <= lease_ms / 2);
    let heard: Vec<_> = all.iter().copied().filter(|(_, worker)| is_heard(worker)).collect();
    if heard.is_empty() {
        let seen_at = all.iter().filter_map(|(_, worker)| worker.seen_ms).max().map(moment);
        return WaitingReason::WorkersSilent { workers: number(all.len()), seen_at };
    }
    let staying: Vec<_> = heard.iter().copied().filter(|(_, worker)| !worker.draining).collect();
    if staying.is_empty() {
        return WaitingReason::WorkersLeaving { workers: number(heard.len()) };
    }
    let open: Vec<_> =
        staying.iter().copied().filter(|(_, worker)| refusal(worker).is_none()).collect();
    if open.is_empty() {
        return refused(facts, &staying);
    }
    turn(facts, &open, lease_ms)
}

fn refusal(worker: &Worker) -> Option<(Option<StageName>, i64)> {
    worker.standing.as_ref().and_then(|standing| standing.refused)
}

/// The next probe is the fleet's, if it has agreed on one, and else the first of a worker.
fn refused(facts: &Facts, staying: &[&(String, Worker)]) -> WaitingReason {
    let refusals = staying.iter().filter_map(|(_, worker)| refusal(worker));
    let (stage, own) = refusals.min_by_key(|(_, next)| *next).unwrap_or((None, facts.now()));
    let fleet = facts.number(&format!("probe:{}", stage.map_or("any", StageName::as_str)));
    let until = fleet.unwrap_or(own).max(own).max(facts.now());
    WaitingReason::Refused { stage, until: moment(until) }
}

fn turn(facts: &Facts, open: &[&(String, Worker)], lease_ms: i64) -> WaitingReason {
    let ahead = facts.count("ahead");
    let standings: Option<Vec<&Standing>> =
        open.iter().map(|(_, worker)| worker.standing.as_ref()).collect();
    let Some(standings) = standings else { return WaitingReason::Turn { ahead } };
    let (slots, busy) = standings.iter().fold((0, 0), |(slots, busy), standing| {
        (slots + standing.slots, busy + standing.busy.min(standing.slots))
    });
    if busy < slots {
        return WaitingReason::Turn { ahead };
    }
    match gap_until(facts, lease_ms) {
        Some(until) => WaitingReason::Gap { until: moment(until), ahead },
        None => WaitingReason::SlotsTaken { slots, ahead },
    }
}

/// Until when nothing is reaped.
fn gap_until(facts: &Facts, lease_ms: i64) -> Option<i64> {
    let now = facts.now();
    let holds = |name: &str, span: i64| {
        let until = facts.number(name).filter(|at| *at <= now)? + span;
        (until > now).then_some(until)
    };
    holds("gap", lease_ms).max(holds("stall", lease_ms / 6))
}

/// The longest lease that a worker names.
fn lease_ms<'facts>(workers: impl Iterator<Item = &'facts Worker>) -> i64 {
    let named = workers.filter_map(|worker| worker.standing.as_ref());
    named.map(|standing| standing.lease_ms).max().unwrap_or(DEFAULT_LEASE_MS)
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
