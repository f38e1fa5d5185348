//! Rows of the outbox go in; jobs of the queue come out, by the same identifiers, and the rows learn how
//! they end.
//!
//! Any number of relays run side by side. One that dies leaves rows that say that they were tried: the
//! next one looks first whether the queue has them, and hands over those that it does not know, for as
//! long as the queue surely knows whatever it ever had. After that nobody guesses: such a row is
//! `unclear`, and waits for a person.

use std::time::Duration;

use pipeline::ProviderError;
use sqlx::postgres::PgListener;
use stillcast_enqueue::{EnqueueError, Enqueued, Job, JobId, JobRecord, Producer, ProducerOptions};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::database::Database;
use super::outbox::{Due, Fate, LEASE, Outbox, ROWS, Seen, Taken};

/// Between two looks for rows where nobody says that there are some.
const POLL: Duration = Duration::from_secs(1);
/// The same where somebody does: what was said is lost with the connection.
const POLL_BESIDE_LISTENING: Duration = Duration::from_secs(3);
/// Between two looks at how jobs have ended.
const LOOK: Duration = Duration::from_secs(5);
/// Between two rounds of forgetting.
const PRUNE: Duration = Duration::from_mins(10);
/// Before another try, of a neighbour that has failed.
const AGAIN: Duration = Duration::from_secs(2);
/// Between two looks whether the table is there.
const NO_TABLE: Duration = Duration::from_mins(1);
/// Longest statement, whatever became of the server.
const STATEMENT: Duration = Duration::from_secs(30);
/// Connections for the relay: one hears, the others ask.
const CONNECTIONS: usize = 1;

/// What a relay works with; not to be printed, since its addresses may hold passwords.
#[derive(Clone)]
pub struct RelayOptions {
    /// Where the outbox is; may hold a password.
    pub database_url: String,
    /// Under which name the database lists it.
    pub name: String,
    /// The queue's Redis; may hold a password.
    pub redis_url: String,
    /// The queue's name: rows of others are left alone.
    pub queue: String,
    /// For how long rows of ended jobs are kept.
    pub keep: Duration,
}

/// Hands over what the outbox of one queue holds.
pub struct Relay {
    outbox: Outbox,
    redis_url: String,
    queue: String,
    keep: Duration,
}

/// Who has failed.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the database: {}", .0.message)]
    Database(ProviderError),
    #[error("the database did not answer within {STATEMENT:?}")]
    Silent,
    #[error(transparent)]
    Queue(#[from] EnqueueError),
}

impl Relay {
    /// Connects to nothing yet. Fails where no database can live at the address.
    pub fn new(options: RelayOptions) -> Result<Self, super::InvalidDatabase> {
        let RelayOptions { database_url, name, redis_url, queue, keep } = options;
        let database = Database::open(&database_url, &name, CONNECTIONS)?;
        Ok(Self { outbox: Outbox::new(database, &queue), redis_url, queue, keep })
    }

    /// Hands over until the set is dropped; what is under way then is another relay's within 15 s.
    #[must_use]
    pub fn start(self) -> JoinSet<()> {
        let mut running = JoinSet::new();
        running.spawn(self.run());
        running
    }

    async fn run(self) {
        self.table().await;
        let producer = self.producer().await;
        tracing::info!(queue = self.queue, "hands over what the outbox holds");
        tokio::join!(self.hand_over(&producer), self.look(&producer), self.forget());
    }

    /// Waits until the table is there: a database may serve conversations alone.
    async fn table(&self) {
        let mut trouble = Trouble::default();
        loop {
            match asked(self.outbox.is_there()).await {
                Ok(true) => return,
                Ok(false) => sleep(spread(NO_TABLE)).await,
                Err(error) => {
                    trouble.say(&error);
                    sleep(spread(AGAIN)).await;
                }
            }
        }
    }

    async fn producer(&self) -> Producer {
        let mut trouble = Trouble::default();
        loop {
            let options = ProducerOptions { queue_name: self.queue.clone(), ..Default::default() };
            match Producer::connect_with(&self.redis_url, options).await {
                Ok(producer) => return producer,
                Err(error) => trouble.say(&error.into()),
            }
            sleep(spread(AGAIN)).await;
        }
    }

    async fn hand_over(&self, producer: &Producer) {
        let (mut trouble, mut listener) = (Trouble::default(), None);
        loop {
            // Listening begins before the look, so that no row comes in between unheard.
            if listener.is_none() {
                listener = asked(self.outbox.listen()).await.ok().flatten();
            }
            match self.round(producer).await {
                Ok(0) => hear(&mut listener).await,
                Ok(_) => {}
                Err(error) => {
                    trouble.say(&error);
                    self.wait_for_the_queue(producer).await;
                    continue;
                }
            }
            trouble = Trouble::default();
        }
    }

    /// No row is taken while the queue is away: what was tried then would be unclear some day.
    async fn wait_for_the_queue(&self, producer: &Producer) {
        loop {
            sleep(spread(AGAIN)).await;
            if producer.status(&[JobId::generate()]).await.is_ok() {
                return;
            }
        }
    }

    /// Hands over what waits; how many rows were taken comes out.
    async fn round(&self, producer: &Producer) -> Result<usize, RelayError> {
        let begun = Instant::now();
        let taken = asked(self.outbox.take()).await?;
        if taken.is_empty() {
            return Ok(0);
        }
        let number = taken.len();
        let (fates, failure) = self.send(producer, taken, begun).await;
        // Whoever has them now must not lose them to what is known here.
        let is_late = begun.elapsed() >= LEASE;
        let is_told = |fate: &Fate| !is_late || matches!(fate, Fate::Sent(_));
        let fates: Vec<_> = fates.into_iter().filter(|(_, fate)| is_told(fate)).collect();
        asked(self.outbox.settle(&fates)).await?;
        failure.map_or(Ok(number), |error| Err(error.into()))
    }

    /// What becomes of each row, and the first failure that is not a row's own.
    async fn send(
        &self,
        producer: &Producer,
        taken: Vec<Taken>,
        begun: Instant,
    ) -> (Vec<(String, Fate)>, Option<EnqueueError>) {
        let mut fates = Vec::with_capacity(taken.len());
        let (first, tried): (Vec<Taken>, Vec<Taken>) =
            taken.into_iter().partition(|row| row.is_first);
        let known = match known(producer, &tried).await {
            Ok(known) => known,
            Err(error) => {
                fates.extend(tried.into_iter().map(|row| (row.id, Fate::Again)));
                fates.extend(first.into_iter().map(|row| (row.id, Fate::Untried)));
                return (fates, Some(error));
            }
        };
        let mut jobs: Vec<(bool, Job)> = Vec::new();
        for (row, known) in tried.into_iter().zip(known).chain(first.into_iter().zip(none())) {
            match judge(&row, known.as_ref()) {
                Ok(job) => jobs.push((row.is_first, job)),
                Err(fate) => fates.push((row.id, fate)),
            }
        }
        // A process that stood still in between has lost its rows: they may have ended meanwhile.
        if begun.elapsed() >= LEASE / 2 {
            return (fates, None);
        }
        let failure = enqueue(producer, jobs, &mut fates).await;
        (fates, failure)
    }

    async fn look(&self, producer: &Producer) {
        let mut trouble = Trouble::default();
        loop {
            match self.look_once(producer).await {
                Ok(ROWS) => continue,
                Ok(_) => trouble = Trouble::default(),
                Err(error) => trouble.say(&error),
            }
            sleep(spread(LOOK)).await;
        }
    }

    /// Notes how jobs have ended; how many were looked at comes out.
    async fn look_once(&self, producer: &Producer) -> Result<usize, RelayError> {
        let due = asked(self.outbox.due()).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let ids: Vec<JobId> = due.iter().filter_map(|row| JobId::parse(&row.job).ok()).collect();
        let records = producer.status(&ids).await?;
        let seen: Vec<Seen> = due.into_iter().zip(records).map(seen).collect();
        let missing = seen.iter().filter(|one| one.state == "missing").count();
        if missing > 0 {
            tracing::warn!(
                missing,
                "the queue does not know jobs any more that have not ended: was its Redis lost? \
                 See `stillcast outbox resend`"
            );
        }
        asked(self.outbox.looked(&seen)).await?;
        Ok(seen.len())
    }

    async fn forget(&self) {
        loop {
            match asked(self.outbox.prune(self.keep)).await {
                Ok(ROWS) => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!("old rows of the outbox stay: {error}"),
            }
            sleep(spread(PRUNE)).await;
        }
    }
}

/// An outage is told once, by its first failure.
#[derive(Default)]
struct Trouble {
    is_told: bool,
}

impl Trouble {
    fn say(&mut self, error: &RelayError) {
        if !self.is_told {
            tracing::warn!("the outbox waits: {error}");
        }
        self.is_told = true;
    }
}

/// The records of rows that were tried before, in their order.
async fn known(
    producer: &Producer,
    tried: &[Taken],
) -> Result<Vec<Option<JobRecord>>, EnqueueError> {
    let ids: Vec<JobId> = tried.iter().filter_map(|row| JobId::parse(&row.id).ok()).collect();
    producer.status(&ids).await
}

fn none() -> impl Iterator<Item = Option<JobRecord>> {
    std::iter::repeat_with(|| None)
}

/// The job to be handed over, or what has become of the row already.
fn judge(row: &Taken, known: Option<&JobRecord>) -> Result<Job, Fate> {
    if known.is_some() {
        return Err(Fate::Sent(row.id.clone()));
    }
    if row.is_old {
        return Err(Fate::Unclear);
    }
    let id = JobId::parse(&row.id).map_err(|fault| Fate::Refused(fault.to_string()))?;
    let job = Job::from_json(row.job.as_bytes());
    Ok(job.map_err(|faults| Fate::Refused(faults.to_string()))?.with_id(id))
}

/// Hands jobs over, each with whether it is tried for the first time.
async fn enqueue(
    producer: &Producer,
    jobs: Vec<(bool, Job)>,
    fates: &mut Vec<(String, Fate)>,
) -> Option<EnqueueError> {
    let (first, jobs): (Vec<bool>, Vec<Job>) = jobs.into_iter().unzip();
    let mut failure = None;
    let results = producer.enqueue_many(&jobs).await;
    for ((job, is_first), result) in jobs.iter().zip(first).zip(results) {
        let (fate, error) = fate(result, is_first);
        fates.push((job.id.to_string(), fate));
        failure = failure.or(error);
    }
    failure
}

/// What becomes of a row by the queue's answer, and the failure that is not the row's own.
fn fate(result: Result<Enqueued, EnqueueError>, is_first: bool) -> (Fate, Option<EnqueueError>) {
    match result {
        Ok(enqueued) => (Fate::Sent(enqueued.id.to_string()), None),
        Err(error @ (EnqueueError::Invalid(_) | EnqueueError::IdempotencyMismatch { .. })) => {
            (Fate::Refused(error.to_string()), None)
        }
        // Nothing was written by this try.
        Err(EnqueueError::Full) if is_first => (Fate::Untried, Some(EnqueueError::Full)),
        Err(error) => (Fate::Again, Some(error)),
    }
}

fn seen((row, record): (Due, Option<JobRecord>)) -> Seen {
    let (state, has_ended) = match record.map(|record| record.state) {
        None => ("missing", false),
        Some(state) if state.is_terminal() => (state.as_str(), true),
        Some(_) => ("sent", false),
    };
    Seen { id: row.id, state, has_ended }
}

/// Waits until a row may be there.
async fn hear(listener: &mut Option<PgListener>) {
    let Some(open) = listener else { return sleep(spread(POLL)).await };
    match timeout(spread(POLL_BESIDE_LISTENING), open.try_recv()).await {
        // What else was said means the same: the next look is about all of it.
        Ok(Ok(Some(_))) => while open.next_buffered().is_some() {},
        Ok(Ok(None) | Err(_)) => {
            *listener = None;
            sleep(spread(POLL)).await;
        }
        Err(_) => {}
    }
}

async fn asked<T>(
    statement: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, RelayError> {
    let answered = timeout(STATEMENT, statement).await.map_err(|_| RelayError::Silent)?;
    answered.map_err(RelayError::Database)
}

/// Relays that were started together do not look together.
fn spread(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64())
}
