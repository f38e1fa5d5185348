//! Single verbs, called by hand between the moves of a worker: what a fleet shows only by chance.

use std::time::Duration;

use queue::{Claim, ClaimRequest, ClaimedJob, Limits, Outcome, ReapRequest, Report, Reported};
use redis::{AsyncCommands, Value};
use stillcast_enqueue::ErrorReport;
use tests::fleet::Fleet;
use tests::script::Script;

const LEASE: Duration = Duration::from_secs(3);

async fn claim(fleet: &Fleet, nonce: &str, lease: Duration) -> Box<ClaimedJob> {
    let (scripts, mut connection) = fleet.scripts();
    let request = ClaimRequest { worker: "hand", nonce, lease_ttl: lease, held: 0 };
    let claim = scripts.claim(&mut connection, &request).await.unwrap();
    let job = if let Claim::Job(job) = claim { Some(job) } else { None };
    job.expect("a job is ready")
}

async fn reap(fleet: &Fleet, lease: Duration) {
    let (scripts, mut connection) = fleet.scripts();
    let limits = &Limits::default();
    let (answered_ms, fresh) = (None, Duration::ZERO);
    let request = ReapRequest { lease_ttl: lease, everything: false, answered_ms, fresh, limits };
    let _: Value = scripts.reap(&request).invoke_async(&mut connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_repeated_by_its_nonce_is_the_same_claim() {
    let fleet = Fleet::start().await.unwrap();
    fleet.enqueue(&[Script::default().job(), Script::default().job()]).await.unwrap();
    let first = claim(&fleet, "nonce", LEASE).await;
    let again = claim(&fleet, "nonce", LEASE).await;
    assert_eq!((&again.id, &again.token), (&first.id, &first.token));
    let other = claim(&fleet, "other", LEASE).await;
    assert_ne!(other.id, first.id);
}

/// I4: the first report stands; its repetition hears so, and another one is stale.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_repeated_is_accepted_once() {
    let fleet = Fleet::start().await.unwrap();
    fleet.enqueue(&[Script::default().job()]).await.unwrap();
    let job = claim(&fleet, "nonce", LEASE).await;
    let (scripts, connection) = fleet.scripts();
    let error = ErrorReport::new("x", "x");
    let retry = Report::from(Outcome::Retry { after: None, error: error.clone() });
    let dead = Report::from(Outcome::Dead { error });
    let mut answers = Vec::new();
    for report in [&retry, &retry, &dead] {
        let calls = scripts.lease(connection.clone(), &job.id, &job.token);
        answers.push(calls.report(report, LEASE, &Limits::default()).await.unwrap());
    }
    let accepted = Reported::Accepted("delayed".to_owned());
    assert_eq!(answers, [accepted.clone(), accepted, Reported::Stale]);
    let id = stillcast_enqueue::JobId::parse(&job.id).unwrap();
    assert_eq!(fleet.record(&id).await.unwrap().attempt, 1, "one attempt is used, not two");
}

/// The baton: who took the marker and leaves work behind wakes the next worker.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_leaves_work_wakes_the_next_worker() {
    let fleet = Fleet::start().await.unwrap();
    fleet.enqueue(&[Script::default().job(), Script::default().job()]).await.unwrap();
    let (scripts, mut connection) = fleet.scripts();
    let wake = scripts.keys().named("wake");
    for (nonce, left) in [("first", 1), ("second", 0)] {
        let taken: Vec<(String, f64)> = connection.zpopmin(&wake, 1).await.unwrap();
        assert_eq!(taken.len(), 1, "a marker lies ready");
        claim(&fleet, nonce, LEASE).await;
        let markers: i64 = connection.zcard(&wake).await.unwrap();
        assert_eq!(markers, left, "after the {nonce} claim");
    }
}

/// `reap`: a lease that ran out is a crash only when its attempt had begun.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_begun_attempt_can_crash() {
    let fleet = Fleet::start().await.unwrap();
    let lease = LEASE;
    let ids = fleet.enqueue(&[Script::default().job()]).await.unwrap();
    for (nonce, begun, charged) in [("idle", false, (0, 1)), ("begun", true, (1, 1))] {
        let job = claim(&fleet, nonce, lease).await;
        let (scripts, mut connection) = fleet.scripts();
        if begun {
            let lease = [(job.id.as_str(), job.token.as_str())];
            assert_eq!(scripts.begin(&mut connection, lease).await.unwrap(), [true]);
        }
        let reaped = async || {
            reap(&fleet, lease).await;
            let record = fleet.record(&ids[0]).await.ok()?;
            (record.state.as_str() == "ready").then_some(record)
        };
        let record = fleet.until("the lease has run out", reaped).await.unwrap();
        assert_eq!((record.crashes, record.interruptions), charged, "{nonce}");
    }
}
