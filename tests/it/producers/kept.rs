//! What an attempt keeps under its lease goes out in as few calls as it can.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::join_all;
use queue::{Consumer, ConsumerOptions, Handler, Lease, NewLease, Outcome, Report, Shutdown, Verb};
use stillcast_enqueue::ErrorReport;
use tests::fleet::{Fleet, QUEUE};
use tests::script::Script;
use tokio::sync::Mutex;

/// What an attempt keeps, and where it looks whether Redis knows.
struct Keep {
    fleet: Arc<Fleet>,
    seen: Mutex<Vec<Vec<String>>>,
}

impl Keep {
    /// The names of the checkpoints that Redis knows of the job.
    async fn known(&self, lease: &Lease) -> Vec<String> {
        let key = format!("{{q:{QUEUE}}}:job:{}", lease.id());
        let fields: Vec<String> =
            self.fleet.server.command(&[b"HKEYS", key.as_bytes()]).await.unwrap();
        let names = fields.iter().filter_map(|field| field.strip_prefix("checkpoint:"));
        let mut names: Vec<String> = names.map(ToOwned::to_owned).collect();
        names.sort();
        names
    }
}

#[async_trait]
impl Handler for Keep {
    async fn attempt(&self, lease: NewLease) -> Report {
        let lease = lease.begin().await;
        lease.checkpoint_later(&[("spared", "1")]);
        assert_eq!(
            lease.recall("spared").as_deref(),
            Some("1"),
            "the attempt itself knows at once"
        );
        let first = self.known(&lease).await;
        let names: Vec<String> = (0..20).map(|number| format!("call-{number:02}")).collect();
        let keeping = names.iter().map(|name| async { lease.checkpoint(&[(name, "2")]).await });
        let kept = join_all(keeping).await;
        assert!(kept.iter().all(Result::is_ok), "{kept:?}");
        let second = self.known(&lease).await;
        lease.checkpoint_later(&[("at-last", "3")]);
        self.seen.lock().await.extend([first, second]);
        Outcome::Dead { error: ErrorReport::new("seen", "that was all") }.into()
    }
}

/// How often the checkpoint's script was called, by Redis' own log.
async fn checkpoints(fleet: &Fleet) -> usize {
    type Entry = (u64, u64, u64, Vec<Vec<u8>>, String, String);
    let log: Vec<Entry> = fleet.server.command(&[b"SLOWLOG", b"GET", b"1000"]).await.unwrap();
    let (scripts, _) = fleet.scripts();
    let digest = scripts.digest(Verb::Checkpoint);
    log.iter()
        .filter(|(_, _, _, words, _, _)| words.get(1).is_some_and(|word| word == digest.as_bytes()))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_meanwhile_or_was_spared_takes_no_call_of_its_own() {
    let fleet = Arc::new(Fleet::start().await.unwrap());
    fleet.server.configure("slowlog-max-len", "1000").await.unwrap();
    fleet.server.configure("slowlog-log-slower-than", "0").await.unwrap();
    let ids = fleet.enqueue(&[Script::default().job()]).await.unwrap();
    let handler = Arc::new(Keep { fleet: Arc::clone(&fleet), seen: Mutex::default() });
    let options = ConsumerOptions { until_empty: true, ..fleet.consumer_options("keep").unwrap() };
    let consumer = Consumer::connect(options).await.unwrap();
    consumer.run(handler.clone(), Shutdown::default()).await.unwrap();

    let seen = handler.seen.lock().await.clone();
    assert_eq!(seen[0], Vec::<String>::new(), "what was spared waits");
    assert_eq!(seen[1].len(), 21, "and went out with the next call: {:?}", seen[1]);
    let key = format!("{{q:{QUEUE}}}:job:{}", ids[0]);
    let last: Option<String> =
        fleet.server.command(&[b"HGET", key.as_bytes(), b"checkpoint:at-last"]).await.unwrap();
    assert_eq!(last.as_deref(), Some("3"), "the report carries the rest out");
    // The first, which Redis did not know and was sent again; all that came meanwhile; what the report found.
    assert_eq!(checkpoints(&fleet).await, 4);
}
