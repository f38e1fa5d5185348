//! What no job needs any more goes, whatever else lies on the trash.

use stillcast_enqueue::keys::Keys;
use tests::server::Server;

use crate::harness::{QUEUE, WorkerHarness, until};

/// A folder that can be deleted, last in its turn.
const GOOD: &str = "acme/good";
/// One that cannot: a file lies where the tenant's folder should be.
const STUCK: &str = "stuck/job";

fn trash() -> String {
    Keys::new(QUEUE).unwrap().named("trash")
}

/// More than one look's worth of what no queue of ours has put there, and all of it due first.
async fn litter(server: &Server) {
    let crowd: Vec<String> = (0..150).map(|at| format!("a/b/{at}")).collect();
    let foreign = [&b"no folder"[..], b"../etc/passwd", b"acme/..", b"", b"\xff/\xfe"];
    let mut put = vec![b"ZADD".to_vec(), trash().into_bytes()];
    for member in crowd.iter().map(String::as_bytes).chain(foreign) {
        put.extend([b"1".to_vec(), member.to_vec()]);
    }
    for (score, member) in [("2", STUCK), ("3", GOOD)] {
        put.extend([score.into(), member.into()]);
    }
    let words: Vec<&[u8]> = put.iter().map(Vec::as_slice).collect();
    let added: usize = server.command(&words).await.unwrap();
    assert_eq!(added, 157);
}

/// When the entry is due; nothing when there is none.
async fn due(server: &Server, member: &str) -> Option<f64> {
    server.command(&[b"ZSCORE", trash().as_bytes(), member.as_bytes()]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_deleted_keeps_nothing_else_and_is_tried_later() {
    let server = Server::start().await.unwrap();
    let harness = WorkerHarness::on(&server);
    let work = harness.store().join("work");
    std::fs::create_dir_all(work.join(GOOD)).unwrap();
    std::fs::write(work.join(GOOD).join("sound"), "sound").unwrap();
    std::fs::write(work.join("stuck"), "in the way").unwrap();
    litter(&server).await;

    let worker = harness.start(&[]).await;
    let gone = async || due(&server, GOOD).await.is_none().then_some(());
    until("the folder behind them is gone", gone).await;
    assert!(!work.join(GOOD).exists());
    until("the round has said what stays", async || {
        let log = worker.log();
        (log.contains("work folders cannot be deleted") && log.contains("name no work folder"))
            .then_some(())
    })
    .await;
    let log = worker.log();
    assert_eq!(log.matches("cannot be deleted").count(), 1, "one line a round: {log}");
    assert_eq!(log.matches("name no work folder").count(), 1, "one line a round: {log}");
    assert!(!log.contains("passwd"), "foreign bytes are in the log: {log}");
    let (seconds, _): (u64, u64) = server.command(&[b"TIME"]).await.unwrap();
    let now = format!("{}", seconds * 1000);
    let trash = trash();
    let still_due: usize =
        server.command(&[b"ZCOUNT", trash.as_bytes(), b"-inf", now.as_bytes()]).await.unwrap();
    let all: usize = server.command(&[b"ZCARD", trash.as_bytes()]).await.unwrap();
    assert_eq!((still_due, all), (0, 156), "what stays waits for a later round");
    worker.kill().await;

    // Mended, and its time has come: the next worker's round takes it.
    std::fs::remove_file(work.join("stuck")).unwrap();
    std::fs::create_dir_all(work.join(STUCK)).unwrap();
    let score = [b"ZADD", trash.as_bytes(), b"1", STUCK.as_bytes()];
    let _: i64 = server.command(&score).await.unwrap();
    let _worker = harness.start(&[]).await;
    let gone = async || due(&server, STUCK).await.is_none().then_some(());
    until("it is tried again", gone).await;
    assert!(!work.join(STUCK).exists());
}
