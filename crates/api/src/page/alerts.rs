//! What is seen of a queue goes in; what somebody should do about it comes out, in words.

use chrono::{DateTime, TimeDelta, Utc};
use queue::{QueueStats, WorkerSeen};
use stillcast_enqueue::{JobRecord, State};

use super::lookout::Proof;
use super::words;

/// How long nothing may be heard of a worker.
const SILENCE: TimeDelta = TimeDelta::seconds(45);
/// How long the next job may have waited.
const LONG_WAIT_S: f64 = 300.0;
/// How long a death is news.
const NEWS: TimeDelta = TimeDelta::hours(1);

/// Something that somebody should look at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Alert {
    /// `bad` for what loses or stops work, `warn` for what slows it.
    pub(super) class: &'static str,
    pub(super) says: String,
    pub(super) cure: String,
    /// Where to look, or to do something about it.
    pub(super) path: &'static str,
}

/// All that alerts are made of.
pub(super) struct Seen<'seen> {
    pub(super) stats: &'seen QueueStats,
    pub(super) workers: &'seen [WorkerSeen],
    pub(super) proof: &'seen Proof,
    /// Delivered and dead jobs.
    pub(super) ended: &'seen [&'seen JobRecord],
    /// Parked jobs.
    pub(super) parked: &'seen [JobRecord],
}

/// The worst first.
pub(super) fn alerts(seen: &Seen<'_>) -> Vec<Alert> {
    let all = [
        broken(seen.proof),
        nobody(seen.stats, seen.workers),
        paused(seen.stats),
        refused(seen.parked),
        silent(seen.workers, seen.stats.at),
        dead(seen.ended, seen.stats.at),
        slow(seen.stats),
        overdue(seen.stats),
    ];
    let mut alerts: Vec<Alert> = all.into_iter().flatten().collect();
    alerts.sort_by_key(|alert| alert.class != "bad");
    alerts
}

fn alert(class: &'static str, says: String, cure: &str, path: &'static str) -> Alert {
    Alert { class, says, cure: cure.to_owned(), path }
}

fn broken(proof: &Proof) -> Option<Alert> {
    let Proof::Looked { found, .. } = proof else { return None };
    let first = found.violations.first()?;
    let says =
        format!("The queue breaks {} of its promises: {}", found.violations.len(), first.detail);
    Some(alert("bad", says, "The page of the queue lists them all; please report them.", "/queue"))
}

fn nobody(stats: &QueueStats, workers: &[WorkerSeen]) -> Option<Alert> {
    let waiting = stats.states.ready;
    if waiting == 0 || workers.iter().any(|worker| !worker.draining) {
        return None;
    }
    let verb = if waiting == 1 { "waits" } else { "wait" };
    let says = if workers.is_empty() {
        format!("{} {verb}, and no worker is here.", words::jobs(waiting))
    } else {
        format!("{} {verb}, and every worker leaves.", words::jobs(waiting))
    };
    Some(alert("bad", says, "Start stillcast-worker with this queue's REDIS_URL.", "/queue"))
}

fn paused(stats: &QueueStats) -> Option<Alert> {
    let says = "The queue is paused: running jobs finish, and nothing new begins.".to_owned();
    stats.paused.then(|| alert("warn", says, "Resume it when you are ready.", "/queue"))
}

fn refused(parked: &[JobRecord]) -> Option<Alert> {
    let job = parked.iter().find(|job| job.reason.as_deref() == Some("provider"))?;
    let error = job.error.as_ref();
    let stage = error.and_then(|error| error.stage).map_or("a", |stage| stage.as_str());
    let code = error.map_or("no reason", |error| error.code.as_str());
    let says = format!("The provider of the {stage} stage refuses us ({code}). Nothing is lost.");
    let cure = "Mend its key, quota or setting; one job at a time finds out by itself.";
    Some(alert("bad", says, cure, "/jobs?q=state:parked"))
}

fn silent(workers: &[WorkerSeen], now: DateTime<Utc>) -> Option<Alert> {
    let is_silent = |worker: &&WorkerSeen| worker.seen_at.is_some_and(|seen| now - seen > SILENCE);
    let worker = workers.iter().find(is_silent)?;
    let when = worker.seen_at.map(|seen| words::ago(seen, now)).unwrap_or_default();
    let says = format!("The worker {} was last heard of {when}.", worker.name);
    Some(alert(
        "warn",
        says,
        "Its jobs go to others by themselves. See whether its host lives.",
        "/queue",
    ))
}

fn dead(ended: &[&JobRecord], now: DateTime<Utc>) -> Option<Alert> {
    let is_news = |job: &&&JobRecord| {
        job.state == State::Dead && job.finished_at.is_some_and(|at| now - at < NEWS)
    };
    let number = ended.iter().filter(is_news).count();
    if number == 0 {
        return None;
    }
    let died = if number == 1 { "has died" } else { "have died" };
    let says = format!("{} {died} within the last hour.", words::jobs(number as u64));
    Some(alert("warn", says, "They are grouped by cause, each with what to do.", "/dead"))
}

fn slow(stats: &QueueStats) -> Option<Alert> {
    let oldest = stats.oldest_s.filter(|oldest| *oldest > LONG_WAIT_S && !stats.paused)?;
    let says = format!("The next job has waited for {}.", words::span(oldest));
    Some(alert(
        "warn",
        says,
        "More workers, or more MAX_PARALLEL_TASKS, would begin it sooner.",
        "/queue",
    ))
}

fn overdue(stats: &QueueStats) -> Option<Alert> {
    let overdue = stats.due_delayed + stats.due_parked;
    if overdue == 0 || stats.workers > 0 {
        return None;
    }
    let says = format!("{} should be awake by now.", words::jobs(overdue));
    Some(alert("warn", says, "Any worker wakes them: start one.", "/queue"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use queue::{StateCounts, Verified, Violation};
    use stillcast_enqueue::ErrorReport;

    use super::*;

    fn stats() -> QueueStats {
        serde_json::from_value(serde_json::json!({
            "queue": "q", "at": Utc::now(), "paused": false, "depth": 0, "oldest_s": null,
            "states": StateCounts::default(), "due_delayed": 0, "due_parked": 0,
            "workers": 0, "enqueued": 0, "purged": 0, "trash": 0, "gap_at": null,
        }))
        .unwrap()
    }

    fn job(state: &str, fields: &[(&str, &str)]) -> JobRecord {
        let state = ("state", state);
        let fields = std::iter::once(&state).chain(fields);
        let hash = fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        JobRecord::from_hash("a", &hash).unwrap()
    }

    fn said(
        stats: &QueueStats,
        workers: &[WorkerSeen],
        more: (&Proof, &[&JobRecord], &[JobRecord]),
    ) -> String {
        let (proof, ended, parked) = more;
        let seen = Seen { stats, workers, proof, ended, parked };
        let line = |alert: Alert| alert.class.to_owned() + " " + &alert.says + "\n";
        alerts(&seen).into_iter().map(line).collect()
    }

    fn worker(draining: bool, seconds_ago: i64) -> WorkerSeen {
        let seen_at = Some(Utc::now() - TimeDelta::seconds(seconds_ago));
        serde_json::from_value(serde_json::json!({
            "name": "host-1", "seen_at": seen_at, "draining": draining,
        }))
        .unwrap()
    }

    #[test]
    fn a_quiet_queue_has_none_and_each_fault_has_its_own() {
        let none: (&Proof, &[&JobRecord], &[JobRecord]) = (&Proof::None, &[], &[]);
        assert_eq!(said(&stats(), &[worker(false, 1)], none), "");
        let mut waiting = stats();
        waiting.states.ready = 1;
        assert_eq!(said(&waiting, &[], none), "bad 1 job waits, and no worker is here.\n");
        assert!(said(&waiting, &[worker(true, 1)], none).contains("every worker leaves"));
        assert_eq!(said(&waiting, &[worker(false, 1)], none), "");
        let paused = QueueStats { paused: true, ..stats() };
        assert!(said(&paused, &[], none).starts_with("warn The queue is paused"));
        let slow = QueueStats { oldest_s: Some(301.0), ..stats() };
        assert_eq!(said(&slow, &[], none), "warn The next job has waited for 5 min 1 s.\n");
        assert!(
            said(&stats(), &[worker(false, 90)], none)
                .contains("host-1 was last heard of 1 min ago")
        );
        let overdue = QueueStats { due_parked: 2, ..stats() };
        assert_eq!(said(&overdue, &[], none), "warn 2 jobs should be awake by now.\n");
    }

    #[test]
    fn a_broken_promise_a_refusal_and_a_death_are_told() {
        let violation = Violation { rule: "I1", id: None, detail: "a job is lost".to_owned() };
        let found = Verified { violations: vec![violation], ..Verified::default() };
        let broken = Proof::Looked { at: Utc::now(), found: Arc::new(found) };
        assert!(said(&stats(), &[], (&broken, &[], &[])).contains("a job is lost"));
        let error = serde_json::to_string(&ErrorReport::new("key-refused", "no")).unwrap();
        let parked = [job("parked", &[("reason", "provider"), ("error", &error)])];
        assert!(said(&stats(), &[], (&Proof::None, &[], &parked)).contains("(key-refused)"));
        let now = Utc::now().timestamp_millis();
        let at = |ms: i64| job("dead", &[("finished_ms", &ms.to_string())]);
        let (new, old) = (at(now - 1_000), at(now - 7_200_000));
        let told = said(&stats(), &[], (&Proof::None, &[&new, &old], &[]));
        assert_eq!(told, "warn 1 job has died within the last hour.\n");
    }
}
