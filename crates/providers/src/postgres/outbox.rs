//! The jobs that applications have written go in, those whose turn it is come out; what became of them is
//! noted. The table is `stillcast_outbox` of `migrations/`.
//!
//! A row is taken for a short time, never locked while the queue is asked. Before its first job is handed
//! over it says so (`tried_at`), so that whoever comes after a relay that died knows which rows the queue
//! may have already.

use std::time::Duration;

use pipeline::ProviderError;
use sqlx::postgres::PgRow;

use super::database::{Database, column};

/// How long a row is a relay's that has taken it; longer than a call of the queue takes.
pub(super) const LEASE: Duration = Duration::from_secs(15);
/// For so long the queue surely still knows a job that it once had, ended or not: half of the time for
/// which records are kept.
const KNOWN: Duration = Duration::from_hours(12);
/// Rows of one look, of either kind.
pub(super) const ROWS: usize = 100;
/// The channel on which `stillcast_enqueue` says that a row is there.
pub(super) const CHANNEL: &str = "stillcast_outbox";

const IS_THERE: &str = "select to_regclass('stillcast_outbox') is not null";

const TAKE: &str = "\
    update stillcast_outbox as o set tried_at = coalesce(o.tried_at, now()), \
      taken_until = now() + make_interval(secs => $2) \
    where o.id in (\
      select id from stillcast_outbox where queue = $1 and state = 'waiting' \
        and (taken_until is null or taken_until < now()) \
      order by seq limit $3 for update skip locked) \
    returning o.id, o.job::text, o.tried_at = now(), \
      o.tried_at < now() - make_interval(secs => $4), o.seq";

/// What is sent is looked at after ten seconds, and then whenever it is twice as old, at least every five
/// minutes; so the end of a job is known here long before the queue forgets it.
const SETTLE: &str = "\
    update stillcast_outbox as o set state = n.state, \
      job_id = case when n.state = 'sent' then nullif(n.note, o.id) end, \
      reason = case when n.state <> 'sent' then nullif(n.note, '') end, \
      tried_at = case when n.is_untried then null else o.tried_at end, \
      sent_at = case when n.state = 'sent' then now() end, \
      look_at = case when n.state = 'sent' then now() + interval '10 s' end, \
      taken_until = null \
    from unnest($1::text[], $2::text[], $3::text[], $4::bool[]) as n (id, state, note, is_untried) \
    where o.id = n.id and o.state = 'waiting'";

const DUE: &str = "\
    update stillcast_outbox as o set look_at = now() + interval '1 min' where o.id in (\
      select id from stillcast_outbox where queue = $1 and state in ('sent', 'dead', 'missing') \
        and look_at <= now() order by look_at limit $2 for update skip locked) \
    returning o.id, coalesce(o.job_id, o.id)";

const LOOKED: &str = "\
    update stillcast_outbox as o set \
      state = case when o.state = 'dead' and n.state = 'missing' then 'dead' else n.state end, \
      ended_at = case when n.has_ended then coalesce(o.ended_at, now()) \
        when n.state = 'sent' then null else o.ended_at end, \
      job = case when n.has_ended and n.state <> 'dead' then null else o.job end, \
      look_at = case when n.state = 'sent' \
          then now() + greatest(least(now() - o.sent_at, interval '5 min'), interval '10 s') \
        when n.state in ('dead', 'missing') then now() + interval '1 hour' end \
    from unnest($1::text[], $2::text[], $3::bool[]) as n (id, state, has_ended) \
    where o.id = n.id and o.state in ('sent', 'dead', 'missing')";

const PRUNE: &str = "\
    with old as (select id from stillcast_outbox where queue = $1 \
      and created_at < now() - make_interval(secs => $2) \
      and state not in ('waiting', 'sent', 'unclear') limit $3) \
    delete from stillcast_outbox as o using old where o.id = old.id returning 1";

const COUNT: &str = "\
    select state, count(*), extract(epoch from now() - min(created_at))::float8 \
    from stillcast_outbox where queue = $1 and ($2::text is null or created_at >= $2::timestamptz) \
    group by state order by state";

const RESEND: &str = "\
    update stillcast_outbox set state = 'waiting', tried_at = null, taken_until = null, \
      job_id = null, reason = null, look_at = null \
    where queue = $1 and created_at >= $2::timestamptz and state in ('sent', 'missing', 'unclear') \
    returning 1";

/// The outbox of one queue.
#[derive(Clone, Debug)]
pub struct Outbox {
    database: Database,
    queue: String,
}

/// Rows of one state.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxCount {
    /// `waiting`, `sent`, `done`, `dead`, `cancelled`, `expired`, `refused`, `unclear` or `missing`.
    pub state: String,
    /// How many there are.
    pub rows: u64,
    /// How old the oldest one is.
    pub oldest: Duration,
}

/// A row that is this relay's for a moment.
pub(super) struct Taken {
    pub(super) id: String,
    /// The request as JSON.
    pub(super) job: String,
    /// Nobody has set out with it before.
    pub(super) is_first: bool,
    /// It was tried so long ago that the queue may have had it, ended it and forgotten it.
    pub(super) is_old: bool,
}

/// What became of a row that was taken.
#[derive(Debug, PartialEq)]
pub(super) enum Fate {
    /// The queue has it, as the job of this identifier.
    Sent(String),
    /// It can never run.
    Refused(String),
    /// Whether the queue ever had it is not known.
    Unclear,
    /// It may stand in the queue; it is tried again.
    Again,
    /// Nothing was written; it is tried again as if for the first time.
    Untried,
}

/// A row whose job is to be looked at.
pub(super) struct Due {
    pub(super) id: String,
    /// The job that stands for it.
    pub(super) job: String,
}

/// What the queue says of a row's job.
pub(super) struct Seen {
    pub(super) id: String,
    /// `sent`, `missing`, or the word of its end.
    pub(super) state: &'static str,
    pub(super) has_ended: bool,
}

impl Outbox {
    /// That of `queue` in this database.
    pub fn new(database: Database, queue: &str) -> Self {
        Self { database, queue: queue.to_owned() }
    }

    /// Whether the database has the table.
    pub async fn is_there(&self) -> Result<bool, ProviderError> {
        let rows = self.database.found(IS_THERE).await?;
        rows.first().map_or(Ok(false), |row| column(row, 0))
    }

    /// How many rows there are in each state; with `since`, an RFC 3339 time, of those written since.
    pub async fn count(&self, since: Option<&str>) -> Result<Vec<OutboxCount>, ProviderError> {
        let query = sqlx::query(COUNT).bind(&self.queue).bind(since);
        let count = |row: &PgRow| {
            let (rows, oldest): (i64, f64) = (column(row, 1)?, column(row, 2)?);
            Ok(OutboxCount {
                state: column(row, 0)?,
                rows: u64::try_from(rows).unwrap_or_default(),
                oldest: Duration::try_from_secs_f64(oldest).unwrap_or_default(),
            })
        };
        self.database.ask(query).await?.iter().map(count).collect()
    }

    /// Has every row be handed over again that was written since then, an RFC 3339 time, and of which no
    /// end is known; how many they are. What still stands in the queue stays the one job that it is.
    pub async fn resend(&self, since: &str) -> Result<u64, ProviderError> {
        let resent = self.database.ask(sqlx::query(RESEND).bind(&self.queue).bind(since)).await?;
        Ok(resent.len() as u64)
    }

    /// Forgets rows of jobs that have ended, or can never run, and are older than `keep`; how many.
    pub async fn prune(&self, keep: Duration) -> Result<usize, ProviderError> {
        let query = sqlx::query(PRUNE).bind(&self.queue).bind(keep.as_secs_f64()).bind(rows());
        Ok(self.database.ask(query).await?.len())
    }

    /// Takes the rows whose turn it is, the oldest first.
    pub(super) async fn take(&self) -> Result<Vec<Taken>, ProviderError> {
        let query = sqlx::query(TAKE).bind(&self.queue).bind(LEASE.as_secs_f64());
        let query = query.bind(rows()).bind(KNOWN.as_secs_f64());
        let mut taken = self.database.ask(query).await?;
        // In no order of their own.
        taken.sort_by_key(|row| column::<i64>(row, 4).unwrap_or_default());
        let read = |row: &PgRow| {
            Ok(Taken {
                id: column(row, 0)?,
                job: column::<Option<String>>(row, 1)?.unwrap_or_default(),
                is_first: column(row, 2)?,
                is_old: column(row, 3)?,
            })
        };
        taken.iter().map(read).collect()
    }

    /// Notes what became of the rows that were taken.
    pub(super) async fn settle(&self, fates: &[(String, Fate)]) -> Result<(), ProviderError> {
        let ids: Vec<&str> = fates.iter().map(|(id, _)| id.as_str()).collect();
        let words = fates.iter().map(|(_, fate)| match fate {
            Fate::Sent(id) => ("sent", id.as_str()),
            Fate::Refused(reason) => ("refused", reason.as_str()),
            Fate::Unclear => {
                ("unclear", "a relay died with it, and the queue may have forgotten it")
            }
            Fate::Again | Fate::Untried => ("waiting", ""),
        });
        let (states, notes): (Vec<&str>, Vec<&str>) = words.unzip();
        let untried: Vec<bool> = fates.iter().map(|(_, fate)| *fate == Fate::Untried).collect();
        let query = sqlx::query(SETTLE).bind(ids).bind(states).bind(notes).bind(untried);
        self.database.ask(query).await.map(drop)
    }

    /// The rows that the queue is to be asked about.
    pub(super) async fn due(&self) -> Result<Vec<Due>, ProviderError> {
        let due = self.database.ask(sqlx::query(DUE).bind(&self.queue).bind(rows())).await?;
        due.iter().map(|row| Ok(Due { id: column(row, 0)?, job: column(row, 1)? })).collect()
    }

    /// Notes what the queue has said.
    pub(super) async fn looked(&self, seen: &[Seen]) -> Result<(), ProviderError> {
        let ids: Vec<&str> = seen.iter().map(|one| one.id.as_str()).collect();
        let states: Vec<&str> = seen.iter().map(|one| one.state).collect();
        let ended: Vec<bool> = seen.iter().map(|one| one.has_ended).collect();
        let query = sqlx::query(LOOKED).bind(ids).bind(states).bind(ended);
        self.database.ask(query).await.map(drop)
    }

    /// Hears of new rows; `None` where a pooler stands between.
    pub(super) async fn listen(&self) -> Result<Option<sqlx::postgres::PgListener>, ProviderError> {
        self.database.listen(CHANNEL).await
    }
}

fn rows() -> i64 {
    i64::try_from(ROWS).unwrap_or(i64::MAX)
}
