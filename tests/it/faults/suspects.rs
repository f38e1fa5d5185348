//! Suspects: jobs under which two workers died run in a process of their own. It may die as it likes:
//! neither its worker nor a neighbour of it notices.

use std::collections::BTreeSet;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use redis::AsyncCommands;
use stillcast_enqueue::{JobId, JobRecord, State};
use tests::fleet::{Fleet, Worker, WorkerOptions};
use tests::journal::{Act, Entry};
use tests::script::Script;

use crate::support::{assert_sound, six_calls};

/// A lease that outlives the test: what ends here, its worker has reported.
const LONG: u64 = 120_000;

/// Two workers have died under it: its record is what two leases leave behind.
async fn suspect(fleet: &Fleet, script: &Script) -> JobId {
    let id = fleet.enqueue(&[script.job()]).await.unwrap().remove(0);
    let key = fleet.scripts().0.keys().job(id.as_str());
    let left = [("fence", 2), ("crashes", 2)];
    let () = fleet.connection().hset_multiple(key, &left).await.unwrap();
    id
}

/// The process in which `job` makes `call`.
async fn process_of(fleet: &Fleet, job: &JobId, call: u32) -> Pid {
    let began = fleet.call_began(job, call).await.unwrap();
    let (_, process) = began.worker.split_once('/').expect("it runs apart");
    Pid::from_raw(process.parse().unwrap())
}

/// Gone, or only a line that somebody has to reap.
fn is_gone(process: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    kill(process, None) == Err(Errno::ESRCH)
        || stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

async fn until_gone(fleet: &Fleet, process: Pid) {
    fleet.until("the process is gone", async || is_gone(process).then_some(())).await.unwrap();
}

/// Attempts of `job` that have begun.
fn attempts(fleet: &Fleet, job: &JobId) -> Vec<Entry> {
    let mut entries = fleet.account().entries();
    entries.retain(|entry| entry.act == Act::Attempt && entry.job == job.as_str());
    entries
}

/// A suspect of this script dies for the third time; its worker and three neighbours do not notice.
async fn dies_alone(script: &Script, lease_ms: u64) -> JobRecord {
    let fleet = Fleet::start().await.unwrap();
    let good = fleet.enqueue(&[Script::of(700).job(), Script::of(700).job()]).await.unwrap();
    let bad = suspect(&fleet, script).await;
    let mut worker = fleet.worker("one", &WorkerOptions { lease_ms, ..six_calls() }).await.unwrap();
    let record = fleet.ended(std::slice::from_ref(&bad)).await.unwrap().remove(0);
    assert_eq!((record.state, record.crashes), (State::Dead, 3), "{record:?}");
    let known: String = fleet
        .connection()
        .hget(fleet.scripts().0.keys().job(bad.as_str()), "last_report")
        .await
        .unwrap();
    assert!(known.ends_with(":crash=dead"), "its worker has said so, and nobody waited: {known}");
    assert_sound(&fleet, &good).await;
    assert!(!worker.has_ended(), "its worker lives");
    let innocent = good.iter().map(|id| attempts(&fleet, id).len());
    assert_eq!(innocent.collect::<Vec<_>>(), [1, 1], "neighbours that had to begin anew");
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspect_that_aborts_dies_alone_and_at_once() {
    let record = dies_alone(&Script { abort_at: 1, ..Script::of(200) }, LONG).await;
    let error = record.error.unwrap();
    assert_eq!(error.code, "crashed");
    assert!(error.message.contains("signal 6"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspect_that_eats_memory_dies_alone_and_at_once() {
    let record = dies_alone(&Script { eat_at: 1, ..Script::of(200) }, LONG).await;
    assert_eq!(record.error.unwrap().code, "crashed");
}

/// Its worker waits for a pulse as long as it would itself be waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_suspect_that_blocks_every_thread_dies_alone() {
    let record = dies_alone(&Script { block_at: 1, ..Script::of(10) }, 3000).await;
    let error = record.error.unwrap();
    assert!(error.message.contains("did not turn"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspect_is_done_like_any_other_job_and_pays_nothing_again() {
    let fleet = Fleet::start().await.unwrap();
    let id = suspect(&fleet, &Script { fail_at: 4, ..Script::of(30) }).await;
    let _worker = fleet.worker("one", &six_calls()).await.unwrap();
    // The first attempt fails in its fourth call, and its checkpoint has ended the suspicion.
    let again = async || (attempts(&fleet, &id).len() >= 2).then_some(());
    fleet.until("a second attempt", again).await.unwrap();
    let runs: Vec<bool> =
        attempts(&fleet, &id).iter().map(|run| run.worker.contains('/')).collect();
    assert_eq!(runs[..2], [true, false], "apart, then with the others");
    let starts = fleet.account().count(id.as_str(), Act::CallStart);
    assert_eq!((starts[&1], starts[&3]), (1, 1), "what it had paid for is kept: {starts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspect_that_panics_uses_up_an_attempt_and_is_no_crash() {
    let fleet = Fleet::start().await.unwrap();
    let script = Script { panic_at: 1, ..Script::of(10) };
    let id = fleet.enqueue(&[script.job().with_max_attempts(1)]).await.unwrap().remove(0);
    let key = fleet.scripts().0.keys().job(id.as_str());
    let () = fleet.connection().hset(key, "crashes", 2).await.unwrap();
    let mut worker = fleet.worker("one", &six_calls()).await.unwrap();
    let record = fleet.ended(std::slice::from_ref(&id)).await.unwrap().remove(0);
    assert_eq!((record.state, record.crashes), (State::Dead, 2), "{record:?}");
    assert_eq!(record.error.unwrap().code, "panic");
    assert!(!worker.has_ended());
}

/// Whoever kills the worker of a suspect has not shown that the job is to blame: it runs again.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_does_not_end_its_suspect() {
    let fleet = Fleet::start().await.unwrap();
    let id = suspect(&fleet, &Script { hang_at: 1, ..Script::of(10) }).await;
    let mut first = fleet.worker("one", &six_calls()).await.unwrap();
    process_of(&fleet, &id, 1).await;
    // It reaps meanwhile, so that the lease runs out unmistakably.
    let neighbour = fleet.enqueue(&[Script::of(10).job()]).await.unwrap();
    let _second = fleet.worker("two", &six_calls()).await.unwrap();
    fleet.ended(&neighbour).await.unwrap();
    first.kill().await.unwrap();
    let again = async || (attempts(&fleet, &id).len() == 2).then_some(());
    fleet.until("it runs again", again).await.unwrap();
    assert_ne!(fleet.record(&id).await.unwrap().state, State::Dead);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_takes_its_suspect_along() {
    let fleet = Fleet::start().await.unwrap();
    let id = suspect(&fleet, &Script { hang_at: 2, ..Script::of(10) }).await;
    let mut worker = fleet.worker("one", &six_calls()).await.unwrap();
    let process = process_of(&fleet, &id, 2).await;
    assert!(!is_gone(process));
    worker.kill().await.unwrap();
    until_gone(&fleet, process).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_suspect_ends_with_its_process() {
    let fleet = Fleet::start().await.unwrap();
    let id = suspect(&fleet, &Script { hang_at: 2, ..Script::of(10) }).await;
    let worker = WorkerOptions { lease_ms: LONG, ..six_calls() };
    let mut worker = fleet.worker("one", &worker).await.unwrap();
    let process = process_of(&fleet, &id, 2).await;
    fleet.producer.cancel(&id).await.unwrap();
    let record = fleet.ended(std::slice::from_ref(&id)).await.unwrap().remove(0);
    // The checkpoint of its first call has ended the suspicion.
    assert_eq!((record.state, record.crashes), (State::Cancelled, 0), "{record:?}");
    until_gone(&fleet, process).await;
    assert!(!worker.has_ended());
}

/// Whoever ends a service asks all of its processes: the suspect leaves it to its worker.
#[tokio::test(flavor = "multi_thread")]
async fn a_drain_reaches_a_suspect_and_pays_nothing_twice() {
    let fleet = Fleet::start().await.unwrap();
    let id = suspect(&fleet, &Script::of(600)).await;
    let mut worker = fleet.worker("one", &six_calls()).await.unwrap();
    let process = process_of(&fleet, &id, 1).await;
    kill(process, Signal::SIGTERM).unwrap();
    worker.signal(Signal::SIGTERM).unwrap();
    assert!(worker.end().await.unwrap(), "it ends in peace");
    until_gone(&fleet, process).await;
    let record = fleet.record(&id).await.unwrap();
    assert_eq!((record.state, record.interruptions), (State::Ready, 1), "{record:?}");
    let _other = fleet.worker("two", &six_calls()).await.unwrap();
    assert_sound(&fleet, std::slice::from_ref(&id)).await;
    assert_eq!(fleet.account().paid_twice(), Vec::<String>::new());
}

/// A worker that stands still for longer than its lease loses its suspect too: the process fences itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_suspect_of_a_stopped_worker_fences_itself() {
    let fleet = Fleet::start().await.unwrap();
    let id = suspect(&fleet, &Script::of(1500)).await;
    let mut stopped = fleet.worker("stopped", &six_calls()).await.unwrap();
    // Behind a checkpoint: its worker's stand-still is a crash, and must not be the third.
    let process = process_of(&fleet, &id, 2).await;
    stopped.signal(Signal::SIGSTOP).unwrap();
    until_gone(&fleet, process).await;
    let _other = fleet.worker("other", &six_calls()).await.unwrap();
    let done = fleet.ended(std::slice::from_ref(&id)).await.unwrap().remove(0);
    assert_eq!(done.state, State::Done, "{done:?}");
    assert_eq!(fleet.account().stale_starts().len(), 0, "a call began under an old token");
    stopped.kill().await.unwrap();
}

/// Slots of each worker, and workers, of the storm.
const SLOTS: usize = 4;
const WORKERS: usize = 2;
const KILLS: usize = 15;
/// Longest time in which slots may stand idle beside ready jobs. A marker's patience is two seconds, and a
/// busy machine takes its own; a job that waited for an empty worker waited for 40 to 76.
const IDLE: i64 = 12_000;

/// I8, I16: in a storm of kills no innocent job waits for an empty worker, and a kill costs of each slot one
/// call that was on its way to its checkpoint at most.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_storm_of_kills_no_slot_waits_for_a_suspect() {
    let fleet = Fleet::start().await.unwrap();
    let jobs: Vec<_> = (0..60).map(|_| Script::of(150).job()).collect();
    let ids = fleet.enqueue(&jobs).await.unwrap();
    let mut storm = Storm::begin(&fleet).await;
    let ended = async || {
        storm.strike_or_look(&ids).await;
        let records = fleet.producer.status(&ids).await.ok()?;
        records.iter().flatten().all(|record| record.state.is_terminal()).then_some(())
    };
    fleet.until("every job has ended", ended).await.unwrap();
    assert_eq!(storm.kills, KILLS, "the storm was over before");
    let records = assert_sound(&fleet, &ids).await;
    let (account, lost) = (fleet.account(), fleet.account().on_their_way());
    assert!(lost.len() <= SLOTS * KILLS, "{} calls on their way to a checkpoint", lost.len());
    assert!(account.paid_twice().len() <= lost.len(), "{:?}", account.paid_twice());
    let apart = account.entries().into_iter();
    let apart: BTreeSet<_> =
        apart.filter(|entry| entry.worker.contains('/')).map(|entry| entry.job).collect();
    let most = records.iter().map(|record| record.crashes).max();
    assert!(storm.longest_idle < IDLE, "slots stood idle for {} ms", storm.longest_idle);
    eprintln!(
        "{} ran apart, {most:?} crashes at most, idle {} ms",
        apart.len(),
        storm.longest_idle
    );
}

/// Kills one worker after the other, and looks whether the living ones are at work.
struct Storm<'fleet> {
    fleet: &'fleet Fleet,
    workers: Vec<(String, Worker)>,
    kills: usize,
    idle_since: Option<i64>,
    longest_idle: i64,
}

impl<'fleet> Storm<'fleet> {
    async fn begin(fleet: &'fleet Fleet) -> Self {
        let mut storm =
            Self { fleet, workers: Vec::new(), kills: 0, idle_since: None, longest_idle: 0 };
        for at in 0..WORKERS {
            let worker = storm.start(at).await;
            storm.workers.push(worker);
        }
        storm
    }

    async fn start(&self, number: usize) -> (String, Worker) {
        let name = format!("w{number}");
        let options = WorkerOptions { slots: SLOTS, ..six_calls() };
        let worker = self.fleet.worker(&name, &options).await.unwrap();
        (name + "-", worker)
    }

    /// Kills when the next share of all paid calls is through, so that each kill meets work.
    async fn strike_or_look(&mut self, ids: &[JobId]) {
        let entries = self.fleet.account().entries();
        let calls = entries.iter().filter(|entry| entry.act == Act::CallEnd).count();
        if self.kills < KILLS && calls > ids.len() * 6 * (self.kills + 1) / (KILLS + 5) {
            let victim = self.kills % WORKERS;
            self.workers[victim].1.kill().await.unwrap();
            self.kills += 1;
            self.workers[victim] = self.start(WORKERS + self.kills).await;
        }
        self.look().await;
    }

    /// Whether a worker that has signed on has a free slot, and a job is ready.
    async fn look(&mut self) {
        let (scripts, mut connection) = self.fleet.scripts();
        let keys = scripts.keys();
        let (ready, leased, known): (usize, Vec<String>, Vec<String>) = redis::pipe()
            .zcard(keys.named("ready"))
            .zrange(keys.named("leased"), 0, -1)
            .hkeys(keys.named("workers"))
            .query_async(&mut connection)
            .await
            .unwrap();
        let mut held = Vec::new();
        for id in &leased {
            let worker: Option<String> = connection.hget(keys.job(id), "worker").await.unwrap();
            held.extend(worker);
        }
        let is_idle = |name: &String| {
            let held = held.iter().filter(|worker| worker.starts_with(name)).count();
            known.iter().any(|worker| worker.starts_with(name)) && held < SLOTS
        };
        let idle = ready > 0 && self.workers.iter().any(|(name, _)| is_idle(name));
        let now = self.fleet.now_ms().await.unwrap();
        let since = *self.idle_since.get_or_insert(now);
        self.longest_idle = self.longest_idle.max(now - since);
        if !idle {
            self.idle_since = None;
        }
    }
}
