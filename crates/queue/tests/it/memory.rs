//! A full Redis: new work is refused in time, and the old work drains.

use queue::Verb;

use crate::fixture::{Queue, Request, Words};

fn used(queue: &mut Queue) -> u64 {
    let info: String = queue.command(&["INFO", "memory"]);
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).expect("a line");
    line.trim().parse().expect("a number")
}

/// Moves the limit of memory, and forgets the last verdict on it.
fn set_limit(queue: &mut Queue, limit: u64) {
    let _: () = queue.command(&["CONFIG", "SET", "maxmemory", &limit.to_string()]);
    let _: () = queue.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    let counts = queue.key("counts");
    let _: i64 = queue.command(&["HDEL", &counts, "full_ms"]);
}

#[test]
fn enqueue_stops_above_three_quarters_and_still_answers_for_what_it_knows() {
    let mut queue = Queue::start();
    queue.put("old");
    // Beside so much junk the few kilobytes of this test do not count.
    let _: i64 = queue.command(&["SETRANGE", "junk", "16000000", "x"]);
    let used = used(&mut queue);
    set_limit(&mut queue, used * 4 / 3 + used / 20);
    assert_eq!(queue.enqueue(&[Request::new("a")])[0], "created", "below three quarters");
    set_limit(&mut queue, used * 4 / 3 - used / 20);
    let answer = queue.enqueue(&[Request::new("b"), Request::new("old")]);
    assert_eq!(answer, ["full", "b", "", "duplicate", "old", "ready"]);
    assert_eq!(queue.state("b"), "");
    set_limit(&mut queue, 0);
    assert_eq!(queue.enqueue(&[Request::new("b")])[0], "created", "no limit is never full");
}

#[test]
fn every_verb_but_enqueue_works_in_a_full_redis() {
    let mut queue = Queue::start();
    for id in ["a", "b", "c", "d", "e", "f"] {
        queue.put(id);
    }
    queue.lease("anna", "a");
    let half = used(&mut queue) / 2;
    set_limit(&mut queue, half);
    let foreign: redis::RedisResult<()> =
        redis::cmd("SET").arg("k").arg("v").query(&mut queue.connection);
    assert_eq!(foreign.expect_err("Redis is full").code(), Some("OOM"));
    let refused = queue.try_enqueue(&[Request::new("new")]).expect_err("no room");
    assert_eq!(refused.code(), Some("OOM"));

    let held = [("a".to_owned(), "1:nonce-a-".to_owned())];
    assert_eq!(queue.renew("anna", &held), ["ok"]);
    assert_eq!(queue.call(Verb::Begin, &["a", &held[0].1]), ["ok"]);
    let digest = "d".repeat(64);
    assert_eq!(queue.call(Verb::Checkpoint, &["a", &held[0].1, "", "", "c", &digest]), ["ok"]);
    assert_eq!(queue.call(Verb::Progress, &["a", &held[0].1, "tts", "5", ""]), ["ok"]);
    assert_eq!(queue.call(Verb::Join, &["a", &held[0].1, "k"]), ["owned"]);
    assert_eq!(queue.call(Verb::Land, &["a", &held[0].1, "k", "unshared"]), ["ok"]);
    assert_eq!(queue.report("a", &held[0].1, &Words::done()), ["accepted", "done"]);
    for (id, words) in [
        ("b", Words::retry(60_000)),
        ("c", Words::park("rate", 60_000)),
        ("d", Words::dead()),
        ("e", Words::release()),
    ] {
        let token = queue.lease("anna", id);
        assert_eq!(queue.report(id, &token, &words)[0], "accepted", "{words:?}");
    }
    assert_eq!(queue.call(Verb::Cancel, &["b"]), ["cancelled"]);
    assert_eq!(queue.call(Verb::Replay, &["d"]), ["ready"]);
    assert_eq!(queue.call(Verb::Purge, &["a"]), ["purged"]);
    assert_eq!(queue.reap(false).gap, 0);
    assert_eq!(queue.call(Verb::Pause, &["pause"]), ["1"]);
    assert_eq!(queue.call(Verb::Drain, &["anna", "gone"]), ["0"]);
    assert_eq!(queue.stats().len(), 20);
}
