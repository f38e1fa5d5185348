//! Users of Redis with exactly the rights that the queue's README gives to each of the three who use
//! it: none misses one, and none is asked for more.

use std::time::Duration;

use queue::{Actor, Endpoint, Inspector, Interface, ReplayAnswer};
use stillcast_enqueue::{CancelAnswer, EnqueueError, Producer, ProducerOptions, State};
use tests::fleet::{Fleet, QUEUE, Worker, WorkerOptions};
use tests::script::Script;

const README: &str = include_str!("../../../crates/queue/README.md");

/// The rules that the README has for `who`.
fn rules(who: &str) -> Vec<String> {
    let start = format!("user {who} on ");
    let line = README.lines().find_map(|line| line.strip_prefix(&start));
    let words = line.expect("the README has rules for them").split_whitespace();
    words.map(|word| word.replace("{q:stillcast}", &format!("{{q:{QUEUE}}}"))).collect()
}

/// Makes the user `who` with `more` rules beside those of the README; its address comes out.
async fn user(fleet: &Fleet, who: &str, more: &[&str]) -> String {
    let rules = rules(who);
    let mut words = vec!["ACL", "SETUSER", who, "reset", "on"];
    words.extend(rules.iter().map(String::as_str).chain(more.iter().copied()));
    fleet.server.say(&words).await.unwrap();
    let password = rules.iter().find_map(|word| word.strip_prefix('>')).expect("a password");
    format!("redis://{who}:{password}@127.0.0.1:{}", fleet.server.port())
}

async fn producer(url: &str) -> Producer {
    let options = ProducerOptions { queue_name: QUEUE.to_owned(), ..Default::default() };
    Producer::connect_with(url, options).await.unwrap()
}

async fn worker(fleet: &Fleet, url: &str) -> Worker {
    let options = WorkerOptions::of(env!("CARGO_BIN_EXE_six_calls"));
    let options = WorkerOptions { url: Some(url.to_owned()), ..options };
    fleet.worker("worker", &options).await.unwrap()
}

/// What Redis has denied to anybody.
async fn denied(fleet: &Fleet) -> Vec<redis::Value> {
    redis::cmd("ACL").arg("LOG").query_async(&mut fleet.connection()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_has_exactly_the_rights_of_the_readme() {
    let fleet = Fleet::start().await.unwrap();
    let producer = producer(&user(&fleet, "producer", &[]).await).await;
    let operator = Endpoint::new(&user(&fleet, "operator", &[]).await, QUEUE).unwrap();
    let operator = Inspector::connect(operator).await.unwrap();

    let job = Script::of(5).job().with_idempotency_key("evening-9");
    let done = producer.enqueue(&job).await.unwrap().id;
    producer.enqueue(&job).await.unwrap();
    let later = chrono::Utc::now() + Duration::from_hours(1);
    let delayed = producer.enqueue(&Script::of(5).job().with_run_at(later)).await.unwrap().id;
    assert_eq!(producer.cancel(&delayed).await.unwrap(), CancelAnswer::Cancelled);
    let dead = Script { fail_at: 1, ..Script::of(5) }.job().with_max_attempts(1);
    let dead = producer.enqueue(&dead).await.unwrap().id;

    let mut heard = operator.announcements().await.unwrap();
    let mut worker = worker(&fleet, &user(&fleet, "worker", &[]).await).await;
    assert!(heard.next().await.is_some());
    let states: Vec<_> = fleet.ended(&[done.clone(), dead.clone()]).await.unwrap();
    assert_eq!(states.iter().map(|job| job.state).collect::<Vec<_>>(), [State::Done, State::Dead]);
    worker.signal(nix::sys::signal::Signal::SIGTERM).unwrap();
    assert!(worker.end().await.unwrap(), "it signed off");

    assert_eq!(operator.list(None, 100, None).await.unwrap().jobs.len(), 3);
    assert!(operator.verify().await.unwrap().violations.is_empty());
    let anna = &Actor::new(Interface::Cli, "anna");
    assert!(operator.pause(anna).await.unwrap() && operator.resume(anna).await.unwrap());
    assert_eq!(operator.replay(dead.as_str(), anna).await.unwrap(), ReplayAnswer::Ready);
    operator.cancel(dead.as_str(), anna).await.unwrap();
    operator.purge(done.as_str(), anna).await.unwrap();
    operator.stats().await.unwrap();
    assert_eq!(operator.audit(100, None).await.unwrap().entries.len(), 6);
    assert_eq!(denied(&fleet).await, [], "nobody asks for what it may not");
}

/// Managed offerings give no user INFO.
#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_the_memory_enqueues_works_and_hears_when_it_is_full() {
    let fleet = Fleet::start().await.unwrap();
    let producer = producer(&user(&fleet, "producer", &["-info"]).await).await;
    let url = user(&fleet, "worker", &["-info"]).await;
    let endpoint = Endpoint::new(&url, QUEUE).unwrap();
    let mut connection = endpoint.shared(Duration::from_secs(5)).await.unwrap();
    let report = endpoint.examine(&mut connection).await.unwrap();
    assert!(report.warnings.iter().any(|warning| warning.contains("+info")), "{report:?}");
    fleet.server.say(&["ACL", "LOG", "RESET"]).await.unwrap();

    let id = producer.enqueue(&Script::of(5).job()).await.unwrap().id;
    assert_eq!(denied(&fleet).await, [], "it was looked up, and not tried");
    let _worker = worker(&fleet, &url).await;
    fleet.ended(std::slice::from_ref(&id)).await.unwrap();
    fleet.server.configure("maxmemory", "1mb").await.unwrap();
    let refused = producer.enqueue(&Script::of(5).job()).await;
    assert!(matches!(refused, Err(EnqueueError::Full)), "{refused:?}");
}

/// A worker that lacks a right says which before it claims anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_missing_is_named_before_anything_is_claimed() {
    let fleet = Fleet::start().await.unwrap();
    for (taken, named) in [
        ("-publish", "publish"),
        ("-bzpopmin", "bzpopmin"),
        ("-zadd", "zadd"),
        ("-eval", "eval"),
        ("resetchannels", "subscribe"),
    ] {
        let url = user(&fleet, "worker", &[taken]).await;
        let endpoint = Endpoint::new(&url, QUEUE).unwrap();
        let mut connection = endpoint.shared(Duration::from_secs(5)).await.unwrap();
        let error = endpoint.examine(&mut connection).await.unwrap_err().to_string();
        assert!(error.contains(named) && error.contains("REDIS_URL"), "{taken}: {error}");
    }
}
