//! What workers count, in Redis: thirty days of a busy queue, by a clock of the test.

use std::time::Duration;

use queue::{Endpoint, History, Inspector, Verb};
use stillcast_enqueue::{StageName, State};

use crate::fixture::{Queue, START, Words};

/// Most bytes that all of it may take.
const MOST: u64 = 2 * 1024 * 1024;
const RINGS: [&str; 4] = ["history_minutes", "history_quarters", "history_hours", "history_names"];
const STAGES: [&str; 6] = ["collection", "transcript", "tts", "image", "encode", "upload"];

/// Counts of one worker, at most 240 a call, which any number of calls take.
fn tally(queue: &mut Queue, counts: &[(String, u64)]) {
    for call in counts.chunks(240) {
        let words: Vec<String> =
            call.iter().flat_map(|(name, count)| [name.clone(), count.to_string()]).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(queue.call(Verb::Tally, &words)[1], "0", "every name has room");
    }
}

/// What a fleet counts in a busy time: `spread` buckets of each stage, of three providers ten codes.
fn busy(round: u64, spread: u64) -> Vec<(String, u64)> {
    let mut counts = Vec::new();
    let mut count = |name: String, count: u64| counts.push((name, count));
    for (at, stage) in (0..).zip(STAGES) {
        for bucket in 0..spread {
            let bucket = 8 + 5 * at + (bucket + round) % spread;
            count(format!("run:{stage}:{bucket}"), 1 + (round * bucket) % 40);
            count(format!("wait:{stage}:{}", bucket / 3), 1 + round % 9);
        }
        for word in ["tries", "hit", "miss"] {
            count(format!("{word}:{stage}"), 100 + round % 50);
        }
    }
    for error in 0..30 {
        let (stage, provider, code) = (STAGES[(round % 6) as usize], error % 3, error / 3);
        if (error + round / 6).is_multiple_of(4) {
            count(format!("error:{stage}:provider-{provider}:code-{code}"), 1 + round % 3);
        }
    }
    for bucket in 20..30 {
        count(format!("attempt:audio:{bucket}"), 1 + round % 20);
        count(format!("attempt:video:{bucket}"), 1 + round % 20);
    }
    for word in ["spent", "avoided", "wasted", "job:done", "job:dead", "job:delayed"] {
        count(word.to_owned(), 1 + round * 977 % 100_000);
    }
    counts
}

fn memory(queue: &mut Queue) -> u64 {
    RINGS
        .iter()
        .map(|ring| {
            let key = queue.key(ring);
            queue.command::<Option<u64>>(&["MEMORY", "USAGE", &key, "SAMPLES", "0"]).unwrap_or(0)
        })
        .sum()
}

async fn inspector(queue: &Queue) -> Inspector {
    let endpoint = Endpoint::new(&queue.server.url(), "test").expect("an address");
    Inspector::connect(endpoint).await.expect("the server is there")
}

fn history(queue: &Queue, hours: u64) -> History {
    let span = Duration::from_hours(hours);
    queue.server.block_on(async { inspector(queue).await.history(span).await.expect("a history") })
}

#[test]
fn thirty_days_of_a_busy_queue_take_two_megabytes() {
    let mut queue = Queue::start();
    let day = 24 * 3_600_000;
    // By the quarter, and the last day by the minute: what each ring holds is full.
    let mut round = 0;
    while queue.now < START + 31 * day {
        tally(&mut queue, &busy(round, 12));
        let last_day = queue.now >= START + 30 * day;
        queue.advance(if last_day { 60_000 } else { 900_000 });
        round += 1;
    }
    let slots: Vec<u64> = RINGS
        .iter()
        .map(|ring| {
            let key = queue.key(ring);
            queue.command(&["HLEN", &key])
        })
        .collect();
    assert_eq!(slots[..3], [360, 288, 360], "each ring is full");
    assert!(slots[3] > 300, "and many names are known");
    let taken = memory(&mut queue);
    assert!(taken <= MOST, "{taken} bytes");
}

#[test]
fn what_is_counted_is_read_again() {
    let mut queue = Queue::in_real_time();
    queue.put("a");
    let counts = [
        ("run:tts:40", 90),
        ("run:tts:50", 10),
        ("run:encode/video:30", 1),
        ("run:encode/audio:31", 1),
        ("wait:tts:0", 100),
        ("tries:tts", 101),
        ("hit:tts", 7),
        ("miss:tts", 100),
        ("error:tts:openai:rate-limited", 2),
        ("error:tts:openai:cut", 3),
        ("job:done", 5),
        ("job:delayed", 2),
        ("spent", 1_500_000),
        ("a-name.of/tomorrow", 9),
    ];
    let counts = counts.map(|(name, count)| (name.to_owned(), count));
    tally(&mut queue, &counts);
    tally(&mut queue, &counts);
    for hours in [1, 72, 720] {
        let history = history(&queue, hours);
        let total = &history.total;
        assert_eq!((total.jobs.done, total.jobs.retried), (10, 4), "{hours} h: {history:?}");
        assert!((total.cost.spent_usd - 3.0).abs() < 1e-9);
        assert_eq!((total.cache.hits, total.cache.misses), (14, 200));
        assert_eq!((total.depth.of(State::Ready), total.workers), (1, 0));
        assert!(total.oldest_s.contains_key("ready") || total.oldest_s.is_empty());
        let errors: Vec<_> = total.errors.iter().map(|e| (e.code.as_str(), e.count)).collect();
        assert_eq!(errors, [("cut", 6), ("rate-limited", 4)], "the most frequent first");
        let tts = total.stages.iter().find(|one| one.stage == StageName::Tts).expect("tts");
        assert_eq!((tts.run.count, tts.tries, tts.errors), (200, 202, 10));
        let (p50, p99) = (tts.run.p50_s.expect("a time"), tts.run.p99_s.expect("a time"));
        assert!((p50 / 13.4 - 1.0).abs() < 0.1 && (p99 / 83.0 - 1.0).abs() < 0.1, "{p50} {p99}");
        let encode = total.stages.iter().find(|one| one.stage == StageName::Encode);
        assert_eq!(encode.expect("encode").run.count, 4, "both formats");
        assert!(history.slots.len() <= 2, "{history:?}");
    }
}

#[test]
fn the_first_word_in_a_slot_looks_at_the_queue() {
    let mut queue = Queue::start();
    queue.put("ready");
    let token = queue.lease("anna", "ready");
    queue.report("ready", &token, &Words::park("provider", 600_000));
    queue.put("behind");
    queue.advance(9_000);
    assert_eq!(queue.call(Verb::Tally, &[]), ["3", "0"], "a slot of each ring begins");
    queue.advance(1_000);
    assert_eq!(queue.call(Verb::Tally, &[]), ["0", "0"]);
    queue.advance(60_000);
    assert_eq!(queue.call(Verb::Tally, &[]), ["1", "0"], "the next minute");
    let names = queue.key("history_names");
    let known: Vec<String> = queue.command(&["HKEYS", &names]);
    for name in ["depth:ready", "depth:parked", "oldest:ready", "oldest:provider", "workers"] {
        assert!(known.iter().any(|known| known == name), "{name}: {known:?}");
    }
}

#[test]
fn rings_agree_with_the_script_and_old_slots_are_not_read() {
    let source = include_str!("../../lua/tally.lua");
    let packed = include_str!("../../src/history/packed.rs");
    for (key, step, slots) in
        [("history_minutes", 60, 360), ("history_quarters", 900, 288), ("history_hours", 7200, 360)]
    {
        assert!(source.contains(&format!("{{ {key}, {step}, {slots} }}")), "{key} in the script");
        let ring = format!("key: \"{key}\", step_s: {step}, slots: {slots}");
        assert!(packed.contains(&ring), "{key} in the reader");
    }
    // By the clock of the test, which stands in 2023: Redis' own finds all of it too old.
    let mut queue = Queue::start();
    tally(&mut queue, &[("job:done".to_owned(), 1)]);
    assert_eq!(history(&queue, 720).slots, []);
}

#[test]
fn names_beyond_the_room_are_left_out_and_said() {
    let mut queue = Queue::start();
    let names: Vec<String> = (0..2_050).map(|at| format!("name-{at}")).collect();
    let mut roomless = 0;
    for call in names.chunks(200) {
        let words: Vec<&str> = call.iter().flat_map(|name| [name.as_str(), "1"]).collect();
        roomless += queue.call(Verb::Tally, &words)[1].parse::<u64>().expect("a number");
    }
    let known = queue.key("history_names");
    assert_eq!(queue.command::<u64>(&["HLEN", &known]), 2_000);
    assert!(roomless >= 50, "{roomless}");
}
