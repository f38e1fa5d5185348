//! What yesterday's `enqueue.lua` wrote is claimed, worked and reported by today's verbs.

use queue::Verb;
use stillcast_enqueue::{Envelope, JobRecord, State};

use crate::fixture::{Queue, Request, START, Words};

/// The script of the first release, frozen: clients in other languages carry copies of it.
const ENQUEUE_V1: &str = include_str!("../golden/enqueue-v1.lua");
const ENVELOPES: &str = include_str!("../../../enqueue/golden/envelopes.jsonl");

/// One job for each golden envelope.
fn with_golden_jobs() -> (Queue, Vec<String>) {
    let mut queue = Queue::with_enqueue(ENQUEUE_V1);
    let requests: Vec<Request> = ENVELOPES
        .lines()
        .enumerate()
        .map(|(at, line)| Request {
            body: line.to_owned(),
            key: format!("key{at}"),
            ..Request::new(format!("golden{at:02}"))
        })
        .collect();
    let answer = queue.enqueue(&requests);
    assert!(answer.chunks(3).all(|words| words[0] == "created" && words[2] == "ready"));
    (queue, requests.into_iter().map(|request| request.id).collect())
}

fn record(queue: &mut Queue, id: &str) -> JobRecord {
    let hash = queue.hash(id).into_iter().collect();
    JobRecord::from_hash(id, &hash).expect("a record")
}

#[test]
fn what_yesterdays_script_wrote_is_worked_to_its_end() {
    let (mut queue, ids) = with_golden_jobs();
    assert!(ids.len() >= 4, "the golden envelopes are read");
    for id in &ids {
        let answer = queue.claim("anna", &format!("n-{id}"), 0);
        assert_eq!(answer[..2], ["job", id]);
        Envelope::decode(answer[3].as_bytes()).expect("today's worker reads it");
        assert_eq!(queue.call(Verb::Begin, &[id, &answer[2]]), ["ok"]);
        assert_eq!(queue.call(Verb::Checkpoint, &[id, &answer[2], "", "", "call1", "d"]), ["ok"]);
        assert_eq!(queue.report(id, &answer[2], &Words::retry(0))[1], "delayed");
        let again = queue.claim("ben", &format!("m-{id}"), 0);
        assert_eq!(queue.report(id, &again[2], &Words::done()), ["accepted", "done"]);
        let record = record(&mut queue, id);
        assert_eq!((record.state, record.attempt, record.tenant.as_str()), (State::Done, 2, "t"));
        assert_eq!(record.enqueued_at.map(|time| time.timestamp_millis()), Some(START));
    }
}

#[test]
fn it_is_cancelled_expired_buried_replayed_and_purged() {
    let (mut queue, ids) = with_golden_jobs();
    assert_eq!(queue.call(Verb::Cancel, &[&ids[0]]), ["cancelled"]);
    let token = queue.lease("anna", &ids[1]);
    queue.report(&ids[1], &token, &Words::dead());
    assert_eq!(queue.call(Verb::Replay, &[&ids[1]]), ["ready"]);
    queue.crash("anna", &ids[1], 6);
    assert_eq!(queue.call(Verb::Purge, &[&ids[1]]), ["purged"]);
    queue.advance(25 * 3_600_000);
    queue.reap(false);
    assert_eq!(queue.state(&ids[2]), "expired");
}

/// What tomorrow's producers need not write down, since it is as ever.
#[test]
fn what_a_producer_leaves_out_is_as_ever() {
    let mut queue = Queue::start();
    let request = |id: &str| Request { priority: 5, max_attempts: 5, ..Request::new(id) };
    queue.enqueue(&[Request { priority: 4, ..request("after") }, request("a")]);
    let whole = record(&mut queue, "a");
    for field in ["format", "priority", "max_attempts", "enqueued_ms", "deadline_len_ms"] {
        let key = queue.key("job:a");
        assert_eq!(queue.command::<i64>(&["HDEL", &key, field]), 1, "{field}");
    }
    assert_eq!(record(&mut queue, "a"), whole);

    queue.advance(3_600_000);
    for attempt in 1..=5 {
        let token = queue.lease("anna", "a");
        let state = if attempt < 5 { "delayed" } else { "dead" };
        assert_eq!(queue.report("a", &token, &Words::retry(0)), ["accepted", state], "{attempt}");
    }
    assert_eq!(record(&mut queue, "a").attempt, 5);
    assert_eq!(queue.call(Verb::Replay, &["a"]), ["ready"]);
    let again = record(&mut queue, "a");
    assert_eq!(again.enqueued_at, whole.enqueued_at);
    let later = whole.deadline.map(|at| at + chrono::TimeDelta::milliseconds(3_600_000));
    assert_eq!(again.deadline, later, "as far away as it was at first");
}

/// A request sent by yesterday's client is still the same request today, and the other way round.
#[test]
fn both_scripts_know_each_others_jobs() {
    let (mut yesterday, _) = with_golden_jobs();
    let body = ENVELOPES.lines().next().expect("an envelope").to_owned();
    let request = Request { body, key: "key0".to_owned(), ..Request::new("another") };
    let today = include_str!("../../../enqueue/lua/enqueue.lua");
    yesterday.replace_enqueue(today);
    assert_eq!(yesterday.enqueue(&[request]), ["duplicate", "golden00", "ready"]);
}

/// It checked nothing: what it let in is kept, runs, and stops nobody else.
#[test]
fn what_it_let_in_unchecked_runs_and_stops_nobody() {
    let mut queue = Queue::with_enqueue(ENQUEUE_V1);
    let (soon, id) = ((START + 10).to_string(), |at: usize| format!("odd{at}"));
    let odd = ["nan", "inf", "-inf", "1e300", "-1e300", "5.5"];
    for (at, priority) in odd.into_iter().enumerate() {
        let words = [&id(at), "{}", "audio", "t", priority, &soon, "inf", "1e300", "", "", ""];
        let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        let answer = queue.enqueue_bytes(&words).expect("yesterday's script takes it");
        assert_eq!(answer[0], "created", "{priority}");
    }
    queue.advance(10);
    queue.put("good");
    for claim in 0..=odd.len() {
        let answer = queue.claim("anna", &format!("n{claim}"), 0);
        assert_eq!(answer[0], "job", "claim {claim}");
        let report = queue.report(&answer[1], &answer[2], &Words::done());
        assert_eq!(report, ["accepted", "done"]);
    }
    assert_eq!(queue.stats()["done"], 7);
}
