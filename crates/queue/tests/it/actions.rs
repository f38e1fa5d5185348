//! What takes more than one script: a purge with its files, and a watch until a job has ended.

use std::error::Error;
use std::sync::Mutex;

use async_trait::async_trait;
use queue::{
    Actor, Endpoint, Inspector, Interface, JobFiles, PurgeAnswer, PurgeError, Verb, Watch, purge,
};
use stillcast_enqueue::{JobId, JobRecord, State};

use crate::fixture::{Queue, SOMEBODY};

/// A store that writes down whose files it was asked to remove, or refuses.
#[derive(Default)]
struct FakeFiles {
    refuses: bool,
    removed: Mutex<Vec<String>>,
}

#[async_trait]
impl JobFiles for FakeFiles {
    async fn remove(&self, tenant: &str, job: &JobId) -> Result<(), Box<dyn Error + Send + Sync>> {
        if self.refuses {
            return Err("the bucket is away".into());
        }
        self.removed.lock().expect("nobody panics").push(format!("{tenant}/{job}"));
        Ok(())
    }
}

impl FakeFiles {
    fn removed(&self) -> Vec<String> {
        self.removed.lock().expect("nobody panics").clone()
    }
}

fn somebody() -> Actor {
    Actor::new(Interface::Cli, "anna")
}

async fn inspector(queue: &Queue) -> Inspector {
    let endpoint = Endpoint::new(&queue.server.url(), "test").expect("an address");
    Inspector::connect(endpoint).await.expect("the server is there")
}

/// The purge's answer, and whose files it has removed.
fn purged(
    queue: &Queue,
    id: &str,
    tenant: Option<&str>,
) -> (Result<PurgeAnswer, PurgeError>, Vec<String>) {
    let files = FakeFiles::default();
    let answer = queue
        .server
        .block_on(async { purge(&inspector(queue).await, &files, id, tenant, &somebody()).await });
    (answer, files.removed())
}

#[test]
fn a_purge_removes_files_and_record_of_an_ended_job_only() {
    let mut queue = Queue::in_real_time();
    queue.put("a");
    let (answer, removed) = purged(&queue, "a", None);
    assert!(matches!(answer, Ok(PurgeAnswer::NotEnded(State::Ready))), "{answer:?}");
    assert_eq!(removed, Vec::<String>::new());
    queue.call(Verb::Cancel, &["a"]);
    let (answer, removed) = purged(&queue, "a", None);
    assert!(matches!(answer, Ok(PurgeAnswer::Purged)), "{answer:?}");
    assert_eq!((removed, queue.state("a")), (vec!["t/a".to_owned()], String::new()));
}

#[test]
fn a_refusing_store_keeps_the_record() {
    let mut queue = Queue::in_real_time();
    queue.put("a");
    queue.call(Verb::Cancel, &["a"]);
    let files = FakeFiles { refuses: true, ..FakeFiles::default() };
    let answer = queue
        .server
        .block_on(async { purge(&inspector(&queue).await, &files, "a", None, &somebody()).await });
    let error = answer.expect_err("the store refuses");
    assert_eq!(error.to_string(), "the files of a stay, and so does its record");
    assert_eq!(error.source().expect("the store's words").to_string(), "the bucket is away");
    assert_eq!(queue.state("a"), "cancelled");
}

#[test]
fn the_tenant_must_fit_and_stands_in_for_a_record_that_is_gone() {
    let mut queue = Queue::in_real_time();
    queue.put("a");
    queue.call(Verb::Cancel, &["a"]);
    let (answer, removed) = purged(&queue, "a", Some("another"));
    assert!(matches!(answer, Err(PurgeError::OtherTenant { .. })), "{answer:?}");
    assert_eq!((removed, queue.state("a")), (Vec::new(), "cancelled".to_owned()));
    let (answer, removed) = purged(&queue, "gone", None);
    assert!(matches!(answer, Ok(PurgeAnswer::Unknown)), "{answer:?}");
    assert_eq!(removed, Vec::<String>::new());
    let (answer, removed) = purged(&queue, "gone", Some("t"));
    assert!(matches!(answer, Ok(PurgeAnswer::Purged)), "{answer:?}");
    assert_eq!(removed, ["t/gone"]);
    let (answer, removed) = purged(&queue, "../etc", Some("t"));
    assert!(matches!(answer, Err(PurgeError::Identifier(_))), "{answer:?}");
    assert_eq!(removed, Vec::<String>::new());
}

#[test]
fn a_watch_shows_each_record_until_the_job_has_ended() {
    let mut queue = Queue::in_real_time();
    queue.put("a");
    let scripts = queue.scripts.clone();
    let mut connection = queue.server.connect();
    let mut seen = Vec::new();
    let see = |record: &JobRecord| {
        if seen.is_empty() {
            let cancelled: Vec<String> = scripts
                .call(Verb::Cancel)
                .arg("a")
                .arg(&SOMEBODY)
                .invoke(&mut connection)
                .expect("a cancel");
            assert_eq!(cancelled, ["cancelled"]);
        }
        seen.push(record.state);
    };
    let ended = queue.server.block_on(async {
        let watch = Watch::start(&inspector(&queue).await, "a").await;
        watch.until(|record| record.state.is_terminal(), see).await
    });
    let ended = ended.expect("Redis answers").expect("there is a record");
    assert_eq!(ended.state, State::Cancelled);
    assert_eq!(seen, [State::Ready, State::Cancelled]);
}

#[test]
fn a_watch_of_nobody_ends_at_once() {
    let queue = Queue::in_real_time();
    let seen = queue
        .server
        .block_on(async { Watch::start(&inspector(&queue).await, "nobody").await.next().await });
    assert_eq!(seen.expect("Redis answers"), None);
}
