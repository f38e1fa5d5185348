//! One queue whose time stands still until a test moves it: verbs go in as words, Redis' answers
//! come out as words.

mod reports;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use queue::{Clock, Limits, Scripts, Verb};
use redis::{Connection, Script, Value};
use stillcast_enqueue::keys::Keys;

pub(crate) use self::reports::Words;

use crate::dump::{self, Dump};
use crate::model::webhooks::{SENDER_LEASE, TRIES};
use crate::server::Server;

/// The lease of all tests, in ms.
pub(crate) const LEASE: i64 = 3_000;
/// Where the tests' time begins, in ms since the epoch.
pub(crate) const START: i64 = 1_700_000_000_000;
/// Time to the deadline when a request names none.
pub(crate) const DEFAULT_DEADLINE: i64 = 24 * 3_600_000;

/// Who changes a queue, by which interface, and why.
pub(crate) const SOMEBODY: [&str; 3] = ["anna", "cli", ""];

/// Where the tests' jobs have their end told.
pub(crate) const RECEIVER: &str = "https://example.org/hook?t=1";
/// A body that asks for it.
pub(crate) const TOLD: &str = "{\"v\":1,\"webhook\":\"https://example.org/hook?t=1\"}";

const ENQUEUE: &str = include_str!("../../../enqueue/lua/enqueue.lua");
const ENQUEUE_KEYS: [&str; 6] = ["ready", "delayed", "deadlines", "counts", "wake", "events"];
/// Those of the last version, whose jobs have two values less.
const OLD_ENQUEUE_KEYS: [&str; 7] =
    ["ready", "delayed", "deadlines", "counts", "wake", "pressure", "events"];

/// What a producer asks for; times in ms, 0 = default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) tenant: String,
    pub(crate) priority: i64,
    pub(crate) run_at: i64,
    pub(crate) deadline: i64,
    pub(crate) max_attempts: i64,
    pub(crate) key: String,
}

impl Request {
    pub(crate) fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            body: "{}".to_owned(),
            tenant: "t".to_owned(),
            priority: 5,
            run_at: 0,
            deadline: 0,
            max_attempts: 5,
            key: String::new(),
        }
    }
}

/// Tries 256 inputs, or as many as `PROPTEST_CASES` says; a failing one is shown as small as it gets.
#[expect(clippy::panic, reason = "it is how the tests that call it fail")]
pub(crate) fn for_any<Input: Strategy>(inputs: &Input, holds: impl Fn(Input::Value)) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let held = TestRunner::new(config).run(inputs, |input| {
        holds(input);
        Ok(())
    });
    if let Err(failure) = held {
        panic!("{failure}");
    }
}

/// What a worker says of itself; `probe` in ms from now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) slots: i64,
    pub(crate) busy: i64,
    pub(crate) refused: &'static str,
    pub(crate) probe: i64,
}

/// What a reap says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reap {
    pub(crate) leases: i64,
    pub(crate) crashes: i64,
    pub(crate) expired: i64,
    pub(crate) purged: i64,
    pub(crate) gap: i64,
    pub(crate) more: i64,
    pub(crate) next_due: i64,
}

impl Reap {
    fn read(numbers: &BTreeMap<String, i64>) -> Self {
        assert_eq!(numbers.len(), 8, "{numbers:?}");
        Self {
            leases: numbers["leases"],
            crashes: numbers["crashes"],
            expired: numbers["expired"],
            purged: numbers["purged"],
            gap: numbers["gap"],
            more: numbers["more"],
            next_due: numbers["next_due"],
        }
    }

    /// Leases ended, and the crashes among them.
    pub(crate) fn ended(&self) -> [i64; 2] {
        [self.leases, self.crashes]
    }

    /// Whatever it did, without the time of what is due next.
    pub(crate) fn done(self) -> Self {
        Self { next_due: 0, ..self }
    }
}

/// One queue on one server.
pub(crate) struct Queue {
    pub(crate) scripts: Scripts,
    pub(crate) connection: Connection,
    pub(crate) limits: Limits,
    pub(crate) now: i64,
    pub(crate) server: Server,
    enqueue: Enqueue,
}

/// A client's script, of this version or of the last.
struct Enqueue {
    script: Script,
    is_old: bool,
}

impl Enqueue {
    fn new(source: &str) -> Self {
        Self { script: Script::new(source), is_old: source.contains("pressure, events") }
    }

    /// The values of a request: eleven once, five today.
    fn values(&self, request: &Request) -> Vec<String> {
        let Request { id, body, tenant, key, priority, run_at, deadline, max_attempts } = request;
        if self.is_old {
            let numbers = [*priority, *run_at, *deadline, *max_attempts].map(|n| n.to_string());
            let texts = [id.as_str(), body, "audio", tenant].map(ToOwned::to_owned);
            let rest = [key.clone(), String::new(), String::new()];
            return [&texts[..], &numbers, &rest].concat();
        }
        let terms = format!("audio\n{tenant}\n{priority}\n{run_at}\n{deadline}\n{max_attempts}");
        let extras = if key.is_empty() { String::new() } else { format!("{key}\n\n\n") };
        vec![id.clone(), body.clone(), String::new(), terms, extras]
    }

    fn keys(&self) -> &'static [&'static str] {
        if self.is_old { &OLD_ENQUEUE_KEYS } else { &ENQUEUE_KEYS }
    }
}

impl Queue {
    pub(crate) fn start() -> Self {
        Self::with_enqueue(ENQUEUE)
    }

    /// With another `enqueue.lua` than today's.
    pub(crate) fn with_enqueue(source: &str) -> Self {
        let mut queue = Self::of(&by_the_tests_clock(source), Clock::Key);
        queue.set_time(START);
        queue
    }

    /// With Redis' own clock, which no test can move.
    pub(crate) fn in_real_time() -> Self {
        Self::of(ENQUEUE, Clock::Server)
    }

    fn of(enqueue: &str, clock: Clock) -> Self {
        let server = Server::start();
        let keys = Keys::new("test").expect("an identifier");
        Self {
            connection: server.connect(),
            enqueue: Enqueue::new(enqueue),
            scripts: Scripts::new(keys, clock),
            limits: Limits::default(),
            now: START,
            server,
        }
    }

    /// Another client's script from now on.
    pub(crate) fn replace_enqueue(&mut self, source: &str) {
        self.enqueue = Enqueue::new(&by_the_tests_clock(source));
    }

    /// Redis' own clock, in ms.
    pub(crate) fn server_time(&mut self) -> i64 {
        let (seconds, micros): (i64, i64) = self.command(&["TIME"]);
        seconds * 1_000 + micros / 1_000
    }

    /// Empties the server and turns the clock back to the start.
    pub(crate) fn begin_anew(&mut self) {
        let _: () = self.command(&["FLUSHALL"]);
        self.set_time(START);
    }

    pub(crate) fn key(&self, name: &str) -> String {
        self.scripts.keys().named(name)
    }

    pub(crate) fn set_time(&mut self, now: i64) {
        self.now = now;
        let (key, now) = (self.key("clock"), now.to_string());
        let _: () = self.command(&["SET", &key, &now]);
    }

    pub(crate) fn advance(&mut self, ms: i64) {
        self.set_time(self.now + ms);
    }

    /// Any command of Redis.
    pub(crate) fn command<T: redis::FromRedisValue>(&mut self, words: &[&str]) -> T {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]).query(&mut self.connection).expect("Redis obeys")
    }

    /// Any verb; those of people are called by [`SOMEBODY`].
    pub(crate) fn call(&mut self, verb: Verb, words: &[&str]) -> Vec<String> {
        let mut call = self.scripts.call(verb);
        call.arg(words);
        if verb.is_of_people() {
            call.arg(&SOMEBODY);
        }
        flatten(call.invoke(&mut self.connection).expect("Redis runs every verb"))
    }

    /// Replays a job from a stage on; of the requests the first is the one that is known, the second
    /// takes its place.
    pub(crate) fn replay_from(&mut self, id: &str, from: &str, requests: [&str; 2]) -> Vec<String> {
        let changes = format!("from {from}");
        let words = [&[id][..], &SOMEBODY, &[from], &requests, &[&changes]].concat();
        let mut call = self.scripts.call(Verb::Replay);
        flatten(call.arg(words).invoke(&mut self.connection).expect("Redis runs every verb"))
    }

    /// Any verb with whatever values; the answer, or what Redis says.
    pub(crate) fn try_call(
        &mut self,
        verb: Verb,
        words: &[Vec<u8>],
    ) -> redis::RedisResult<Vec<String>> {
        self.scripts.call(verb).arg(words).invoke(&mut self.connection).map(flatten)
    }

    pub(crate) fn enqueue(&mut self, requests: &[Request]) -> Vec<String> {
        self.try_enqueue(requests).expect("an enqueue")
    }

    pub(crate) fn try_enqueue(&mut self, requests: &[Request]) -> redis::RedisResult<Vec<String>> {
        let keys = self.enqueue_keys();
        let mut call = self.enqueue.script.prepare_invoke();
        call.key(keys).arg(self.scripts.keys().prefix()).arg(DEFAULT_DEADLINE);
        for request in requests {
            call.arg(self.enqueue.values(request));
        }
        call.invoke(&mut self.connection).map(flatten)
    }

    /// Whatever values after the prefix and the default deadline; the answer, or what Redis says.
    pub(crate) fn enqueue_bytes(&mut self, words: &[Vec<u8>]) -> redis::RedisResult<Vec<String>> {
        let keys = self.enqueue_keys();
        let mut call = self.enqueue.script.prepare_invoke();
        call.key(keys).arg(self.scripts.keys().prefix()).arg(DEFAULT_DEADLINE);
        call.arg(words).invoke(&mut self.connection).map(flatten)
    }

    fn enqueue_keys(&self) -> Vec<String> {
        self.enqueue.keys().iter().map(|word| self.scripts.keys().named(word)).collect()
    }

    /// A claim for one slot: `job`, its identifier, token, request, time to the deadline, the time of what
    /// is due next, and the pairs of its hash; or the word for nothing and that time.
    pub(crate) fn claim(&mut self, worker: &str, nonce: &str, held: usize) -> Vec<String> {
        let (head, mut jobs) = self.claim_many(worker, nonce, held, 1);
        let Some(mut job) = jobs.pop() else { return head };
        job.insert(0, "job".to_owned());
        job.insert(5, head[1].clone());
        job
    }

    /// A claim for so many slots: its word and the time of what is due next, then of each job what stands
    /// above.
    pub(crate) fn claim_many(
        &mut self,
        worker: &str,
        nonce: &str,
        held: usize,
        free: usize,
    ) -> (Vec<String>, Vec<Vec<String>>) {
        let mut call = self.scripts.call(Verb::Claim);
        call.arg(worker).arg(nonce).arg(LEASE).arg(held).arg(free);
        claim_of(call.invoke(&mut self.connection).expect("a claim"))
    }

    pub(crate) fn renew(&mut self, worker: &str, held: &[(String, String)]) -> Vec<String> {
        let busy = i64::try_from(held.len()).expect("few");
        self.renew_as(worker, &Standing { slots: 4, busy, refused: "", probe: 0 }, held)
    }

    /// The same, by a worker that stands so.
    pub(crate) fn renew_as(
        &mut self,
        worker: &str,
        standing: &Standing,
        held: &[(String, String)],
    ) -> Vec<String> {
        let Standing { slots, busy, refused, probe } = standing;
        let [lease, slots, busy, probe] = [LEASE, *slots, *busy, *probe].map(|n| n.to_string());
        let mut words = vec![worker, &lease, &slots, &busy, refused, &probe];
        words.extend(held.iter().flat_map(|(id, token)| [id.as_str(), token.as_str()]));
        self.call(Verb::Renew, &words)
    }

    pub(crate) fn reap(&mut self, everything: bool) -> Reap {
        Reap::read(&self.reap_if(everything, ["", ""]))
    }

    /// A reap by a worker that was last answered so long ago.
    pub(crate) fn reap_after(&mut self, silent: i64) -> Reap {
        let answered = (self.now - silent).to_string();
        Reap::read(&self.reap_if(false, [&answered, ""]))
    }

    /// A reap that is not needed when somebody has reaped within so many ms; whatever it answers.
    pub(crate) fn reap_unless(&mut self, fresh: i64) -> BTreeMap<String, i64> {
        self.reap_if(false, ["", &fresh.to_string()])
    }

    fn reap_if(
        &mut self,
        everything: bool,
        answered_and_fresh: [&str; 2],
    ) -> BTreeMap<String, i64> {
        let limits = &self.limits;
        let mut words = vec![LEASE.to_string()];
        words.push(if everything { "all".to_owned() } else { String::new() });
        words.extend([limits.worker_deaths.to_string(), "crashed".to_owned()]);
        words.extend([limits.interruptions.to_string(), "no-progress".to_owned()]);
        words.extend([limits.records_live.as_millis().to_string(), limits.max_records.to_string()]);
        words.extend([limits.dead_live.as_millis().to_string(), limits.max_dead.to_string()]);
        let words = words.iter().map(String::as_str).chain(answered_and_fresh);
        let words: Vec<&str> = words.collect();
        self.numbers(Verb::Reap, &words)
    }

    /// A verb that answers with pairs of a name and a number.
    fn numbers(&mut self, verb: Verb, words: &[&str]) -> BTreeMap<String, i64> {
        let answer = self.call(verb, words);
        let pairs = answer.chunks(2);
        pairs.map(|pair| (pair[0].clone(), pair[1].parse().expect("a number"))).collect()
    }

    /// What is due goes to a sender: the ms until the next, then 13 words a delivery.
    pub(crate) fn notify(&mut self, nonce: &str, most: usize) -> Vec<String> {
        let (lease, tries) = (SENDER_LEASE.to_string(), TRIES.to_string());
        self.call(Verb::Notify, &[nonce, &most.to_string(), &lease, &tries, "0"])
    }

    /// What became of an attempt; one that was not made leaves none behind.
    pub(crate) fn notified(
        &mut self,
        id: &str,
        token: &str,
        outcome: &str,
        delay: i64,
    ) -> Vec<String> {
        let [attempt, answer] = if outcome == "held" { ["", ""] } else { ["{}", "no"] };
        let why = if outcome == "held" { "no-secret" } else { "due" };
        let delay = delay.to_string();
        self.call(Verb::Notified, &[id, token, outcome, &delay, why, attempt, answer])
    }

    /// The numbers of the queue, by name.
    pub(crate) fn stats(&mut self) -> BTreeMap<String, i64> {
        self.numbers(Verb::Stats, &[])
    }

    /// One request, all defaults.
    pub(crate) fn put(&mut self, id: &str) {
        let answer = self.enqueue(&[Request::new(id)]);
        assert_eq!(answer[0], "created");
    }

    /// Claims for a worker that holds nothing; answers the token of the job, which must be `id`.
    pub(crate) fn lease(&mut self, worker: &str, id: &str) -> String {
        let nonce = format!("nonce-{id}-{}", self.field(id, "fence"));
        let answer = self.claim(worker, &nonce, 0);
        assert_eq!(answer[..2], ["job", id]);
        answer[2].clone()
    }

    /// Lets a lease run out under its worker, the reaper being awake all the time.
    pub(crate) fn outlive_lease(&mut self) -> Reap {
        for _ in 0..6 {
            self.advance(LEASE / 6);
            self.reap(false);
        }
        self.advance(1);
        self.reap(false)
    }

    /// A job whose worker died under it so many times.
    pub(crate) fn crash(&mut self, worker: &str, id: &str, times: usize) {
        self.reap(false);
        for _ in 0..times {
            let token = self.lease(worker, id);
            self.call(Verb::Begin, &[id, &token]);
            assert_eq!(self.outlive_lease().ended(), [1, 1], "one lease ended by one crash");
        }
    }

    /// Takes the wake marker, as an idle worker does.
    pub(crate) fn pop_wake(&mut self) -> bool {
        let key = self.key("wake");
        let popped: Vec<String> = self.command(&["ZPOPMIN", &key]);
        !popped.is_empty()
    }

    pub(crate) fn dump(&mut self) -> Dump {
        dump::read(&mut self.connection, self.scripts.keys().prefix())
    }

    pub(crate) fn hash(&mut self, id: &str) -> BTreeMap<String, String> {
        let key = self.scripts.keys().job(id);
        self.command(&["HGETALL", &key])
    }

    /// A field of the job's hash; empty when there is none.
    pub(crate) fn field(&mut self, id: &str, field: &str) -> String {
        self.hash(id).remove(field).unwrap_or_default()
    }

    pub(crate) fn state(&mut self, id: &str) -> String {
        self.field(id, "state")
    }
}

/// The word of a claim and the time of what is due next; then each job.
fn claim_of(mut answer: Vec<Value>) -> (Vec<String>, Vec<Vec<String>>) {
    let jobs = answer.split_off(2).into_iter().map(flatten).collect();
    (answer.into_iter().flat_map(flatten).collect(), jobs)
}

/// A script that reads Redis' own clock; here it reads the one that all verbs of a test share.
pub(crate) fn by_the_tests_clock(source: &str) -> String {
    let server = "local clock = redis.call('TIME')";
    assert_eq!(source.matches(server).count(), 1, "a script reads the time in another way");
    let key = "local clock_ms = tonumber(redis.call('GET', ARGV[1] .. 'clock'))\n\
               local clock = { math.floor(clock_ms / 1000), clock_ms % 1000 * 1000 }";
    source.replace(server, key)
}

/// Every word of an answer, nested ones in order.
pub(crate) fn flatten(answer: Value) -> Vec<String> {
    match answer {
        Value::Array(values) => values.into_iter().flat_map(flatten).collect(),
        Value::Int(number) => vec![number.to_string()],
        Value::BulkString(bytes) => vec![String::from_utf8_lossy(&bytes).into_owned()],
        Value::SimpleString(word) => vec![word],
        Value::Nil => Vec::new(),
        other => unreachable!("an answer of another kind: {other:?}"),
    }
}
