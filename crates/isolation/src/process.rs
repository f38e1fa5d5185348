//! The process's side: takes what it shall do from stdin, works, and answers on stdout.

use std::any::Any;
use std::io;
use std::os::fd::AsFd;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt};
use queue::{BorrowError, Endpoint, Lease, Outcome, Report};
use serde_json::Value;
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};
use tokio_util::codec::{FramedRead, FramedWrite, LinesCodec};

use crate::words::{Answer, Begin, Order, lines};

/// How long the worker may take to say what there is to do, and to take the last word.
const PATIENCE: Duration = Duration::from_secs(10);
/// The kernel's scale of whom to end first when memory is out: nobody before this process.
const FIRST_TO_GO: &str = "1000";

type Orders = FramedRead<pipe::Receiver, LinesCodec>;

/// Why a process cannot do what it was started for.
#[derive(Debug, thiserror::Error)]
pub enum IsolationError {
    /// Nobody but a worker starts it.
    #[error("only a worker starts this, with pipes for stdin and stdout")]
    Pipes(#[source] io::Error),
    /// The worker's first line is not what it should be.
    #[error("the worker did not say what to do")]
    Order,
    /// The lease cannot be worked under.
    #[error(transparent)]
    Lease(#[from] BorrowError),
}

/// The process of one attempt, once it knows what to do.
pub struct Process {
    lease: Lease,
    setup: Value,
    teller: Teller,
    /// Reads orders, writes answers, shows the pulse.
    talk: Talk,
}

/// Tells the worker. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Teller(mpsc::UnboundedSender<Answer>);

/// The tasks that talk with the worker; they end with it.
struct Talk {
    listener: JoinSet<()>,
    pulse: JoinSet<()>,
    writer: JoinSet<()>,
}

impl Teller {
    /// Says something that the worker's binary understands. Neither blocks nor waits.
    pub fn tell(&self, note: Value) {
        self.say(Answer::Note(note));
    }

    fn say(&self, answer: Answer) {
        // Nobody listens any more: the process is about to end with its worker.
        let _ = self.0.send(answer);
    }
}

impl Process {
    /// Takes the worker's first line, and the lease in it, from the queue at `endpoint`, which has
    /// `response_timeout` for each answer.
    pub async fn begin(
        endpoint: &Endpoint,
        response_timeout: Duration,
    ) -> Result<Self, IsolationError> {
        offer_first();
        // Whoever ends all processes of a service asks this one too; its worker decides.
        let _ignored = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
        let mut orders = orders().map_err(IsolationError::Pipes)?;
        let Begin { lease, pulse, setup } = first(&mut orders).await?;
        let (teller, answers) = mpsc::unbounded_channel();
        let teller = Teller(teller);
        let mut talk =
            Talk { listener: JoinSet::new(), pulse: JoinSet::new(), writer: JoinSet::new() };
        let out = stdout().map_err(IsolationError::Pipes)?;
        talk.writer.spawn(write(answers, out));
        talk.pulse.spawn(beat(teller.clone(), pulse));
        let lease = Lease::borrowed(endpoint, response_timeout, lease).await?;
        talk.listener.spawn(listen(orders, lease.clone()));
        Ok(Self { lease, setup, teller, talk })
    }

    /// What to work under.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// What the worker's binary has told itself.
    pub fn setup(&self) -> &Value {
        &self.setup
    }

    /// The way to the worker.
    pub fn teller(&self) -> &Teller {
        &self.teller
    }

    /// Works, and reports how it ended. Returns once the worker has the report, or is gone.
    pub async fn run(self, attempt: impl Future<Output = Report>) {
        let Self { lease, teller, mut talk, .. } = self;
        let attempt = AssertUnwindSafe(attempt).catch_unwind();
        let ended = tokio::select! {
            ended = attempt => ended,
            _ = lease.interrupted() => Ok(Outcome::Release.into()),
            // The worker is gone, and with it whoever could report.
            _ = talk.listener.join_next() => return,
        };
        // Where that fails the lease is over, and the report will be told so.
        let _ = lease.settle().await;
        teller.say(last_word(ended));
        // A worker that does not take it in time will see the process end.
        let _ = timeout(PATIENCE, talk.writer.join_next()).await;
    }
}

fn last_word(ended: Result<Report, Box<dyn Any + Send>>) -> Answer {
    ended.map_or(Answer::Panicked, |report| Answer::Report(Box::new(report)))
}

/// Where memory runs out this process goes first, before its worker.
fn offer_first() {
    if let Err(error) = std::fs::write("/proc/self/oom_score_adj", FIRST_TO_GO) {
        tracing::debug!(%error, "the kernel may end the worker before its suspect");
    }
}

fn orders() -> io::Result<Orders> {
    let fd = io::stdin().as_fd().try_clone_to_owned()?;
    Ok(FramedRead::new(pipe::Receiver::from_owned_fd(fd)?, lines()))
}

fn stdout() -> io::Result<FramedWrite<pipe::Sender, LinesCodec>> {
    let fd = io::stdout().as_fd().try_clone_to_owned()?;
    Ok(FramedWrite::new(pipe::Sender::from_owned_fd(fd)?, lines()))
}

async fn first(orders: &mut Orders) -> Result<Begin, IsolationError> {
    let line = timeout(PATIENCE, orders.next()).await.map_err(|_| IsolationError::Order)?;
    match line.and_then(Result::ok).and_then(|text| serde_json::from_str(&text).ok()) {
        Some(Order::Begin(begin)) => Ok(*begin),
        _ => Err(IsolationError::Order),
    }
}

/// Until the worker is gone.
async fn listen(mut orders: Orders, lease: Lease) {
    while let Some(Ok(line)) = orders.next().await {
        if let Ok(Order::Standing(standing)) = serde_json::from_str(&line) {
            lease.follow(standing);
        }
    }
}

/// Until the last word.
async fn write(
    mut answers: mpsc::UnboundedReceiver<Answer>,
    mut out: FramedWrite<pipe::Sender, LinesCodec>,
) {
    while let Some(answer) = answers.recv().await {
        let is_last = matches!(answer, Answer::Report(_) | Answer::Panicked);
        let Ok(line) = serde_json::to_string(&answer) else { continue };
        if out.send(line).await.is_err() || is_last {
            return;
        }
    }
}

async fn beat(teller: Teller, every: Duration) {
    let mut ticks = interval(every);
    loop {
        ticks.tick().await;
        teller.say(Answer::Pulse);
    }
}
