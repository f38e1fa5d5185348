//! A fleet behind a refusal, by a clock of the test: who may probe, and how often a day.

use queue::{REFUSALS_A_DAY, Verb};

use crate::fixture::{Queue, Words};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
/// `PROBE_INTERVAL`.
const FIRST: i64 = 30 * SECOND;

fn probe(queue: &mut Queue, stage: &str, step: &str) -> i64 {
    let budget = if stage == "upload" { 0 } else { REFUSALS_A_DAY };
    let (first, longest) = (FIRST.to_string(), (10 * MINUTE).to_string());
    let budget = budget.to_string();
    let answer = queue.call(Verb::Probe, &[stage, step, &first, &longest, &budget, "1"]);
    answer[0].parse().expect("a number of ms")
}

/// `workers` are refused at once, and then all ask each interval; when each refusal was, in ms.
fn refusals_of(workers: usize, stage: &str, hours: i64) -> Vec<i64> {
    let mut queue = Queue::start();
    let mut refused = vec![0; workers];
    for _ in 0..workers {
        probe(&mut queue, stage, "refused");
    }
    let mut now = 0;
    while now < hours * HOUR {
        queue.advance(FIRST);
        now += FIRST;
        for _ in 0..workers {
            if probe(&mut queue, stage, "may") == 0 {
                probe(&mut queue, stage, "refused");
                refused.push(now);
            }
        }
    }
    refused
}

#[test]
fn a_day_of_a_wrong_set_up_costs_a_fleet_twenty_calls() {
    for workers in [1, 10] {
        let refused = refusals_of(workers, "tts", 24);
        assert!(refused.len() <= 20, "{workers} workers were refused {} times", refused.len());
        let early = |within: i64| refused.iter().filter(|at| **at <= within).count() - workers;
        assert!(early(MINUTE) >= 1 && early(30 * MINUTE) >= 5, "it is asked soon: {refused:?}");
        assert!(refused.last().unwrap() > &(16 * HOUR), "and until the end: {refused:?}");
    }
    let two_days = refusals_of(10, "tts", 48);
    assert!(two_days.len() <= 40, "{}", two_days.len());
    let second = two_days.iter().filter(|at| **at > 24 * HOUR).count();
    assert!(second >= 10, "each day has its own: {two_days:?}");
}

#[test]
fn pauses_double_up_to_ten_minutes() {
    let refused = refusals_of(1, "upload", 1);
    let pauses: Vec<i64> = refused.windows(2).map(|pair| (pair[1] - pair[0]) / SECOND).collect();
    assert_eq!(pauses[..7], [30, 60, 120, 240, 480, 600, 600]);
}

#[test]
fn what_costs_nothing_is_asked_each_ten_minutes() {
    let refused = refusals_of(3, "upload", 6);
    let probes = &refused[3..];
    assert!(probes.windows(2).all(|pair| pair[1] - pair[0] <= 10 * MINUTE + FIRST), "{probes:?}");
    assert!(probes.len() > 30, "{}", probes.len());
}

#[test]
fn a_probe_is_one_worker_s_alone() {
    let mut queue = Queue::start();
    assert_eq!(probe(&mut queue, "tts", "may"), 0, "nobody was refused");
    assert_eq!(probe(&mut queue, "tts", "refused"), FIRST);
    assert_eq!(probe(&mut queue, "tts", "may"), FIRST);
    queue.advance(FIRST);
    assert_eq!(probe(&mut queue, "tts", "may"), 0);
    assert!(probe(&mut queue, "tts", "may") > 0, "somebody probes");
    assert_eq!(probe(&mut queue, "image", "may"), 0, "another stage has its own");
    probe(&mut queue, "tts", "unmet");
    assert_eq!(probe(&mut queue, "tts", "may"), 0, "it met nobody");
    probe(&mut queue, "tts", "accepted");
    assert_eq!(probe(&mut queue, "tts", "may"), 0, "a success frees all");
}

#[test]
fn who_resumes_the_queue_lets_probes_go() {
    let mut queue = Queue::start();
    for _ in 0..30 {
        probe(&mut queue, "transcript", "refused");
    }
    assert!(probe(&mut queue, "transcript", "may") >= HOUR);
    queue.call(Verb::Pause, &["resume"]);
    assert_eq!(probe(&mut queue, "transcript", "may"), 0);
}

/// What was refused is parked until the next probe; others that are parked are not touched.
#[test]
fn a_success_a_new_worker_and_an_operator_wake_what_was_refused() {
    for step in ["accepted", "begun", "resume"] {
        let mut queue = Queue::start();
        probe(&mut queue, "tts", "refused");
        for (id, reason) in [("refused", "provider"), ("limited", "rate")] {
            queue.put(id);
            let token = queue.lease("worker", id);
            let parked = queue.report(id, &token, &Words::park(reason, 10 * MINUTE));
            assert_eq!(parked, ["accepted", "parked"]);
        }
        assert_eq!(queue.claim("worker", "n1", 0)[0], "empty");
        match step {
            "resume" => drop(queue.call(Verb::Pause, &[step])),
            step => drop(probe(&mut queue, "tts", step)),
        }
        assert_eq!(queue.claim("worker", "n2", 0)[..2], ["job", "refused"], "{step}");
        assert_eq!(queue.claim("worker", "n3", 1)[0], "empty", "{step}");
    }
}
