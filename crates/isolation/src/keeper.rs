//! The worker's side: starts the process of an attempt, keeps its lease, and says how it ended.

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use child::{ChildError, Limits, Running, Spec, Stream};
use futures::{SinkExt, StreamExt};
use queue::{Lease, LeaseStanding, Outcome, Report};
use serde_json::Value;
use stillcast_enqueue::ErrorReport;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::codec::{FramedRead, FramedWrite, LinesCodec};

use crate::words::{Answer, Begin, Order, lines};

/// The running binary, also when its file has been replaced.
const SELF: &str = "/proc/self/exe";
/// Its name in lists of processes, and in errors.
const NAME: &str = "stillcast-suspect";
/// How long a process may take to end behind its report: its last spans leave meanwhile.
const FAREWELL: Duration = Duration::from_secs(6);
/// Looks at the lease, and pulses, in the longest silence.
const LOOKS: u32 = 12;

/// What one process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Memory that it may write, in bytes.
    pub memory: u64,
    /// Time on any core.
    pub cpu: Duration,
    /// Longest time without a turn of its runtime.
    pub silence: Duration,
}

/// Starts processes for attempts.
#[derive(Debug)]
pub struct Isolation {
    arguments: Vec<OsString>,
    bounds: Bounds,
    leaving: Leaving,
}

/// Processes that have reported and are about to end; killed when dropped.
type Leaving = std::sync::Mutex<tokio::task::JoinSet<()>>;

/// A process at work.
struct Link {
    running: Running,
    orders: FramedWrite<ChildStdin, LinesCodec>,
    answers: FramedRead<ChildStdout, LinesCodec>,
}

/// How a process has ended its attempt.
enum End {
    Reported(Report),
    Panicked,
    /// It stopped talking: its end says why.
    Silent,
    /// Its runtime stands still.
    Stuck,
}

impl Isolation {
    /// Attempts run in this binary, started with `arguments`.
    pub fn new(arguments: impl IntoIterator<Item = OsString>, bounds: Bounds) -> Self {
        Self { arguments: arguments.into_iter().collect(), bounds, leaving: Leaving::default() }
    }

    /// Runs one attempt under `lease`, which stays here. The process is told `setup`, and `hear` gets what
    /// it tells; dropped, the process is killed with all that it has started.
    ///
    /// Answers what the process has reported; [`Outcome::Crashed`] when it died, got stuck or went beyond
    /// its bounds; a retry (`suspect-not-started`) when it could not work at all. A panic of the process
    /// goes on here.
    pub async fn attempt(
        &self,
        lease: &Lease,
        setup: Value,
        hear: &(dyn Fn(Value) + Send + Sync),
    ) -> Report {
        let mut link = match self.start(lease, setup).await {
            Ok(link) => link,
            Err(why) => return not_started(&why),
        };
        tracing::info!(job.id = lease.id(), process = link.running.pid(), "runs apart: a suspect");
        match self.keep(lease, &mut link, hear).await {
            End::Reported(report) => {
                self.see_off(link);
                report
            }
            End::Panicked => std::panic::resume_unwind(Box::new("the attempt's process panicked")),
            End::Stuck => crashed(&format!(
                "its process did not turn for {} s, and was killed",
                self.bounds.silence.as_secs()
            )),
            End::Silent => ended(link).await,
        }
    }

    /// Waits for processes that have reported, so that none is killed in the middle of its last words.
    pub async fn settle(&self) {
        let mut leaving = std::mem::take(&mut *self.leaving());
        while leaving.join_next().await.is_some() {}
    }

    async fn start(&self, lease: &Lease, setup: Value) -> Result<Link, String> {
        let limits = Limits {
            data: Some(self.bounds.memory),
            cpu: Some(self.bounds.cpu),
            // A dump would hold keys and texts.
            core: Some(0),
            ..Limits::default()
        };
        let spec = Spec::new(SELF).named(NAME).args(&self.arguments).limits(limits);
        let spec = spec.stdin(Stream::Piped).stdout(Stream::Piped).stderr(Stream::Inherited);
        let mut running = spec.spawn().await.map_err(|error| error.to_string())?;
        let (Some(stdin), Some(stdout)) = (running.stdin.take(), running.stdout.take()) else {
            return Err("its process has no pipes".to_owned());
        };
        let (orders, answers) =
            (FramedWrite::new(stdin, lines()), FramedRead::new(stdout, lines()));
        let mut link = Link { running, orders, answers };
        let begin = Begin { lease: lease.lend(), pulse: self.look(), setup };
        let begun = self.order(&mut link, &Order::Begin(Box::new(begin))).await;
        begun.map_err(|error| error.to_string())?;
        Ok(link)
    }

    /// Hears the process, and tells it how the lease stands, until it has said how the attempt ended.
    async fn keep(
        &self,
        lease: &Lease,
        link: &mut Link,
        hear: &(dyn Fn(Value) + Send + Sync),
    ) -> End {
        let (mut looks, mut silence) = (interval(self.look()), Silence::begins(self.look()));
        // After a stall of this process, one look is as good as many.
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = None;
        loop {
            tokio::select! {
                // What it has said counts before how long it has said nothing.
                biased;
                line = link.answers.next() => {
                    silence.breaks();
                    match line.map(|line| line.map(|text| serde_json::from_str(&text))) {
                        Some(Ok(Ok(Answer::Pulse))) => {}
                        Some(Ok(Ok(Answer::Note(note)))) => hear(note),
                        Some(Ok(Ok(Answer::Report(report)))) => return End::Reported(*report),
                        Some(Ok(Ok(Answer::Panicked))) => return End::Panicked,
                        // Nobody but a broken process says anything else.
                        Some(Ok(Err(_)) | Err(_)) | None => return End::Silent,
                    }
                }
                _ = looks.tick() => {
                    if silence.length() > self.bounds.silence {
                        return End::Stuck;
                    }
                    self.tell(lease.standing(), &mut told, link).await;
                }
            }
        }
    }

    async fn tell(&self, now: LeaseStanding, told: &mut Option<LeaseStanding>, link: &mut Link) {
        // A process that takes no word any more is about to end, or stuck: either is heard.
        if *told != Some(now) && self.order(link, &Order::Standing(now)).await.is_ok() {
            *told = Some(now);
        }
    }

    async fn order(&self, link: &mut Link, order: &Order) -> io::Result<()> {
        let line = serde_json::to_string(order)?;
        let sent = timeout(self.look(), link.orders.send(line)).await;
        sent.map_err(io::Error::other)?.map_err(io::Error::other)
    }

    /// Between two looks at the lease; a process shows its pulse as often.
    fn look(&self) -> Duration {
        self.bounds.silence / LOOKS
    }

    fn see_off(&self, link: Link) {
        let mut leaving = self.leaving();
        while leaving.try_join_next().is_some() {}
        leaving.spawn(async move {
            let Link { mut running, orders, .. } = link;
            drop(orders);
            // Too late is killed by the drop.
            let _ = timeout(FAREWELL, running.wait()).await;
        });
    }

    fn leaving(&self) -> std::sync::MutexGuard<'_, tokio::task::JoinSet<()>> {
        self.leaving.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// How long a process has said nothing while this one listened.
struct Silence {
    since: Instant,
    looked: Instant,
    look: Duration,
}

impl Silence {
    fn begins(look: Duration) -> Self {
        Self { since: Instant::now(), looked: Instant::now(), look }
    }

    fn breaks(&mut self) {
        self.since = Instant::now();
    }

    /// Until now. Where this process itself stood still, what was said meanwhile may not be heard yet.
    fn length(&mut self) -> Duration {
        let now = Instant::now();
        if now.duration_since(self.looked) > self.look * 2 {
            self.since = now;
        }
        self.looked = now;
        now.duration_since(self.since)
    }
}

/// What the end of a process means that has not reported.
async fn ended(mut link: Link) -> Report {
    match timeout(FAREWELL, link.running.wait()).await {
        Ok(Err(ChildError::Signal { signal, .. })) => crashed(&of_signal(signal)),
        // It has closed its mouth and lives on.
        Err(_) => crashed("its process broke off in the middle, and was killed"),
        Ok(Err(error)) => not_started(&error.to_string()),
        Ok(Ok(_)) => not_started("its process ended without a report"),
    }
}

fn of_signal(signal: i32) -> String {
    let meaning = match signal {
        6 => ": it aborted, by its own code or for want of memory",
        9 => ": it was killed, as the kernel does when memory runs out",
        11 => ": it touched memory that is not its own",
        24 => ": it used up its CPU time",
        _ => "",
    };
    format!("its process was ended by signal {signal}{meaning}")
}

fn crashed(how: &str) -> Report {
    let message = format!("the attempt crashed: {how}; the worker's log holds its last words");
    tracing::error!("{message}");
    Outcome::Crashed { error: ErrorReport::new("crashed", message) }.into()
}

fn not_started(why: &str) -> Report {
    let message = format!("the attempt had no process of its own: {why}");
    tracing::error!("{message}");
    let error = ErrorReport::new("suspect-not-started", message);
    Outcome::Retry { after: None, error }.into()
}
