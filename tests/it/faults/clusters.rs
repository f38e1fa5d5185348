//! A cluster, and the address of a node that does not keep the queue.

use stillcast_enqueue::{Producer, ProducerOptions};
use tests::cluster::Cluster;
use tests::fleet::{QUEUE, Worker, WorkerOptions};
use tests::script::Script;

use crate::support::six_calls;

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_any_node_leads_to_the_one_that_keeps_the_queue() {
    let cluster = Cluster::start().await.unwrap();
    let key = stillcast_enqueue::keys::Keys::new(QUEUE).unwrap().named("ready");
    let (_, stranger) = cluster.keeper_and_stranger(&key).await.unwrap();
    let url = format!("redis://127.0.0.1:{}", stranger.port());
    let options = ProducerOptions { queue_name: QUEUE.to_owned(), ..Default::default() };
    let producer = Producer::connect_with(&url, options).await.unwrap();
    let options = WorkerOptions { url: Some(url), ..six_calls() };
    let _worker = Worker::start(stranger.folder(), "worker", &options).await.unwrap();
    let job = Script::of(20).job();
    let id = producer.enqueue(&job).await.unwrap().id;
    let limit = std::time::Duration::from_mins(1);
    let ended = producer.wait(&id, limit).await.unwrap();
    let stillcast_enqueue::Waited::Ended(record) = ended else { panic!("{ended:?}") };
    assert_eq!(record.state, stillcast_enqueue::State::Done, "{record:?}");
}
