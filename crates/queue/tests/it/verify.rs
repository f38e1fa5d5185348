//! `verify` finds every kind of damage made by hand, and nothing in a healthy, busy queue.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use queue::{Endpoint, Scripts, Verb, Verified, verify};

use crate::fixture::{Queue, Request, TOLD, Words};

pub(crate) fn look(queue: &Queue) -> Verified {
    queue.server.block_on(look_at(&queue.server.url(), &queue.scripts))
}

async fn look_at(url: &str, scripts: &Scripts) -> Verified {
    let endpoint = Endpoint::new(url, "test").expect("an address");
    let mut connection = endpoint.shared(Duration::from_secs(5)).await.expect("a connection");
    verify(scripts, &mut connection).await.expect("a look")
}

/// Jobs in every state, flights with owner, heir, waiters and mark, keys and a suspect.
fn busy(ready: usize) -> Queue {
    let mut queue = Queue::in_real_time();
    let later = queue.server_time() + 600_000;
    queue.enqueue(&[Request { run_at: later, key: "k1".to_owned(), ..Request::new("delayed") }]);
    for id in
        ["suspect", "done", "dead", "cancelled", "parked", "owner", "waiter", "marked", "heir"]
    {
        queue.enqueue(&[Request { key: format!("key-{id}"), ..Request::new(id) }]);
        let token = queue.lease(id, id);
        queue.call(Verb::Begin, &[id, &token]);
        match id {
            "done" => drop(queue.report(id, &token, &Words::done())),
            "dead" => drop(queue.report(id, &token, &Words::dead())),
            "parked" => drop(queue.report(id, &token, &Words::park("rate", 600_000))),
            "cancelled" => {
                queue.call(Verb::Cancel, &[id]);
                queue.report(id, &token, &Words::release());
            }
            "suspect" => {
                queue.reap(true);
                let token = queue.lease(id, id);
                queue.call(Verb::Begin, &[id, &token]);
                queue.reap(true);
                queue.lease("holder", id);
            }
            "waiter" => drop(queue.report(id, &token, &Words::await_flights(&["k"]))),
            _ => drop(queue.call(Verb::Join, &[id, &token, if id == "owner" { "k" } else { id }])),
        }
        if id == "marked" {
            queue.call(Verb::Land, &[id, &token, id, "unshared"]);
        }
    }
    queue.enqueue(&[Request { body: TOLD.to_owned(), ..Request::new("told") }]);
    queue.call(Verb::Cancel, &["told"]);
    for at in 0..ready {
        queue.put(&format!("ready{at}"));
    }
    queue
}

#[test]
fn a_healthy_busy_queue_breaks_no_rule() {
    let mut queue = busy(300);
    let verified = look(&queue);
    assert_eq!(verified.violations, []);
    assert_eq!((verified.jobs, verified.flights), (311, 3));
    assert_eq!(verified.keys, queue.dump().len());
    assert!(verified.members > verified.jobs);
}

/// Jobs and flights that move between two pages are no damage.
#[test]
fn a_queue_at_work_breaks_no_rule() {
    let mut queue = busy(50);
    let (url, scripts) = (queue.server.url(), queue.scripts.clone());
    let looked = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looks = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime");
            let found = (0..10).map(|_| runtime.block_on(look_at(&url, &scripts)).violations);
            let found: Vec<_> = found.collect();
            looked.store(true, Ordering::Relaxed);
            found
        });
        let mut turns = 0;
        while !looked.load(Ordering::Relaxed) {
            let answer = queue.claim("mover", &format!("turn{turns}"), 0);
            let (id, token) = (answer[1].clone(), answer[2].clone());
            queue.call(Verb::Join, &[&id, &token, "moving"]);
            queue.report(&id, &token, &Words::park("rate", 0));
            turns += 1;
        }
        assert!(turns > 10, "nothing moved");
        let found = looks.join().expect("ten looks");
        assert!(found.iter().all(Vec::is_empty), "{found:?}");
    });
}

#[test]
fn an_empty_queue_breaks_no_rule() {
    let queue = Queue::in_real_time();
    assert_eq!(look(&queue), Verified::default());
}

#[test]
fn an_owner_that_left_without_landing_leaves_no_trace() {
    let mut queue = busy(10);
    let token = queue.field("owner", "token");
    queue.report("owner", &token, &Words::retry(60_000));
    assert_eq!(queue.field("waiter", "heir"), "k");
    assert_eq!(look(&queue).violations, []);
}

/// Damage by one command, the rule that it breaks, and whom `verify` blames.
const DAMAGE: [(&[&str], &str, &str); 28] = [
    (&["HINCRBY", "counts", "enqueued", "1"], "I1", ""),
    (&["ZREM", "ready", "ready7"], "I2", "ready7"),
    (&["ZADD", "delayed", "1", "ready7"], "I2", "ready7"),
    (&["ZADD", "done", "1", "nobody"], "I2", "nobody"),
    (&["HSET", "job:ready7", "state", "parked"], "I2", "ready7"),
    (&["HSET", "job:ready7", "state", "asleep"], "I2", "ready7"),
    (&["ZREM", "deadlines", "parked"], "I2", "parked"),
    (&["ZADD", "deadlines", "1", "owner"], "I2", "owner"),
    (&["HDEL", "job:owner", "token"], "lease", "owner"),
    (&["HSET", "job:parked", "token", "1:n"], "lease", "parked"),
    (&["DEL", "body:ready7"], "body", "ready7"),
    (&["SET", "body:done", "x"], "body", "done"),
    (&["PERSIST", "body:dead"], "body", "dead"),
    (&["EXPIRE", "body:ready7", "1000"], "ttl", "ready7"),
    (&["EXPIRE", "job:ready7", "1000"], "ttl", "ready7"),
    (&["EXPIRE", "ready", "1000"], "ttl", "ready"),
    (&["HSET", "job:ready7", "attempts", "6"], "I10", "ready7"),
    (&["DEL", "idem:t/key-done"], "idem", "done"),
    (&["SET", "idem:t/key-x", "dead"], "idem", "dead"),
    (&["HSET", "flight:k", "token", "9:n"], "flight", "flight:k"),
    (&["DEL", "flight:k"], "flight", "waiters:k"),
    (&["ZADD", "waiters:k", "1", "ready7"], "flight", "ready7"),
    (&["PERSIST", "flight:marked"], "flight", "flight:marked"),
    (&["ZREM", "webhooks", "told"], "webhook", "told"),
    (&["ZADD", "webhooks", "1", "done"], "webhook", "done"),
    (&["DEL", "webhook:told"], "webhook", "told"),
    (&["HSET", "job:told", "delivery", "off"], "webhook", "told"),
    (&["EXPIRE", "webhook:told", "1000"], "ttl", "webhook:told"),
];

#[test]
fn each_kind_of_damage_is_found() {
    for (command, rule, id) in DAMAGE {
        let mut queue = busy(10);
        let key = queue.key(command[1]);
        let mut words = command.to_vec();
        words[1] = &key;
        let _: redis::Value = queue.command(&words);
        let found = look(&queue).violations;
        let blamed = |one: &queue::Violation| {
            one.rule == rule && one.id.as_deref().unwrap_or_default() == id
        };
        assert!(found.iter().any(blamed), "{command:?}: {found:?}");
    }
}

#[test]
fn litter_is_found() {
    for name in ["body:gone", "transcript:gone", "litter", "lock:x"] {
        let mut queue = busy(10);
        let key = queue.key(name);
        let _: () = queue.command(&["SET", &key, "x"]);
        let found = look(&queue).violations;
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert_eq!((found[0].rule, found[0].id.as_deref()), ("stray", Some(name)));
    }
}

#[test]
fn bytes_that_are_no_text_are_found_and_end_no_look() {
    let mut queue = busy(10);
    let odd = |name: &str| [queue.key(name).into_bytes(), b"\xff\xfe".to_vec()].concat();
    let (key, done) = (odd("body:"), queue.key("done"));
    let put = |words: &[&[u8]]| {
        let mut command = redis::cmd(std::str::from_utf8(words[0]).expect("a word"));
        command.arg(&words[1..]).clone()
    };
    for command in [put(&[b"SET", &key, b"x"]), put(&[b"ZADD", done.as_bytes(), b"1", b"\xff"])] {
        let _: redis::Value = command.query(&mut queue.connection).expect("Redis obeys");
    }
    let rules: Vec<_> = look(&queue).violations.into_iter().map(|one| one.rule).collect();
    assert_eq!(rules, ["I1", "I2", "stray"]);
}
