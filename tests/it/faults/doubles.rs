//! The same request twice is one job.

use std::time::Duration;

use stillcast_enqueue::{EnqueueError, Producer, ProducerOptions, State, Submission};
use tests::fleet::{Fleet, QUEUE};
use tests::journal::Act;
use tests::proxy::Proxy;
use tests::script::Script;

use crate::support::{assert_sound, six_calls};

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_job() {
    let fleet = Fleet::start().await.unwrap();
    let first = Script::of(10).job().with_idempotency_key("evening-9");
    let ids = fleet.enqueue(std::slice::from_ref(&first)).await.unwrap();
    let second = Script::of(10).job().with_idempotency_key("evening-9");
    let answer = fleet.producer.enqueue(&second).await.unwrap();
    assert_eq!((&answer.id, answer.submission), (&ids[0], Submission::Duplicate(State::Ready)));
    let other = Script::of(11).job().with_idempotency_key("evening-9");
    let answer = fleet.producer.enqueue(&other).await;
    assert!(
        matches!(answer, Err(EnqueueError::IdempotencyMismatch { id }) if id == ids[0].as_str())
    );
    let elsewhere = Script::of(11).job().with_idempotency_key("evening-9").with_tenant("acme");
    let elsewhere = fleet.enqueue(&[elsewhere]).await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    assert_sound(&fleet, &[ids[0].clone(), elsewhere[0].clone()]).await;
    let answer = fleet.producer.enqueue(&second).await.unwrap();
    assert_eq!(answer.submission, Submission::Duplicate(State::Done));
    assert_eq!(fleet.account().count(ids[0].as_str(), Act::Attempt)[&0], 1);
}

/// The reply is lost, the caller repeats: one job, and it says so.
#[tokio::test(flavor = "multi_thread")]
async fn an_enqueue_repeated_after_a_lost_reply_is_one_job() {
    let fleet = Fleet::start().await.unwrap();
    let wire = Proxy::start(fleet.server.port()).await.unwrap();
    let options = ProducerOptions { queue_name: QUEUE.to_owned(), timeout: Duration::from_secs(2) };
    let producer = Producer::connect_with(&wire.url(), options).await.unwrap();
    let jobs: Vec<_> = (0..20).map(|_| Script::of(5).job()).collect();
    let mut ids = Vec::new();
    for job in &jobs {
        wire.lose_replies(job.id.as_str(), 1);
        let repeated = async || producer.enqueue(job).await.ok();
        ids.push(fleet.until("an answer", repeated).await.unwrap().id);
    }
    assert_eq!(wire.lost(), 20);
    assert_eq!(fleet.stats().await.unwrap().enqueued, 20);
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    assert_sound(&fleet, &ids).await;
    assert_eq!(fleet.account().paid_twice(), Vec::<String>::new());
}
