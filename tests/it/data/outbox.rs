//! Jobs that an application writes beside its rows: what is committed runs, and nothing else.

use std::time::Duration;

use providers::postgres::{Outbox, OutboxCount, Relay, RelayOptions};
use sqlx::{Connection, PgConnection, Row};
use stillcast_enqueue::keys::Keys;
use stillcast_enqueue::{Job, JobId, Producer, Source, State};
use tests::server::Server;
use tests::wait::until;
use tokio::task::JoinSet;

use crate::support::Content;

pub(crate) const JOB: &str = r#"{"source": {"text": "A long day by the sea."}, "format": "audio"}"#;
const QUEUE: &str = "stillcast";

/// A queue, a database, and no relay yet.
pub(crate) struct Office {
    pub(crate) redis: Server,
    pub(crate) content: Content,
    pub(crate) application: PgConnection,
}

impl Office {
    pub(crate) async fn new() -> Self {
        let (redis, content) = (Server::start().await.unwrap(), Content::new().await);
        let application = content.connection().await;
        Self { redis, content, application }
    }

    fn relay(&self) -> JoinSet<()> {
        let options = RelayOptions {
            database_url: self.content.server.url("content"),
            name: "outbox-under-test".to_owned(),
            redis_url: self.redis.url(),
            queue: QUEUE.to_owned(),
            keep: Duration::from_hours(48),
        };
        Relay::new(options).unwrap().start()
    }

    pub(crate) fn outbox(&self) -> Outbox {
        Outbox::new(self.content.database.clone(), QUEUE)
    }

    pub(crate) async fn producer(&self) -> Producer {
        Producer::connect(&self.redis.url()).await.unwrap()
    }

    /// Writes a job as an application does.
    pub(crate) async fn write(&mut self, id: Option<&str>, job: &str) -> Result<String, String> {
        write(&mut self.application, id, job).await
    }

    async fn change(&mut self, statement: &'static str, id: &str) {
        let changed = sqlx::query(statement).bind(id).execute(&mut self.application).await.unwrap();
        assert_eq!(changed.rows_affected(), 1, "{statement}");
    }

    /// State and reason of a row.
    async fn row(&mut self, id: &str) -> (String, Option<String>) {
        let row = sqlx::query("select state, reason from stillcast_outbox where id = $1").bind(id);
        let row = row.fetch_one(&mut self.application).await.unwrap();
        (row.get(0), row.get(1))
    }

    async fn reaches(&mut self, id: &str, state: &str) -> Option<String> {
        let what = format!("{id} is {state}");
        until(&what, async || {
            let (now, reason) = self.row(id).await;
            (now == state).then_some(reason)
        })
        .await
    }

    /// Jobs that the queue has ever let in.
    pub(crate) fn enqueued(&self) -> u64 {
        let mut connection = redis::Client::open(self.redis.url()).unwrap();
        let counts = Keys::new(QUEUE).unwrap().named("counts");
        let asked = redis::cmd("HGET").arg(counts).arg("enqueued").to_owned();
        asked.query::<Option<u64>>(&mut connection).unwrap().unwrap_or_default()
    }

    /// In which state the queue has a job.
    async fn stands(&self, id: &str) -> Option<State> {
        let ids = [JobId::parse(id).unwrap()];
        let mut records = self.producer().await.status(&ids).await.unwrap();
        records.pop().flatten().map(|record| record.state)
    }
}

pub(crate) async fn write(
    connection: &mut PgConnection,
    id: Option<&str>,
    job: &str,
) -> Result<String, String> {
    let written = sqlx::query("select stillcast_enqueue($1::jsonb, $2)").bind(job).bind(id);
    let row = written.fetch_one(connection).await.map_err(|error| error.to_string())?;
    Ok(row.get(0))
}

#[tokio::test]
async fn what_is_committed_runs_and_nothing_of_what_is_rolled_back() {
    let mut office = Office::new().await;
    let _relay = office.relay();
    let mut application = office.content.connection().await;
    let mut transaction = application.begin().await.unwrap();
    let gone = write(&mut transaction, None, JOB).await.unwrap();
    transaction.rollback().await.unwrap();
    let mut transaction = application.begin().await.unwrap();
    let kept = write(&mut transaction, None, JOB).await.unwrap();
    let own = write(&mut transaction, Some("order-7"), JOB).await.unwrap();
    assert_eq!(office.enqueued(), 0, "nothing is handed over before the commit");
    transaction.commit().await.unwrap();
    assert_eq!(own, "order-7");
    for id in [&kept, &own] {
        office.reaches(id, "sent").await;
        assert_eq!(office.stands(id).await, Some(State::Ready));
    }
    // Written again it is the same job; the identifier of another one is refused.
    assert_eq!(office.write(Some("order-7"), JOB).await, Ok("order-7".to_owned()));
    let other = JOB.replace("sea", "lake");
    let refused = office.write(Some("order-7"), &other).await.unwrap_err();
    assert!(refused.contains("order-7 already belongs to another job"), "{refused}");
    assert_eq!((office.enqueued(), office.stands(&gone).await), (2, None));
    let next = office.write(None, JOB).await.unwrap();
    assert!(kept < next && next.as_bytes()[14] == b'7', "made later, and before: {next}, {kept}");
}

#[tokio::test]
async fn what_can_never_run_is_refused_with_its_reason_and_holds_nobody_up() {
    let mut office = Office::new().await;
    for (id, job, says) in [
        (None, "[]", "job takes an object"),
        (None, r#"{"format": "audio"}"#, "job takes an object"),
        (None, r#"{"source": {"text": "x"}, "format": "film"}"#, "job takes an object"),
        (Some("a/b"), JOB, "id takes letters"),
    ] {
        let refused = office.write(id, job).await.unwrap_err();
        assert!(refused.contains(says), "{refused}");
    }
    let long = JOB.replace("sea", &"sea ".repeat(40_000));
    assert!(office.write(None, &long).await.unwrap_err().contains("at most 128 KiB"));
    let wrong = r#"{"source": {"text": "x"}, "format": "audio", "priority": 42, "colour": "blue"}"#;
    let wrong = office.write(Some("wrong"), wrong).await.unwrap();
    let late =
        r#"{"source": {"text": "x"}, "format": "audio", "deadline": "2020-01-01T00:00:00Z"}"#;
    let late = office.write(Some("late"), late).await.unwrap();
    let good = office.write(Some("good"), JOB).await.unwrap();
    let _relay = office.relay();
    office.reaches(&good, "sent").await;
    let reason = office.reaches(&wrong, "refused").await.unwrap();
    assert!(reason.contains("`priority` takes") && reason.contains("`colour` is not"), "{reason}");
    let reason = office.reaches(&late, "refused").await.unwrap();
    assert!(reason.contains("`deadline` takes"), "{reason}");
    assert_eq!(office.enqueued(), 1);
}

/// A relay has died with these in hand, and none has run for a while: what the queue knows stands; what
/// it surely never had is handed over; what it may have ended and forgotten is nobody's to guess.
#[tokio::test]
async fn what_may_have_ended_and_been_forgotten_does_not_run_again() {
    let mut office = Office::new().await;
    for id in ["stands", "lost", "unclear"] {
        office.write(Some(id), JOB).await.unwrap();
    }
    let stands = Job::audio(Source::Text("A long day by the sea.".to_owned()))
        .with_id(JobId::parse("stands").unwrap());
    office.producer().await.enqueue(&stands).await.unwrap();
    let tried = "update stillcast_outbox set tried_at = now() - interval '13 hours' where id = $1";
    office.change(tried, "stands").await;
    office.change(tried, "unclear").await;
    let tried = "update stillcast_outbox set tried_at = now() - interval '11 hours' where id = $1";
    office.change(tried, "lost").await;
    let relay = office.relay();
    office.reaches("stands", "sent").await;
    office.reaches("lost", "sent").await;
    let reason = office.reaches("unclear", "unclear").await.unwrap();
    assert!(reason.contains("may have forgotten"), "{reason}");
    assert_eq!((office.enqueued(), office.stands("unclear").await), (2, None));
    // A person who knows better says so.
    assert_eq!(office.outbox().resend("2020-01-01T00:00:00Z").await.unwrap(), 3);
    office.reaches("unclear", "sent").await;
    assert_eq!(office.stands("unclear").await, Some(State::Ready));
    assert_eq!(office.enqueued(), 3, "what stands stays one job");
    drop(relay);
}

/// Redis is lost whole: what had ended is not made again, all else is.
#[tokio::test]
async fn after_the_loss_of_redis_what_has_not_ended_is_handed_over_again() {
    let mut office = Office::new().await;
    let _relay = office.relay();
    for id in ["ended", "ran", "waited"] {
        office.write(Some(id), JOB).await.unwrap();
        office.reaches(id, "sent").await;
    }
    office.producer().await.cancel(&JobId::parse("ended").unwrap()).await.unwrap();
    let look = "update stillcast_outbox set look_at = now() where id = $1";
    office.change(look, "ended").await;
    office.reaches("ended", "cancelled").await;
    let text = sqlx::query("select job::text from stillcast_outbox where id = 'ended'");
    let text = text.fetch_one(&mut office.application).await.unwrap();
    assert_eq!(text.get::<Option<String>, _>(0), None, "private words go with the end");
    office.redis.say(&["FLUSHALL"]).await.unwrap();
    for id in ["ran", "waited"] {
        office.change(look, id).await;
        office.reaches(id, "missing").await;
    }
    let outbox = office.outbox();
    let count = |counts: &[OutboxCount], state: &str| {
        counts.iter().find(|one| one.state == state).map_or(0, |one| one.rows)
    };
    let counts = outbox.count(Some("2020-01-01T00:00:00Z")).await.unwrap();
    assert_eq!((count(&counts, "missing"), count(&counts, "cancelled")), (2, 1), "{counts:?}");
    assert_eq!(outbox.count(Some("2999-01-01T00:00:00Z")).await.unwrap(), []);
    assert_eq!(outbox.resend("2999-01-01T00:00:00Z").await.unwrap(), 0);
    assert_eq!(outbox.resend("2020-01-01T00:00:00Z").await.unwrap(), 2);
    for id in ["ran", "waited"] {
        office.reaches(id, "sent").await;
        assert_eq!(office.stands(id).await, Some(State::Ready));
    }
    assert_eq!((office.enqueued(), office.stands("ended").await), (2, None));
}

/// What has ended goes after its time; what waits, or is nobody's to guess, stays.
#[tokio::test]
async fn what_has_ended_is_forgotten_after_its_time() {
    let mut office = Office::new().await;
    for state in ["waiting", "sent", "done", "dead", "refused", "missing", "unclear"] {
        office.write(Some(state), JOB).await.unwrap();
        let age = "update stillcast_outbox set state = $1, created_at = now() - interval '3 days'
                   where id = $1";
        office.change(age, state).await;
    }
    office.write(Some("young"), JOB).await.unwrap();
    office.change("update stillcast_outbox set state = 'done' where id = $1", "young").await;
    assert_eq!(office.outbox().prune(Duration::from_hours(48)).await.unwrap(), 4);
    let left = sqlx::query("select string_agg(id, ' ' order by id) from stillcast_outbox");
    let left = left.fetch_one(&mut office.application).await.unwrap();
    assert_eq!(left.get::<String, _>(0), "sent unclear waiting young");
}
