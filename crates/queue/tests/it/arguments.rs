//! What `enqueue.lua` is given: whatever is not what its head asks for is answered by its name, and
//! leaves no trace; the other jobs of the call stand as if they had come alone.

use proptest::prelude::*;

use crate::fixture::{Queue, START, Words, for_any};
use crate::verify::look;
use queue::Violation;

/// What the script is told of one job, in its order: three values, the lines of the terms, and those of the
/// extras.
const FIELDS: [&str; 13] = [
    "id",
    "body",
    "digest",
    "format",
    "tenant",
    "priority",
    "run_at",
    "deadline",
    "max_attempts",
    "idempotency_key",
    "traceparent",
    "webhook",
    "metadata",
];
/// Values of the script that a job has.
const VALUES: usize = 5;

type Values = Vec<Vec<u8>>;

/// The values of one job, shown as text.
#[derive(Clone)]
struct Shown(Values);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|value| value.escape_ascii().to_string())).finish()
    }
}

/// The fields of a job as the script takes them.
fn packed(fields: &[Vec<u8>]) -> Values {
    let lines = |lines: &[Vec<u8>]| lines.join(&b'\n');
    [&fields[..3], &[lines(&fields[3..9]), lines(&fields[9..])]].concat()
}

/// A job of which nothing is left out.
fn whole(id: &str) -> Values {
    packed(&fields(id))
}

fn fields(id: &str) -> Values {
    let (run_at, deadline) = (START.to_string(), (START + 60_000).to_string());
    let key = format!("key-{id}");
    let trace = format!("00-{}-{}-01", "0a".repeat(16), "1b".repeat(8));
    let metadata = "{\"episode\":\"9\"}";
    let (body, digest, webhook) = ("{\"v\":1}", "0a".repeat(20), "https://e.org/");
    let values = [
        id, body, &digest, "audio", "t", "5", &run_at, &deadline, "5", &key, &trace, webhook,
        metadata,
    ];
    values.iter().map(|value| value.as_bytes().to_vec()).collect()
}

fn with(id: &str, field: &str, value: &[u8]) -> Values {
    let mut values = fields(id);
    values[place(field)] = value.to_vec();
    packed(&values)
}

fn place(field: &str) -> usize {
    FIELDS.iter().position(|name| *name == field).expect("a field of the script")
}

/// What no field may hold; the last is longer than any grammar or limit allows.
fn wrong(field: &str) -> Vec<Vec<u8>> {
    let long = "a".repeat(200_000);
    let identifiers: &[&str] = &["", " ", "a/b", "a b", "-a", "ä", "a\0b", "a\nb", &long];
    let numbers: &[&str] = &[
        "",
        "nan",
        "inf",
        "-inf",
        "-nan",
        "1e300",
        "5.5",
        "-1",
        "0x5",
        "1e0",
        " 5",
        "5 ",
        "+5",
        "five",
        "\0",
        "18446744073709551616",
        "999999999999999",
        &long,
    ];
    let texts: Vec<&str> = match field {
        "id" | "tenant" => identifiers.to_vec(),
        "idempotency_key" => identifiers[1..].to_vec(),
        "body" => vec!["", &long],
        "format" => vec!["", "Audio", "audio ", "pdf", &long],
        "priority" => [numbers, &["10"]].concat(),
        "max_attempts" => [numbers, &["0", "101"]].concat(),
        "metadata" => {
            vec!["x", "[]", "{", "{}}", "{\"a\":1}", "{\"a\":{}}", "null", "\"a\"", &long]
        }
        "traceparent" => vec!["00", "00-0-0-00", "ff", &long],
        "digest" => vec!["0", "null", "g234567890123456789012345678901234567890", &long],
        "webhook" => vec!["7", "e.org", "https:///a", &long],
        _ => numbers.to_vec(),
    };
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    if field != "body" {
        all.push(b"\xff\xfe".to_vec());
    }
    all
}

/// What `verify` finds but for the clock of the tests.
pub(crate) fn violations(queue: &Queue) -> Vec<Violation> {
    let found = look(queue).violations;
    found.into_iter().filter(|one| one.id.as_deref() != Some("clock")).collect()
}

#[test]
fn whatever_is_wrong_is_named_and_leaves_no_trace() {
    let mut queue = Queue::start();
    queue.enqueue_bytes(&[whole("a"), whole("z")].concat()).expect("an answer");
    let alone = queue.dump();
    for field in FIELDS {
        for value in wrong(field) {
            queue.begin_anew();
            let bad = with("bad", field, &value);
            let batch = [whole("a"), bad, whole("z")].concat();
            let shown = String::from_utf8_lossy(&value[..value.len().min(20)]).into_owned();
            let answer = queue.enqueue_bytes(&batch);
            let answer = answer.unwrap_or_else(|error| panic!("{field} {shown:?}: {error}"));
            let id = if field == "id" { String::from_utf8_lossy(&value) } else { "bad".into() };
            // A line more makes others of those behind it.
            let word = match field {
                _ if field == "id" || !value.contains(&b'\n') => field,
                "idempotency_key" => "traceparent",
                _ => "terms",
            };
            let expected = ["created", "a", "ready", "invalid", &id, word, "created", "z", "ready"];
            assert_eq!(answer, expected, "{field} {shown:?}");
            assert!(queue.dump() == alone, "{field} {shown:?}: {:?}", queue.dump());
        }
    }
}

/// The one thing of an envelope that the script reads: where the job's end is told.
#[test]
fn a_webhook_is_an_address_or_is_named_and_leaves_no_trace() {
    let mut queue = Queue::start();
    let long = format!("https://e.org/{}", "a".repeat(2048));
    for (webhook, is_good) in [
        ("null", true),
        ("\"https://e.org\"", true),
        ("\"https://[2001:db8::1]:8443/a?b=c&d=%20\"", true),
        ("\"http://127.0.0.1:8080/\"", true),
        ("7", false),
        ("{}", false),
        ("\"\"", false),
        ("\"e.org\"", false),
        ("\"https://\"", false),
        ("\"https:///a\"", false),
        ("\"ftp://e.org\"", false),
        ("\"https://a:b@e.org/\"", false),
        ("\"https://a@e.org\"", false),
        ("\"https://e.org/a b\"", false),
        ("\"https://e.org/\\n\"", false),
        ("\"https://e.org/\\u0000\"", false),
        ("\"https://e.org/#a\"", false),
        ("\"https://e.org\\\\@f.org/\"", false),
        ("\"https://\u{e4}.org/\"", false),
        (&format!("\"{long}\""), false),
    ] {
        queue.begin_anew();
        let empty = queue.dump();
        let envelope = format!("{{\"v\":1,\"webhook\":{webhook}}}");
        let mut values = fields("a");
        values[place("body")] = envelope.into_bytes();
        values[place("digest")].clear();
        values[place("webhook")].clear();
        let answer = queue.enqueue_bytes(&packed(&values)).expect("one");
        if is_good {
            assert_eq!(answer[0], "created", "{webhook}");
            let kept = queue.field("a", "webhook");
            assert_eq!(kept, webhook.trim_matches('"').replace("null", ""));
        } else {
            assert_eq!(answer, ["invalid", "a", "webhook"], "{webhook}");
            assert!(queue.dump() == empty, "{webhook}");
        }
    }
}

/// What all jobs of a call share is wrong, so there is nobody to answer: the call is refused.
#[test]
fn a_call_that_does_not_add_up_is_refused_whole() {
    let mut queue = Queue::start();
    let empty = queue.dump();
    let mut crowd = Values::new();
    (0..501).for_each(|at| crowd.extend(whole(&format!("j{at}"))));
    let short = [whole("a"), whole("b")[..VALUES - 1].to_vec()].concat();
    for (what, values) in [("jobs", crowd), ("values", short), ("one", whole("a")[..1].to_vec())] {
        let error = queue.enqueue_bytes(&values).expect_err(what);
        assert_eq!(error.code(), Some("INVALID"), "{what}: {error}");
        assert!(queue.dump() == empty, "{what}");
    }
    let keys: Vec<String> = ["ready", "delayed", "deadlines", "counts", "wake", "events"]
        .map(|word| queue.key(word))
        .into();
    let prefix = queue.scripts.keys().prefix().to_owned();
    let other = keys.iter().map(|key| key.replace("test", "other")).collect::<Vec<_>>();
    for (keys, prefix, deadline) in [
        (&keys, "{q:a b}:", "86400000"),
        (&keys, "", "86400000"),
        (&other, &prefix, "86400000"),
        (&keys[..5].to_vec(), &prefix, "86400000"),
        (&keys, &prefix, "nan"),
        (&keys, &prefix, "inf"),
        (&keys, &prefix, "0"),
    ] {
        let mut eval = redis::cmd("EVAL");
        eval.arg(include_str!("../../../enqueue/lua/enqueue.lua")).arg(keys.len()).arg(keys);
        eval.arg(prefix).arg(deadline).arg(whole("a"));
        let refused = eval.query::<redis::Value>(&mut queue.connection);
        let error = refused.expect_err("a call of another kind");
        assert_eq!(error.code(), Some("INVALID"), "{prefix} {deadline}: {error}");
        assert!(queue.dump() == empty, "{prefix} {deadline}");
    }
}

/// One value of one job: as it should be, of another field, from the list of troubles, or any bytes.
fn value(at: usize) -> impl Strategy<Value = Vec<u8>> {
    let good = fields("a")[at].clone();
    let troubles = FIELDS.into_iter().flat_map(wrong).filter(|value| value.len() < 1_000);
    let troubles: Vec<Vec<u8>> = troubles.collect();
    prop_oneof![
        12 => Just(good),
        1 => prop::sample::select(fields("b")),
        2 => prop::sample::select(troubles),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => any::<f64>().prop_map(|number| number.to_string().into_bytes()),
        1 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
    ]
}

fn job() -> impl Strategy<Value = Shown> {
    let ids = prop::sample::select(vec!["a", "b", "c", "d"]);
    let rest: Vec<_> = (0..FIELDS.len()).map(|at| value(at).boxed()).collect();
    (ids, prop::bool::weighted(0.9), rest).prop_map(|(id, named, mut values)| {
        if named {
            values[0] = id.as_bytes().to_vec();
        }
        Shown(packed(&values))
    })
}

#[test]
fn no_bytes_break_a_queue() {
    let queue = std::cell::RefCell::new(Queue::start());
    let batches = (prop::collection::vec(job(), 1..6), 0..12_usize);
    for_any(&batches, |(jobs, cut)| {
        let mut values: Values = jobs.into_iter().flat_map(|job| job.0).collect();
        // Now and then the end of the call is missing.
        values.truncate(values.len() - if cut == 11 { VALUES - 1 } else { 0 });
        endure(&mut queue.borrow_mut(), &values);
    });
}

fn endure(queue: &mut Queue, values: &Values) {
    queue.begin_anew();
    let before = queue.dump();
    match queue.enqueue_bytes(values) {
        Err(error) => assert!(queue.dump() == before, "an error after a write: {error}"),
        Ok(answer) => {
            let created = answer.chunks(3).filter(|words| words[0] == "created").count();
            let stats = queue.stats();
            assert_eq!(usize::try_from(stats["enqueued"]), Ok(created), "{answer:?}");
            assert_eq!(violations(queue), [], "{answer:?}");
            work_off(queue, created);
        }
    }
}

/// Each job that was accepted is claimed in its time and ends.
fn work_off(queue: &mut Queue, created: usize) {
    let mut ended = 0;
    for claim in 0..2 * created {
        let nonce = format!("n{claim}");
        let answer = queue.claim("anna", &nonce, 0);
        match answer[0].as_str() {
            "job" => {
                let report = queue.report(&answer[1], &answer[2], &Words::done());
                assert_eq!(report, ["accepted", "done"]);
                ended += 1;
            }
            _ if answer[1] == "-1" => break,
            _ => queue.advance(answer[1].parse().expect("a time")),
        }
    }
    let stats = queue.stats();
    let over = usize::try_from(stats["expired"]).expect("few");
    assert_eq!(ended + over, created, "accepted, and never to run: {stats:?}");
    assert_eq!(violations(queue), []);
}
