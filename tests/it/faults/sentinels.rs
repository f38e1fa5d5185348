//! Sentinels promote a replica, again and again, and at last since the primary is dead: whoever was given
//! their address goes on.

use stillcast_enqueue::{JobId, Producer, ProducerOptions, State};
use tests::fleet::{QUEUE, Worker, WorkerOptions};
use tests::journal::{Account, Act, Entry};
use tests::script::Script;
use tests::sentinels::Sentinels;
use tests::server::Server;
use tests::wait::until;

use crate::support::six_calls;

/// How soon jobs go on, in ms.
const GOES_ON: i64 = 5000;
/// Fail-overs that sentinels are asked for, before the one that nobody asks for.
const ASKED: usize = 1;
/// Calls that one fail-over may cost twice: what was under way, or written and not replicated yet.
const UNDER_WAY: usize = 8;

async fn enqueue(producer: &Producer, jobs: usize, ms: u64) -> Vec<JobId> {
    let mut ids = Vec::new();
    for _ in 0..jobs {
        ids.push(producer.enqueue(&Script::of(ms).job()).await.unwrap().id);
    }
    ids
}

/// When a call of the job first began.
async fn began(account: &Account, id: &JobId) -> i64 {
    until("a call has begun", async || {
        let is_it = |entry: &Entry| entry.job == id.as_str() && entry.act == Act::CallStart;
        account.entries().iter().find(|entry| is_it(entry)).map(|entry| entry.at)
    })
    .await
}

/// Waits until the old primary is told that it is none any more.
async fn demoted(server: &Server) {
    until("the old primary is demoted", async || {
        let info: String = server.command(&[b"INFO".as_slice(), b"replication"]).await.ok()?;
        info.contains("role:slave").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_sentinels_goes_on_after_each_of_their_promotions() {
    let mut servers = [Server::start().await.unwrap(), Server::start().await.unwrap()];
    servers[1].follow(&servers[0]).await.unwrap();
    let sentinels = Sentinels::start(&servers[0]).await.unwrap();
    let place = tempfile::Builder::new().prefix("sc-").tempdir().unwrap();
    let account = Account::new(place.path().join("journal"));
    let options = ProducerOptions { queue_name: QUEUE.to_owned(), ..Default::default() };
    let producer = Producer::connect_with(&sentinels.url(), options).await.unwrap();
    let mut workers = Vec::new();
    for name in ["one", "other"] {
        let options = WorkerOptions { url: Some(sentinels.url()), ..six_calls() };
        workers.push(Worker::start(place.path(), name, &options).await.unwrap());
    }
    let (mut ids, mut primary) = (Vec::new(), servers[0].port());
    for round in 0..=ASKED {
        let under_way = enqueue(&producer, 2, 400).await;
        for id in &under_way {
            began(&account, id).await;
        }
        let of_primary = servers.iter().position(|server| server.port() == primary).unwrap();
        servers[1 - of_primary].until_replicated(&servers[of_primary]).await.unwrap();
        let next = if round < ASKED {
            let next = sentinels.fail_over().await.unwrap();
            demoted(&servers[of_primary]).await;
            next
        } else {
            servers[of_primary].kill().await.unwrap();
            sentinels.until_another_than(primary).await.unwrap()
        };
        // What the old one has still taken until then is lost, as its README says.
        let promoted = chrono::Utc::now().timestamp_millis();
        primary = next;
        let after = enqueue(&producer, 4, 50).await;
        for id in &after {
            let waited = began(&account, id).await - promoted;
            assert!(waited <= GOES_ON, "{id} began {waited} ms after promotion {round}");
        }
        ids.extend(under_way.into_iter().chain(after));
        if round < ASKED {
            sentinels.until_whole().await.unwrap();
        }
    }
    let records = until("every job has ended", async || {
        let records: Option<Vec<_>> = producer.status(&ids).await.ok()?.into_iter().collect();
        records.filter(|all| all.iter().all(|record| record.state.is_terminal()))
    })
    .await;
    assert!(records.iter().all(|record| record.state == State::Done), "{records:?}");
    let twice = account.paid_twice();
    assert!(twice.len() <= (ASKED + 1) * UNDER_WAY, "{twice:?}");
}
