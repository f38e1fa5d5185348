//! The reply to each script is lost once and more: every verb may be repeated.

use nix::sys::signal::Signal;
use queue::Verb;
use tests::fleet::{Fleet, WorkerOptions};
use tests::proxy::Proxy;
use tests::script::Script;

use crate::support::{assert_sound, six_calls};

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_changes_nothing() {
    let fleet = Fleet::start().await.unwrap();
    let (scripts, _) = fleet.scripts();
    let wire = Proxy::start(fleet.server.port()).await.unwrap();
    let options = WorkerOptions { url: Some(wire.url()), ..six_calls() };
    let mut worker = fleet.worker("worker", &options).await.unwrap();
    // Loads every script into the server, so that each call goes by its digest.
    let flight = Script { flight: "warm-up".to_owned(), ..Script::of(5) };
    let ids = fleet.enqueue(&[flight.job()]).await.unwrap();
    fleet.ended(&ids).await.unwrap();

    let verbs = [
        Verb::Claim,
        Verb::Begin,
        Verb::Checkpoint,
        Verb::Report,
        Verb::Join,
        Verb::Land,
        Verb::Renew,
        Verb::Reap,
    ];
    for verb in verbs {
        let lost = wire.lost();
        wire.lose_replies(scripts.digest(verb), 2);
        // Long enough for several renewals.
        let ms = if verb == Verb::Renew { 600 } else { 100 };
        let script = Script { flight: format!("{verb:?}"), ..Script::of(ms) };
        let ids = fleet.enqueue(&[script.job()]).await.unwrap();
        let record = assert_sound(&fleet, &ids).await.remove(0);
        let charged = (record.attempt, record.crashes, record.interruptions);
        assert_eq!(charged, (1, 0, 0), "{verb:?}: {record:?}");
        let both = async || (wire.lost() == lost + 2).then_some(());
        fleet.until(&format!("two replies to {verb:?} lost"), both).await.unwrap();
    }
    assert_eq!(fleet.account().paid_twice(), Vec::<String>::new());

    wire.lose_replies(scripts.digest(Verb::Drain), 1);
    worker.signal(Signal::SIGTERM).unwrap();
    assert!(worker.end().await.unwrap(), "it leaves all the same");
}
