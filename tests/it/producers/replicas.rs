//! An acknowledged job is on its replicas, or the answer says that this is not proven.

use std::time::Duration;

use stillcast_enqueue::{Producer, ProducerOptions, Replication, Submission};
use tests::fleet::{Fleet, QUEUE};
use tests::script::Script;
use tests::server::Server;

/// Far longer than a replica needs, and half of one call.
const LONG: Duration = Duration::from_millis(2400);
const SHORT: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_job_is_on_its_replicas_or_said_not_to_be() {
    let fleet = Fleet::start().await.unwrap();
    let replica = Server::start().await.unwrap();
    replica.follow(&fleet.server).await.unwrap();
    let options = ProducerOptions { queue_name: QUEUE.to_owned(), ..Default::default() };
    let producer = Producer::connect_with(&fleet.server.url(), options).await.unwrap();
    let plain = producer.clone();
    let producer = producer.wait_for_replicas(1, LONG);
    let job = Script::of(5).job();

    assert_eq!(plain.enqueue(&job).await.unwrap().replication, Replication::NotAsked);
    let proven = producer.enqueue(&Script::of(5).job()).await.unwrap();
    assert_eq!(proven.replication, Replication::Proven);
    let key = stillcast_enqueue::keys::Keys::new(QUEUE).unwrap().job(proven.id.as_str());
    assert!(!replica.hash(&key).await.unwrap().is_empty(), "the replica has it");

    replica.stand_still().unwrap();
    let producer = producer.wait_for_replicas(1, SHORT);
    let known = producer.enqueue(&job).await.unwrap();
    assert!(matches!(known.submission, Submission::Duplicate(_)), "{known:?}");
    assert_eq!(
        known.replication,
        Replication::Unproven { reached: 0 },
        "also of what stood before"
    );
    let unproven = producer.enqueue(&Script::of(5).job()).await.unwrap();
    assert!(matches!(unproven.submission, Submission::Created(_)), "{unproven:?}");
    assert_eq!(unproven.replication, Replication::Unproven { reached: 0 });

    replica.go_on().unwrap();
    let again = producer.wait_for_replicas(1, LONG);
    assert_eq!(again.enqueue(&job).await.unwrap().replication, Replication::Proven);
}
