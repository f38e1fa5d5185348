//! What the other verbs are given: a value that cannot be ends the call before anything is written.

use proptest::prelude::*;
use queue::Verb;

use crate::arguments::violations;
use crate::fixture::{Queue, Request, TOLD, Words, for_any};

/// Whole numbers in decimal digits are wanted, none of them past ten years of milliseconds.
const NO_NUMBERS: [&str; 14] = [
    "",
    "nan",
    "-nan",
    "inf",
    "1e300",
    "5.5",
    "-1",
    "0x5",
    "1e0",
    " 5",
    "five",
    "\0",
    "18446744073709551616",
    "999999999999999",
];

/// Verbs that take numbers, with good values for the job `a` under `TOKEN`, and where the numbers stand.
const NUMBERS: [(Verb, &[&str], &[usize]); 16] = [
    (Verb::Claim, &["ben", "n2", "3000", "0", "1"], &[2, 3, 4]),
    (Verb::Renew, &["anna", "3000", "4", "1", "tts", "50", "a", TOKEN], &[1, 2, 3, 5]),
    (Verb::Progress, &["a", TOKEN, "tts", "5", ""], &[3]),
    (
        Verb::Report,
        &["20", "{}", "3", "a", TOKEN, "retry", "5", "", "{}", "", "", "{}", "0"],
        &[0, 2, 6, 12],
    ),
    (
        Verb::Exchange,
        &[
            "ben", "n2", "3000", "0", "1", "20", "{}", "3", "a", TOKEN, "retry", "5", "", "{}", "",
            "", "{}", "0",
        ],
        &[2, 3, 4, 5, 7, 11, 17],
    ),
    (
        Verb::Reap,
        &["3000", "", "3", "{}", "20", "{}", "60000", "9", "60000", "9"],
        &[0, 2, 4, 6, 7, 8, 9],
    ),
    (Verb::Tally, &["run:tts:5", "3", "spent", "9"], &[1, 3]),
    (Verb::Notify, &["n3", "9", "60000", "10", "0"], &[1, 2, 3, 4]),
    (Verb::Notified, &["c", HELD, "failed", "5", "due", "{}", "no"], &[3]),
    (Verb::Bulk, &["x", "gather", "s1", "3000", "5", "c"], &[3, 4]),
    (Verb::BulkStep, &["y", "s1", "3000", "9"], &[2, 3]),
    (Verb::Admit, &["llm-1", "c", "60", "0", "2", "9", "500", "9000"], &[2, 3, 4, 5, 6, 7]),
    (
        Verb::Settle,
        &["llm-1", "60", "0", "0", "9", "9", "9", "9", "9", "9", "1", "1", "c"],
        &[1, 2, 3, 10, 11],
    ),
    (Verb::Spend, &["take", "acme", "9", "5000000"], &[2, 3]),
    (Verb::Spend, &["settle", "acme", "9", "19000", "5"], &[2, 3, 4]),
    (Verb::Afford, &["0", "acme", "5000000", "*", "9"], &[0, 2, 4]),
];
const TOKEN: &str = "1:nonce-a-";
/// That of the sender of the webhook of `c`.
const HELD: &str = "1:n1";

/// Values that make no sense together, or words that a verb does not know.
const NONSENSE: [(Verb, &[&str]); 56] = [
    (Verb::Claim, &["ben", "n2", "3000", "0", "0"]),
    (Verb::Claim, &["ben", "n2", "3000", "0", "501"]),
    (Verb::Claim, &["ben", "a|b", "3000", "0", "1"]),
    (Verb::Claim, &["ben", "", "3000", "0", "1"]),
    (Verb::Renew, &["anna", "3000", "4", "1", "", "0", "a"]),
    (Verb::Renew, &["anna", "3000", "4", "1", "lunch", "0", "a", TOKEN]),
    (Verb::Checkpoint, &["a", TOKEN, "{}", "words", "call1", "d", "call2"]),
    (Verb::Progress, &["a", TOKEN, "tts", "101", "[]"]),
    (Verb::Report, &["20", "{}", "3", "a", TOKEN, "finished", "5", "", "{}", "", "[]", "{}", "0"]),
    (
        Verb::Report,
        &["20", "{}", "3", "a", TOKEN, "park", "5", "weather", "{}", "", "[]", "{}", "0"],
    ),
    (
        Verb::Report,
        &["20", "{}", "3", "a", TOKEN, "park", "5", "flight", "{}", "", "[]", "{}", "1", "x\ny"],
    ),
    (Verb::Report, &["20", "{}", "3", "a", TOKEN, "done", "5", "", "", "{}", "[]", "{}"]),
    (
        Verb::Exchange,
        &[
            "ben", "n2", "3000", "0", "0", "20", "{}", "3", "a", TOKEN, "done", "5", "", "", "{}",
            "[]", "{}", "0",
        ],
    ),
    (Verb::Begin, &["a"]),
    (Verb::Join, &["a", TOKEN, "x\ny"]),
    (Verb::Join, &["a", TOKEN, ""]),
    (Verb::Land, &["a", TOKEN, "", "stored"]),
    (Verb::Pause, &["stop", "anna", "cli", ""]),
    (Verb::Pause, &["pause"]),
    (Verb::Cancel, &["b", "", "cli", ""]),
    (Verb::Cancel, &["b", LONG, "cli", ""]),
    (Verb::Cancel, &["b", "anna", "telegraph", ""]),
    (Verb::Replay, &["c", "an\nna", "cli", ""]),
    (Verb::Replay, &["c", "anna", "cli", "", "lunch", "", "", "from lunch"]),
    (Verb::Replay, &["c", "anna", "cli", "", "tts", TOLD, "", "from tts"]),
    (Verb::Replay, &["c", "anna", "cli", "", "tts", "", "", ""]),
    (Verb::Replay, &["c", "anna", "cli", "", "tts", "", "", "from\ntts"]),
    (Verb::Replay, &["c", "anna", "cli", "", "tts", "", ""]),
    (Verb::Purge, &["c", "anna", "cli", LONG]),
    (Verb::Resend, &["c", "anna", "cli", "two\nlines"]),
    (Verb::Drain, &["anna", "tomorrow"]),
    (Verb::Tally, &["run:tts:5"]),
    (Verb::Tally, &["Run", "5"]),
    (Verb::Tally, &[LONG, "5"]),
    (Verb::Notify, &["a b", "9", "60000", "10", "0"]),
    (Verb::Notify, &["n3", "101", "60000", "10", "0"]),
    (Verb::Notified, &["c", HELD, "sent", "5", "due", "{}", "no"]),
    (Verb::Notified, &["c", HELD, "held", "5", "weather", "", ""]),
    (Verb::Notified, &["c", HELD, "failed", "5", "due", LONG, "no"]),
    (Verb::Notified, &["c", HELD, "failed", "5", "due", "{}", LONG]),
    (Verb::Bulk, &["x y", "begin", "replay", "", "", "ann", "api", "", "5"]),
    (Verb::Bulk, &["x", "halt"]),
    (Verb::Bulk, &["z", "begin", "bake", "", "", "ann", "api", "", "5"]),
    (Verb::Bulk, &["x", "gather", "s1", "3000", "5"]),
    (Verb::BulkStep, &["y", "s1", "3000", "101"]),
    (Verb::BulkStep, &["y", "s1", "3000", "9", "b", "perhaps"]),
    (Verb::Admit, &["an account", "c", "60", "0", "2", "9", "500", "9000"]),
    (Verb::Admit, &["llm-1", "", "60", "0", "2", "9", "500", "9000"]),
    (Verb::Admit, &["llm-1", "c", "60", "0", "2", "9", "600001", "9000"]),
    (Verb::Settle, &["llm-1", "60", "0", "0", "few", "", "", "", "", "", "0", "0"]),
    (Verb::Settle, &["llm-1", "60", "0", "0", "", "", "", "", "", "", "0", "0", "a b"]),
    (Verb::Spend, &["lend", "acme", "9", "5000000"]),
    (Verb::Spend, &["take", "ac me", "9", "5000000"]),
    (Verb::Spend, &["settle", "acme", "9", "", "5"]),
    (Verb::Afford, &["0", "acme", "5000000", "*"]),
    (Verb::Afford, &["0", "ac me", "5000000"]),
];

/// Longer than an attempt and an answer may be.
const LONG: &str = {
    const BYTES: [u8; 5000] = [b'a'; 5000];
    match str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};

/// `a` is leased, `b` is ready, `c` is dead, and that is just being told; the bulk action `x` gathers
/// its jobs, `y` has `b` to do.
fn queue() -> Queue {
    let mut queue = Queue::start();
    fill(&mut queue);
    queue
}

fn fill(queue: &mut Queue) {
    queue.begin_anew();
    queue.enqueue(&[Request { body: TOLD.to_owned(), ..Request::new("c") }]);
    let token = queue.lease("anna", "c");
    queue.report("c", &token, &Words::dead());
    assert_eq!(queue.notify("n1", 9)[1..3], ["c", HELD]);
    queue.put("a");
    assert_eq!(queue.lease("anna", "a"), TOKEN);
    queue.enqueue(&[Request { key: "k".to_owned(), ..Request::new("b") }]);
    queue.call(Verb::Bulk, &["x", "begin", "replay", "", "", "ann", "api", "", "5"]);
    queue.call(Verb::Bulk, &["y", "begin", "cancel", "", "", "ann", "api", "", "5"]);
    queue.call(Verb::Bulk, &["y", "gather", "s1", "3000", "5", "b"]);
    queue.call(Verb::Bulk, &["y", "run", "s1", "3000"]);
}

fn bytes(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

#[test]
fn a_number_that_is_none_changes_nothing() {
    let mut queue = queue();
    let before = queue.dump();
    for (verb, good, numbers) in NUMBERS {
        for (at, text) in numbers.iter().flat_map(|at| NO_NUMBERS.map(|text| (*at, text))) {
            let mut words = bytes(good);
            words[at] = text.as_bytes().to_vec();
            let answer = queue.try_call(verb, &words);
            let error = answer.expect_err(&format!("{verb:?}: value {at} is {text:?}"));
            assert_eq!(error.code(), Some("INVALID"), "{verb:?}: value {at} is {text:?}: {error}");
            assert!(queue.dump() == before, "{verb:?}: value {at} is {text:?}");
        }
        queue.try_call(verb, &bytes(good)).unwrap_or_else(|error| panic!("{verb:?}: {error}"));
        fill(&mut queue);
    }
}

#[test]
fn what_makes_no_sense_changes_nothing() {
    let mut queue = queue();
    let before = queue.dump();
    for (verb, words) in NONSENSE {
        let answer = queue.try_call(verb, &bytes(words));
        let error = answer.expect_err(&format!("{verb:?} {words:?}"));
        assert_eq!(error.code(), Some("INVALID"), "{verb:?} {words:?}: {error}");
        assert!(queue.dump() == before, "{verb:?} {words:?}");
    }
}

/// Good values in their places, and now and then anything.
fn words() -> impl Strategy<Value = (Verb, Vec<Vec<u8>>)> {
    let known: Vec<(Verb, &[&str])> = NUMBERS
        .into_iter()
        .map(|(verb, words, _)| (verb, words))
        .chain(NONSENSE)
        .chain([
            (Verb::Replay, &["c", "anna", "cli", "why"][..]),
            (Verb::Replay, &["c", "anna", "cli", "", "tts", TOLD, "{\"v\":1}", "voice=ben"]),
        ])
        .chain([(Verb::Purge, &["c", "anna", "api", ""][..])])
        .chain([(Verb::Cancel, &["b", "anna", "page", ""][..])])
        .chain([(Verb::Resend, &["c", "anna", "crate", ""][..])])
        .chain([(Verb::Begin, &["a", TOKEN][..]), (Verb::Land, &["a", TOKEN, "k", "stored"])])
        .chain([(Verb::Join, &["a", TOKEN, "k"][..])])
        .chain([
            (Verb::Bulk, &["y", "stop", "ann", "api", ""][..]),
            (Verb::Bulk, &["x", "run", "s1", "3000"]),
        ])
        .collect();
    let noise = prop_oneof![
        prop::sample::select(NO_NUMBERS.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        prop::sample::select(vec!["a", "b", "c", TOKEN]).prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..20),
    ];
    let noises = prop::collection::vec(prop::option::weighted(0.15, noise), 20);
    (prop::sample::select(known), noises, 0..13_usize).prop_map(|((verb, good), noises, cut)| {
        let values = bytes(good).into_iter().zip(noises);
        let mut values: Vec<_> = values.map(|(good, noise)| noise.unwrap_or(good)).collect();
        values.truncate(if cut > 9 { cut - 8 } else { values.len() });
        (verb, values)
    })
}

#[test]
fn no_bytes_break_a_queue_at_work() {
    let queue = std::cell::RefCell::new(queue());
    for_any(&prop::collection::vec(words(), 1..6), |calls| {
        let queue = &mut *queue.borrow_mut();
        fill(queue);
        for (verb, words) in calls {
            let before = queue.dump();
            if let Err(error) = queue.try_call(verb, &words) {
                assert!(queue.dump() == before, "{verb:?}, an error after a write: {error}");
            }
        }
        assert_eq!(violations(queue), []);
    });
}
