//! Random histories run against Redis and against the model: every answer and, after each step, the
//! whole content must agree, and the invariants hold.

use std::cell::RefCell;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, TestRunner};
use queue::{Limits, Why};

use crate::checks::Watch;
use crate::fixture::{Queue, START};
use crate::model::Model;
use crate::ops::{BODIES, Command, History, Op, claims, op};

/// Steps of one history.
const STEPS: usize = 60;
/// Failing histories, run first each time.
const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/property-regressions.txt");

/// Small limits, so that short histories reach them.
fn limits() -> Limits {
    Limits {
        interruptions: 4,
        records_live: Duration::from_mins(1),
        max_records: 3,
        dead_live: Duration::from_mins(2),
        max_dead: 2,
        ..Limits::default()
    }
}

#[test]
fn redis_and_the_model_never_part() {
    let mut queue = Queue::start();
    queue.limits = limits();
    let queue = RefCell::new(queue);
    let persistence = FileFailurePersistence::Direct(REGRESSIONS);
    // PROPTEST_CASES asks for more than the default of 256.
    let config = ProptestConfig {
        failure_persistence: Some(Box::new(persistence)),
        ..ProptestConfig::default()
    };
    let histories = prop::collection::vec(op(), 1..=STEPS);
    let agreed = TestRunner::new(config).run(&histories, |history| {
        run(&mut queue.borrow_mut(), &history);
        Ok(())
    });
    if let Err(failure) = agreed {
        panic!("{failure}");
    }
}

fn run(queue: &mut Queue, ops: &[Op]) {
    queue.begin_anew();
    let digests = BODIES.map(|(body, says)| (body.to_owned(), digest(queue, says)));
    let mut model = Model::new(START, limits(), digests.into());
    let mut history = History::default();
    let mut watch = Watch::default();
    for op in ops.iter().flat_map(Op::steps) {
        let Some(command) = op.resolve(&model, &mut history) else {
            if let Op::Time(ms) = op {
                pass(queue, &mut model, ms);
            }
            continue;
        };
        step(queue, &mut model, &mut history, &mut watch, &command);
    }
}

fn step(
    queue: &mut Queue,
    model: &mut Model,
    history: &mut History,
    watch: &mut Watch,
    command: &Command,
) {
    let answer = command.ask(queue);
    assert_eq!(
        answer,
        command.expect(model),
        "answers of Redis (left), of the model (right) to {command:?}"
    );
    let jobs = claims(&answer);
    let repeated = jobs.iter().any(|job| history.tokens.contains(job));
    match command {
        Command::PopWake if answer == ["1"] => watch.marker_in_hand = true,
        // Whoever repeats a claim had taken the marker before the first sending.
        Command::Claim { .. } | Command::Exchange { .. } if !repeated => {
            watch.marker_in_hand = false;
        }
        _ => {}
    }
    history.tokens.extend(jobs.into_iter().filter(|_| !repeated));
    let dump = queue.dump();
    let expected = model.render();
    assert!(dump == expected, "after {command:?}\n{}", differences(&dump, &expected));
    watch.check(queue, model, &dump, &format!("{command:?}"));
    the_reason_agrees(queue, model, history.commands(), &format!("{command:?}"));
}

/// Why one job does not run, each time another one: the queue says what the model would.
fn the_reason_agrees(queue: &mut Queue, model: &Model, at: usize, what: &str) {
    let Some(id) = model.jobs.keys().nth(at % model.jobs.len().max(1)) else { return };
    let why: Why = queue.scripts.why(id).invoke(&mut queue.connection).expect("an answer");
    let reason = why.reason.expect("the job is there");
    let mut told = reason.told();
    told.jobs.sort();
    let said = (reason.code(), told.ahead, told.jobs.clone());
    assert_eq!(said, model.why(id), "why {id} waits (right: the model), after {what}");
    assert!(told.sentence.ends_with('.') && !told.cure.is_empty(), "{told:?}");
}

/// Time passes for Redis, for the model, and for whatever has a time to live.
fn pass(queue: &mut Queue, model: &mut Model, ms: i64) {
    let before = model.render();
    model.set_time(model.now + ms);
    queue.set_time(model.now);
    let after = model.render();
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        let key = queue.key(name);
        let _: i64 = queue.command(&["DEL", &key]);
    }
}

fn digest(queue: &mut Queue, body: &str) -> String {
    queue.command(&["EVAL", "return redis.sha1hex(ARGV[1])", "0", body])
}

fn differences(redis: &crate::dump::Dump, model: &crate::dump::Dump) -> String {
    let mut lines = Vec::new();
    let keys: std::collections::BTreeSet<_> = redis.keys().chain(model.keys()).collect();
    for key in keys {
        let (left, right) = (redis.get(key), model.get(key));
        if left != right {
            lines.push(format!("{key}\n  Redis {left:?}\n  model {right:?}"));
        }
    }
    lines.join("\n")
}
