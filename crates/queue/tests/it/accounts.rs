//! A fleet under the limits of a provider's account, by a clock of the test: who may begin, and when.

use queue::Verb;
use stillcast_enqueue::keys::Keys;

use crate::fixture::Queue;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
/// Nobody is held up longer.
const LONGEST: i64 = 10 * MINUTE;

/// What an account allows, and what one call of it asks for.
#[derive(Clone, Copy)]
struct Ask {
    requests: i64,
    tokens: i64,
    in_flight: i64,
    size: i64,
    patience: i64,
}

const ASK: Ask = Ask { requests: 0, tokens: 0, in_flight: 0, size: 0, patience: 0 };

fn admit(queue: &mut Queue, call: &str, ask: Ask) -> (String, i64) {
    let Ask { requests, tokens, in_flight, size, patience } = ask;
    let numbers = [requests, tokens, in_flight, size, patience, 120 * SECOND];
    let numbers = numbers.map(|number| number.to_string());
    let mut words = vec!["llm-1", call];
    words.extend(numbers.iter().map(String::as_str));
    let answer = queue.call(Verb::Admit, &words);
    (answer[0].clone(), answer[1].parse().expect("a number of ms"))
}

/// `told`: asked, then limit, left and ms until full of requests.
fn settle(queue: &mut Queue, ask: Ask, told: [&str; 4], unused: &str, over: &[&str]) {
    let (requests, tokens) = (ask.requests.to_string(), ask.tokens.to_string());
    let mut words = vec!["llm-1", &requests, &tokens];
    words.extend(told);
    words.extend(["", "", "", unused, "0"]);
    words.extend(over);
    assert_eq!(queue.call(Verb::Settle, &words), ["1"]);
}

#[test]
fn a_fleet_uses_nineteen_twentieths_of_an_account_and_never_more() {
    let mut queue = Queue::start();
    let ask = Ask { requests: 600, patience: 5 * SECOND, ..ASK };
    let (mut now, mut begun) = (0, Vec::new());
    while now < 2 * MINUTE {
        for _ in 0..3 {
            let (word, ms) = admit(&mut queue, "c", ask);
            if word == "granted" {
                begun.push(now + ms);
            } else {
                assert_eq!(word, "requests");
            }
        }
        queue.advance(50);
        now += 50;
    }
    begun.sort_unstable();
    let within = |span: i64| {
        let from =
            |at: &i64| begun.iter().filter(|begin| (*at..at + span).contains(*begin)).count();
        begun.iter().map(from).max().unwrap_or_default()
    };
    assert!(within(SECOND) <= 10 + 5, "{} in one second", within(SECOND));
    assert!(within(MINUTE) <= 570 + 5, "{} in one minute", within(MINUTE));
    assert!(begun.iter().filter(|at| **at < MINUTE).count() >= 570, "it is used");
}

#[test]
fn who_is_sent_away_comes_back_in_turn_and_within_ten_minutes() {
    let mut queue = Queue::start();
    let ask = Ask { requests: 60, ..ASK };
    assert_eq!(admit(&mut queue, "c", ask), ("granted".to_owned(), 0));
    let mut waits = Vec::new();
    for _ in 0..1_000 {
        let (word, ms) = admit(&mut queue, "c", ask);
        assert_eq!(word, "requests");
        waits.push(ms);
    }
    let gap = MINUTE * 20 / 19 / 60;
    let steps: Vec<i64> = waits[..500].windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| (step - gap).abs() <= 1), "{steps:?}");
    assert!(waits.iter().all(|wait| *wait <= LONGEST), "{:?}", waits.iter().max());
}

#[test]
fn tokens_have_a_pace_of_their_own() {
    let mut queue = Queue::start();
    let ask = Ask { requests: 6_000, tokens: 60_000, size: 2_000, patience: 9 * SECOND, ..ASK };
    let begins: Vec<i64> = (0..7).map(|_| admit(&mut queue, "c", ask).1).collect();
    // Six seconds' worth at once, then two thousand of a thousand a second, less a twentieth.
    assert_eq!(begins[..2], [0, 0]);
    assert!((2_100..=2_220).contains(&(begins[6] - begins[5])), "{begins:?}");
    assert!(begins[6] > begins[2], "{begins:?}");
    let large = Ask { size: 50_000, ..ask };
    queue.advance(MINUTE);
    assert_eq!(admit(&mut queue, "c", large), ("granted".to_owned(), 0), "larger than any rest");
    assert_eq!(admit(&mut queue, "c", ask).0, "tokens");
}

#[test]
fn calls_in_flight_are_counted_until_they_are_over_or_cannot_be_under_way() {
    let mut queue = Queue::start();
    let ask = Ask { in_flight: 2, patience: 5 * SECOND, ..ASK };
    for call in ["a", "b"] {
        assert_eq!(admit(&mut queue, call, ask), ("granted".to_owned(), 0));
    }
    assert_eq!(admit(&mut queue, "c", ask), ("in_flight".to_owned(), 200), "look again soon");
    let (word, first) = admit(&mut queue, "c", Ask { patience: 0, ..ask });
    let (_, second) = admit(&mut queue, "d", Ask { patience: 0, ..ask });
    assert!(word == "in_flight" && second > first, "{word} {first} {second}");
    settle(&mut queue, ask, ["0", "", "", ""], "0", &["a"]);
    assert_eq!(admit(&mut queue, "c", ask).0, "granted");
    assert_eq!(admit(&mut queue, "d", ask).0, "in_flight");
    // Whoever made them is dead.
    queue.advance(120 * SECOND);
    assert_eq!(admit(&mut queue, "d", ask).0, "granted");
}

#[test]
fn what_one_worker_is_told_holds_for_all() {
    let mut queue = Queue::start();
    let ask = Ask { patience: 5 * SECOND, ..ASK };
    assert_eq!(admit(&mut queue, "c", ask), ("granted".to_owned(), 0), "nothing is known");
    settle(&mut queue, ask, ["20000", "", "", ""], "0", &[]);
    assert_eq!(admit(&mut queue, "c", ask), ("told".to_owned(), 15_000), "until it is of use");
    queue.advance(16 * SECOND);
    let begins: Vec<i64> = (0..3).map(|_| admit(&mut queue, "c", ask).1).collect();
    assert_eq!(begins[0], 4_000, "the wait is kept");
    assert!(begins[1] > begins[0] || begins[2] > begins[1], "and not all come at once: {begins:?}");
    settle(&mut queue, ask, ["86400000", "", "", ""], "0", &[]);
    queue.advance(LONGEST);
    assert_eq!(admit(&mut queue, "c", ask).0, "granted", "a day is somebody's mistake");
}

#[test]
fn what_is_left_of_an_account_is_all_that_may_begin_at_once() {
    let mut queue = Queue::start();
    // Nobody has set anything: the pace is the one at which the provider gives back.
    settle(&mut queue, ASK, ["0", "100", "0", "60000"], "0", &[]);
    let (word, ms) = admit(&mut queue, "c", ASK);
    assert_eq!((word.as_str(), ms), ("told", 600), "60 s for 100 are 600 ms each");
    let patient = Ask { patience: 9 * SECOND, ..ASK };
    let begins: Vec<i64> = (0..4).map(|_| admit(&mut queue, "c", patient).1).collect();
    assert!(begins.windows(2).all(|pair| pair[1] - pair[0] >= 600), "{begins:?}");
    queue.advance(2 * MINUTE);
    let begins: Vec<i64> = (0..4).map(|_| admit(&mut queue, "c", patient).1).collect();
    assert_eq!(begins, [0; 4], "what was told is forgotten");
    // Somebody else uses the account, too: of the ten at once that are set, two are left.
    let set = Ask { requests: 1_200, patience: 9 * SECOND, ..ASK };
    settle(&mut queue, set, ["0", "1200", "2", "59900"], "0", &[]);
    let at_once = (0..10).filter(|_| admit(&mut queue, "c", set).1 == 0).count();
    assert!((1..=3).contains(&at_once), "{at_once}");
}

#[test]
fn a_place_that_nobody_has_used_is_given_back() {
    let mut queue = Queue::start();
    let ask = Ask { requests: 60, patience: MINUTE, ..ASK };
    let last = |queue: &mut Queue| admit(queue, "c", ask).1;
    let before = (0..5).map(|_| last(&mut queue)).max();
    settle(&mut queue, ask, ["0", "", "", ""], "2", &[]);
    assert!(Some(last(&mut queue)) < before, "{before:?}");
}

#[test]
fn neither_a_lost_key_nor_a_clock_set_back_holds_anybody_up() {
    let mut queue = Queue::start();
    let ask = Ask { requests: 60, in_flight: 1, patience: MINUTE, ..ASK };
    for call in 0..20 {
        let call = call.to_string();
        assert_eq!(admit(&mut queue, &call, ask).0, "granted");
        settle(&mut queue, ask, ["0", "", "", ""], "0", &[&call]);
    }
    assert!(admit(&mut queue, "x", ask).1 > 10 * SECOND);
    queue.advance(-2 * 60 * MINUTE);
    settle(&mut queue, ask, ["0", "", "", ""], "0", &["x"]);
    assert_eq!(admit(&mut queue, "y", ask), ("granted".to_owned(), 0), "the clock was set back");
    let keys = Keys::new("test").expect("a name");
    for key in [keys.limit("llm-1"), keys.in_flight("llm-1")] {
        assert_eq!(queue.command::<i64>(&["DEL", &key]), 1, "{key}");
    }
    assert_eq!(admit(&mut queue, "z", ask), ("granted".to_owned(), 0), "an account at rest");
}
