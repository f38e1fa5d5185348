//! What a tenant may spend in a day, by a clock of the test, and who need not wait for the next one.

use queue::Verb;
use stillcast_enqueue::keys::Keys;

use crate::fixture::{Queue, Request, START, Words};

const DAY: i64 = 24 * 3_600_000;
const TODAY: i64 = START / DAY;
const BUDGET: &str = "1000";

fn take(queue: &mut Queue, tenant: &str, price: &str) -> (String, i64) {
    let answer = queue.call(Verb::Spend, &["take", tenant, price, BUDGET]);
    (answer[0].clone(), answer[1].parse().expect("a number"))
}

fn put_right(queue: &mut Queue, day: i64, cost: &str, price: &str) -> i64 {
    let words = ["settle", "acme", cost, &day.to_string(), price];
    queue.call(Verb::Spend, &words)[1].parse().expect("a number")
}

/// A job that waits for its tenant's next day, or for something else as long.
fn park(queue: &mut Queue, id: &str, tenant: &str, reason: &'static str) {
    queue.enqueue(&[Request { tenant: tenant.to_owned(), ..Request::new(id) }]);
    let token = queue.lease("anna", id);
    let delay = (TODAY + 1) * DAY - queue.now;
    assert_eq!(queue.report(id, &token, &Words::park(reason, delay)), ["accepted", "parked"]);
}

/// Lets go on whoever may under these budgets; how many, and where the next call begins.
fn afford(queue: &mut Queue, passed_by: &str, budgets: &[&str]) -> (i64, i64) {
    let answer = queue.call(Verb::Afford, &[&[passed_by], budgets].concat());
    (answer[0].parse().expect("a number"), answer[1].parse().expect("a number"))
}

/// What is claimed by a worker that takes all it gets, by a nonce of its own.
fn claimed(queue: &mut Queue, nonce: &str) -> Vec<String> {
    queue.reap(false);
    let (_, jobs) = queue.claim_many("anna", nonce, 0, 20);
    let mut ids: Vec<String> = jobs.into_iter().map(|job| job[0].clone()).collect();
    ids.sort();
    ids
}

#[test]
fn no_call_is_paid_for_that_is_more_than_is_left_of_its_tenant_s_day() {
    let mut queue = Queue::start();
    assert_eq!(take(&mut queue, "acme", "600"), ("taken".to_owned(), TODAY));
    // Another one beside it, before anybody knows what the first has cost.
    let (word, ms) = take(&mut queue, "acme", "600");
    assert_eq!((word.as_str(), ms), ("spent", (TODAY + 1) * DAY - START));
    assert_eq!(take(&mut queue, "acme", "400").0, "taken", "to the last cent");
    assert_eq!(take(&mut queue, "acme", "1").0, "spent");
    assert_eq!(take(&mut queue, "ben", "1000").0, "taken", "each has its own");
    assert_eq!(put_right(&mut queue, TODAY, "150", "600"), 550, "it was cheaper");
    assert_eq!(take(&mut queue, "acme", "450").0, "taken");
    assert_eq!(take(&mut queue, "acme", "0").0, "taken", "what costs nothing is no expense");
}

#[test]
fn each_day_has_its_own_budget_and_what_ends_late_is_the_old_day_s() {
    let mut queue = Queue::start();
    assert_eq!(take(&mut queue, "acme", "1000"), ("taken".to_owned(), TODAY));
    queue.set_time((TODAY + 1) * DAY - 1);
    assert_eq!(take(&mut queue, "acme", "1"), ("spent".to_owned(), 1), "a moment before midnight");
    queue.advance(1);
    assert_eq!(take(&mut queue, "acme", "900"), ("taken".to_owned(), TODAY + 1));
    assert_eq!(put_right(&mut queue, TODAY, "1200", "1000"), 1200);
    assert_eq!(take(&mut queue, "acme", "100").0, "taken", "of the new day nothing is gone");
    let keys = Keys::new("test").expect("a name");
    let key = keys.budget("acme", u64::try_from(TODAY).expect("a day"));
    let left: i64 = queue.command(&["PTTL", &key]);
    assert!((DAY..=2 * DAY).contains(&left), "it is forgotten by itself: {left}");
}

#[test]
fn what_an_errand_may_spend_in_all_knows_no_midnight_and_is_no_tenant_s_day() {
    let mut queue = Queue::start();
    let take = |queue: &mut Queue, price| {
        queue.call(Verb::Spend, &["take", "acme", price, BUDGET, "0"])[0].clone()
    };
    assert_eq!(take(&mut queue, "600"), "taken");
    queue.advance(DAY);
    assert_eq!(take(&mut queue, "401"), "spent", "a new day gives nothing back");
    assert_eq!(take(&mut queue, "400"), "taken");
    assert_eq!(put_right(&mut queue, 0, "0", "0"), 1000, "and says what is spent");
    let words = ["take", "acme", "1000", BUDGET];
    assert_eq!(queue.call(Verb::Spend, &words)[0], "taken", "the tenant's day is its own");
}

#[test]
fn who_waits_for_the_next_day_goes_on_when_it_begins() {
    let mut queue = Queue::start();
    park(&mut queue, "a", "acme", "budget");
    assert_eq!(queue.field("a", "reason"), "budget");
    queue.set_time((TODAY + 1) * DAY - 1);
    assert_eq!(claimed(&mut queue, "n1"), Vec::<String>::new());
    queue.advance(1);
    assert_eq!(claimed(&mut queue, "n2"), ["a"]);
}

#[test]
fn a_raised_budget_and_a_cheaper_call_let_go_on_whom_they_can_pay_and_nobody_else() {
    let mut queue = Queue::start();
    for (tenant, job) in [("acme", "a"), ("ben", "b"), ("cleo", "c")] {
        assert_eq!(take(&mut queue, tenant, "900").0, "taken");
        assert_eq!(take(&mut queue, tenant, "300").0, "spent");
        assert_eq!(take(&mut queue, tenant, "200").0, "spent", "the lower one counts");
        park(&mut queue, job, tenant, "budget");
    }
    park(&mut queue, "limited", "acme", "rate");
    assert_eq!(afford(&mut queue, "0", &["*", BUDGET]), (0, -1), "as before");
    assert_eq!(afford(&mut queue, "0", &["*", BUDGET, "acme", "1099"]), (0, -1), "not enough");
    assert_eq!(claimed(&mut queue, "n3"), Vec::<String>::new());
    assert_eq!(afford(&mut queue, "0", &["*", BUDGET, "acme", "1100"]), (1, -1));
    assert_eq!(claimed(&mut queue, "n4"), ["a"]);
    put_right_of(&mut queue, "ben");
    assert_eq!(afford(&mut queue, "0", &["*", BUDGET]), (1, -1));
    assert_eq!(claimed(&mut queue, "n5"), ["b"]);
    assert_eq!(afford(&mut queue, "0", &["acme", BUDGET]), (1, -1), "nobody limits it any more");
    assert_eq!(claimed(&mut queue, "n6"), ["c"]);
}

fn put_right_of(queue: &mut Queue, tenant: &str) {
    queue.call(Verb::Spend, &["settle", tenant, "800", &TODAY.to_string(), "900"]);
}

#[test]
fn all_are_looked_at_a_hundred_a_call_and_no_more_go_on_than_can_pay() {
    let mut queue = Queue::start();
    assert_eq!(take(&mut queue, "acme", "1001").0, "spent");
    for n in 0..130 {
        park(&mut queue, &format!("other-{n:03}"), "ben", "rate");
    }
    for n in 0..12 {
        park(&mut queue, &format!("waits-{n:02}"), "acme", "budget");
    }
    let first = afford(&mut queue, "0", &["acme", "10010"]);
    assert_eq!(first, (0, 100), "the first hundred wait for something else");
    assert_eq!(afford(&mut queue, "100", &["acme", "10010"]), (10, -1), "ten times the price");
    let woken = claimed(&mut queue, "n7");
    assert!(woken.len() == 10 && woken.iter().all(|id| id.starts_with("waits-")), "{woken:?}");
}
