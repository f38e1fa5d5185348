//! What is seen of a queue goes in; what somebody should do about it comes out, in words.
//!
//! What whoever is on duty is told of is judged and named as there, by one list; what only a page sees
//! stands beside it.

use chrono::{DateTime, TimeDelta, Utc};
use queue::{QueueStats, WorkerSeen};
use stillcast_enqueue::{JobRecord, State};

use super::lookout::Proof;
use super::words;
use crate::alerts::{self, ALERTS, Look, NEWS};

/// How long nothing may be heard of a worker.
const SILENCE: TimeDelta = TimeDelta::seconds(45);

/// Something that somebody should look at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Alert {
    /// `bad` for what loses or stops work, `warn` for what slows it.
    pub(super) class: &'static str,
    /// Its name in rules and runbook, if it has an entry there.
    pub(super) name: Option<&'static str>,
    pub(super) says: String,
    /// How it is now, and what to do.
    pub(super) detail: String,
    /// Where to look, or to do something about it.
    pub(super) path: &'static str,
}

/// All that alerts are made of.
pub(super) struct Seen<'seen> {
    pub(super) look: &'seen Look,
    /// The numbers of the last hour, the oldest first.
    pub(super) samples: &'seen [QueueStats],
    pub(super) workers: &'seen [WorkerSeen],
    pub(super) proof: &'seen Proof,
    /// Delivered and dead jobs.
    pub(super) ended: &'seen [&'seen JobRecord],
    /// Parked jobs.
    pub(super) parked: &'seen [JobRecord],
}

/// The worst first.
pub(super) fn alerts(seen: &Seen<'_>) -> Vec<Alert> {
    let listed = ALERTS.iter().filter_map(|alert| seen.listed(alert));
    let own = [broken(seen.proof), leaving(seen), silent(seen.workers, seen.stats().at)];
    let mut alerts: Vec<Alert> = listed.chain(own.into_iter().flatten()).collect();
    alerts.sort_by_key(|alert| alert.class != "bad");
    alerts
}

impl Seen<'_> {
    fn stats(&self) -> &QueueStats {
        &self.look.numbers.stats
    }

    /// An alert of the list, while it holds. Of a refusal and of deaths a page hears at once.
    fn listed(&self, alert: &alerts::Alert) -> Option<Alert> {
        let (detail, path) = match alert.name {
            alerts::PROVIDER_REFUSES => (refused(self.parked)?, "/jobs?q=state:parked"),
            alerts::DEAD_LETTERS => (dead(self.ended, self.stats().at)?, "/dead"),
            alerts::DUE_JOBS_STAY => (self.stay(alert)?, "/queue"),
            name => {
                alert.holds(self.look, false).then_some(())?;
                (self.detail(name), "/queue")
            }
        };
        let class = if alert.severity == alerts::PAGE { "bad" } else { "warn" };
        // What is told of at once has not lasted for as long as the list says.
        let is_early = alert.name == alerts::PROVIDER_REFUSES && !alert.holds(self.look, false);
        let says =
            if is_early { "Jobs wait for a provider's account or set-up." } else { alert.summary }
                .to_owned();
        Some(Alert { class, name: Some(alert.name), says, detail, path })
    }

    /// How it is now, and what to do; of an alert that this page does not know, the runbook says that.
    fn detail(&self, name: &str) -> String {
        let stats = self.stats();
        match name {
            alerts::NO_WORKERS => {
                let (jobs, verb) =
                    waiting(stats.states.ready + stats.due_delayed + stats.due_parked);
                format!("{jobs} {verb}. Start stillcast-worker with this queue's REDIS_URL.")
            }
            alerts::JOBS_WAIT_TOO_LONG => format!(
                "The next job has waited for {}. More workers, or more MAX_PARALLEL_TASKS, would begin \
                 it sooner.",
                words::span(stats.oldest_s.unwrap_or_default())
            ),
            alerts::PAUSED => {
                "Running jobs finish, and nothing new begins. Resume it when you are ready."
                    .to_owned()
            }
            _ => "The runbook says what to do.".to_owned(),
        }
    }

    /// What is due for a moment is on its way; only what stays is an alert.
    fn stay(&self, alert: &alerts::Alert) -> Option<String> {
        let after = TimeDelta::from_std(alert.after).ok()?;
        let since = self.stats().at - after;
        let is_due = |stats: &QueueStats| stats.due_delayed + stats.due_parked > 0;
        let watched = self.samples.first().is_some_and(|first| first.at <= since);
        let stays = self.samples.iter().filter(|sample| sample.at >= since).all(is_due);
        (watched && stays && alert.holds(self.look, false)).then_some(())?;
        let stats = self.stats();
        let jobs = words::jobs(stats.due_delayed + stats.due_parked);
        Some(format!("{jobs} should be awake by now. Any worker wakes them: start one."))
    }
}

fn waiting(number: u64) -> (String, &'static str) {
    (words::jobs(number), if number == 1 { "waits" } else { "wait" })
}

/// What has no entry in the runbook.
fn own(class: &'static str, says: String, detail: &str, path: &'static str) -> Alert {
    Alert { class, name: None, says, detail: detail.to_owned(), path }
}

fn broken(proof: &Proof) -> Option<Alert> {
    let Proof::Looked { found, .. } = proof else { return None };
    let first = found.violations.first()?;
    let says =
        format!("The queue breaks {} of its promises: {}", found.violations.len(), first.detail);
    Some(own("bad", says, "The page of the queue lists them all; please report them.", "/queue"))
}

/// Workers are there, and none will take what waits.
fn leaving(seen: &Seen<'_>) -> Option<Alert> {
    let ready = seen.stats().states.ready;
    let all_leave = !seen.workers.is_empty() && seen.workers.iter().all(|worker| worker.draining);
    if ready == 0 || !all_leave {
        return None;
    }
    let (jobs, verb) = waiting(ready);
    let says = format!("{jobs} {verb}, and every worker leaves.");
    Some(own("bad", says, "Start stillcast-worker with this queue's REDIS_URL.", "/queue"))
}

fn refused(parked: &[JobRecord]) -> Option<String> {
    let job = parked.iter().find(|job| job.reason.as_deref() == Some("provider"))?;
    let error = job.error.as_ref();
    let stage = error.and_then(|error| error.stage).map_or("a", |stage| stage.as_str());
    let code = error.map_or("no reason", |error| error.code.as_str());
    Some(format!(
        "The provider of the {stage} stage refuses us ({code}). Nothing is lost. Mend its key, quota or \
         setting; one job at a time finds out by itself."
    ))
}

fn silent(workers: &[WorkerSeen], now: DateTime<Utc>) -> Option<Alert> {
    let is_silent = |worker: &&WorkerSeen| worker.seen_at.is_some_and(|seen| now - seen > SILENCE);
    let worker = workers.iter().find(is_silent)?;
    let when = worker.seen_at.map(|seen| words::ago(seen, now)).unwrap_or_default();
    let says = format!("The worker {} was last heard of {when}.", worker.name);
    let detail = "Its jobs go to others by themselves. See whether its host lives.";
    Some(own("warn", says, detail, "/queue"))
}

fn dead(ended: &[&JobRecord], now: DateTime<Utc>) -> Option<String> {
    let news = TimeDelta::from_std(NEWS).ok()?;
    let is_news = |job: &&&JobRecord| {
        job.state == State::Dead && job.finished_at.is_some_and(|at| now - at < news)
    };
    let number = ended.iter().filter(is_news).count() as u64;
    let died = if number == 1 { "has died" } else { "have died" };
    let jobs = words::jobs(number);
    let detail = format!("{jobs} {died}. They are grouped by cause, each with what to do.");
    (number > 0).then_some(detail)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use queue::{StateCounts, Verified, Violation, Wait};
    use stillcast_enqueue::ErrorReport;

    use super::*;
    use crate::numbers::Numbers;

    fn stats() -> QueueStats {
        serde_json::from_value(serde_json::json!({
            "queue": "q", "at": Utc::now(), "paused": false, "depth": 0, "oldest_s": null,
            "states": StateCounts::default(), "due_delayed": 0, "due_parked": 0,
            "workers": 1, "enqueued": 0, "purged": 0, "trash": 0, "gap_at": null,
        }))
        .unwrap()
    }

    fn job(state: &str, fields: &[(&str, &str)]) -> JobRecord {
        let state = ("state", state);
        let fields = std::iter::once(&state).chain(fields);
        let hash = fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        JobRecord::from_hash("a", &hash).unwrap()
    }

    /// What is seen beside the numbers.
    #[derive(Default)]
    struct More {
        samples: Vec<QueueStats>,
        proof: Proof,
        ended: Vec<JobRecord>,
        parked: Vec<JobRecord>,
    }

    fn said(stats: &QueueStats, workers: &[WorkerSeen], more: &More) -> String {
        let oldest_s = stats.oldest_s.unwrap_or_default();
        let wait = Wait { state: State::Ready, reason: "slot", jobs: 1, oldest_s };
        let numbers = Numbers { stats: stats.clone(), waits: vec![wait], server: None };
        let look = Look::at(numbers);
        let ended: Vec<&JobRecord> = more.ended.iter().collect();
        let More { samples, proof, parked, .. } = more;
        let seen = Seen { look: &look, samples, workers, proof, ended: &ended, parked };
        let line = |alert: Alert| {
            let name = alert.name.unwrap_or("-");
            format!("{} {name} {} {}\n", alert.class, alert.says, alert.detail)
        };
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
        let none = More::default();
        assert_eq!(said(&stats(), &[worker(false, 1)], &none), "");
        let mut waiting = stats();
        waiting.states.ready = 1;
        assert_eq!(said(&waiting, &[worker(false, 1)], &none), "");
        assert!(said(&waiting, &[worker(true, 1)], &none).contains("every worker leaves"));
        waiting.workers = 0;
        let nobody = said(&waiting, &[], &none);
        assert!(nobody.starts_with("bad StillcastNoWorkers Jobs wait, and no worker"), "{nobody}");
        assert!(nobody.contains("1 job waits. Start stillcast-worker"), "{nobody}");
        let paused = QueueStats { paused: true, ..stats() };
        assert!(said(&paused, &[], &none).starts_with("warn StillcastPaused"));
        let slow = said(&QueueStats { oldest_s: Some(301.0), ..stats() }, &[], &none);
        assert!(slow.contains("The next job has waited for 5 min 1 s."), "{slow}");
        let silent = said(&stats(), &[worker(false, 90)], &none);
        assert!(silent.contains("host-1 was last heard of 1 min ago"), "{silent}");
    }

    #[test]
    fn what_is_due_for_a_moment_is_no_alert_and_what_stays_is() {
        let due = QueueStats { due_parked: 2, ..stats() };
        let sample = |seconds: i64, due_parked| QueueStats {
            due_parked,
            at: Utc::now() - TimeDelta::seconds(seconds),
            ..stats()
        };
        let more = |samples| More { samples, ..More::default() };
        assert_eq!(said(&due, &[], &more(vec![sample(60, 2)])), "", "nobody has watched so long");
        assert_eq!(said(&due, &[], &more(vec![sample(150, 2), sample(60, 0)])), "");
        let stays = said(&due, &[], &more(vec![sample(150, 2), sample(60, 2)]));
        assert!(stays.contains("StillcastDueJobsStay"), "{stays}");
        assert!(stays.contains("2 jobs should be awake by now"), "{stays}");
    }

    #[test]
    fn a_broken_promise_a_refusal_and_a_death_are_told() {
        let violation = Violation { rule: "I1", id: None, detail: "a job is lost".to_owned() };
        let found = Verified { violations: vec![violation], ..Verified::default() };
        let proof = Proof::Looked { at: Utc::now(), found: Arc::new(found) };
        let broken = More { proof, ..More::default() };
        assert!(said(&stats(), &[], &broken).contains("a job is lost"));
        let error = serde_json::to_string(&ErrorReport::new("key-refused", "no")).unwrap();
        let parked = vec![job("parked", &[("reason", "provider"), ("error", &error)])];
        let refused = said(&stats(), &[], &More { parked, ..More::default() });
        assert!(refused.starts_with("bad StillcastProviderRefuses"), "{refused}");
        let early = "account or set-up. The provider of the a stage refuses us (key-refused).";
        assert!(refused.contains(early), "{refused}");
        let now = Utc::now().timestamp_millis();
        let at = |ms: i64| job("dead", &[("finished_ms", &ms.to_string())]);
        let ended = vec![at(now - 1_000), at(now - 7_200_000)];
        let told = said(&stats(), &[], &More { ended, ..More::default() });
        assert!(told.starts_with("warn StillcastDeadLetters") && told.contains("1 job has died."));
        let old = More { ended: vec![at(now - 7_200_000)], ..More::default() };
        assert_eq!(said(&stats(), &[], &old), "");
    }

    #[test]
    fn the_page_knows_each_name_that_it_treats_by_itself() {
        for name in [
            alerts::PROVIDER_REFUSES,
            alerts::DEAD_LETTERS,
            alerts::DUE_JOBS_STAY,
            alerts::NO_WORKERS,
            alerts::JOBS_WAIT_TOO_LONG,
            alerts::PAUSED,
        ] {
            assert!(ALERTS.iter().any(|alert| alert.name == name), "{name}");
        }
    }
}
