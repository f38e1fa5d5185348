//! What may happen to a queue: random numbers go in, an operation that fits the moment comes out.

mod answers;
mod random;

pub(crate) use self::answers::claims;
pub(crate) use self::random::op;

use crate::fixture::{LEASE, Request, Standing, TOLD, Words};
use crate::model::Model;
use queue::Verb;
use stillcast_enqueue::StageName;

const WORKERS: [&str; 3] = ["anna", "ben", "cleo"];
const IDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const FLIGHTS: [&str; 3] = ["k1", "k2", "k3"];
/// Bodies, and what each says in the words of the script; the second and the third say the same, and the
/// last wants its end told.
pub(crate) const BODIES: [(&str, &str); 4] = [
    ("{\"v\":1}", "o1s1:vn1"),
    ("{\"v\":1,\"x\":2}", "o2s1:vn1s1:xn2"),
    ("{\"x\": 2, \"v\": 1, \"y\": {}}", "o2s1:vn1s1:xn2"),
    (TOLD, "o2s1:vn1s7:webhooks28:https://example.org/hook?t=1"),
];

/// Finished calls of each stage that pays.
const CHECKPOINTS: [&str; 4] = ["transcript", "passage-0a", "image", "delivery"];

/// What may become of an attempt to deliver.
const OUTCOMES: [&str; 5] = ["delivered", "failed", "exhausted", "off", "held"];

/// Picks the token that was given last.
const LATEST: usize = usize::MAX;

/// One random step; numbers pick among what there is when its turn comes.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Enqueue(Vec<RandomRequest>),
    Claim {
        worker: usize,
        free: usize,
    },
    ClaimAgain {
        worker: usize,
    },
    PopWake,
    Begin(Pick),
    Renew {
        worker: usize,
        stale: Option<usize>,
        standing: Standing,
    },
    Checkpoint(Pick, usize),
    Progress(Pick, u8),
    Report(Pick, RandomReport),
    /// Reports, and a claim of a worker for so many slots.
    Exchange(Vec<(Pick, RandomReport)>, (usize, usize)),
    Reap {
        everything: bool,
    },
    Cancel(usize),
    Replay(usize),
    /// From one of the stages on.
    ReplayFrom(usize, usize),
    Purge(usize),
    Join(Pick, usize),
    Land(Pick, usize, usize),
    Pause(bool),
    Drain {
        worker: usize,
        gone: bool,
    },
    Notify(usize),
    Notified(Pick, usize, i64),
    Resend(usize),
    /// The last command once more: its reply was lost, or the network sent it twice.
    Again,
    Time(i64),
    /// A claim, and the attempt begins.
    Start {
        worker: usize,
    },
    /// A lease long nobody renews, and the reaper is awake.
    Outlive,
    /// One job joins a flight, another one after it, and the second parks for it.
    Follow {
        first: Pick,
        second: Pick,
        key: usize,
    },
    /// A worker signs off in the middle of its work, and its leases run out.
    Vanish {
        worker: usize,
    },
}

/// A token: of a job that is leased now, or any that was ever given.
#[derive(Clone, Debug)]
pub(crate) struct Pick {
    current: bool,
    at: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct RandomRequest {
    id: usize,
    body: usize,
    tenant: bool,
    key: usize,
    priority: i64,
    run_in: i64,
    deadline_in: i64,
    max_attempts: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct RandomReport {
    outcome: &'static str,
    delay: i64,
    reason: &'static str,
    flights: Vec<bool>,
}

/// What is sent, to Redis and to the model alike.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Enqueue(Vec<Request>),
    Claim {
        worker: String,
        nonce: String,
        held: usize,
        free: usize,
    },
    PopWake,
    Begin {
        id: String,
        token: String,
    },
    Renew {
        worker: String,
        standing: Standing,
        held: Vec<(String, String)>,
    },
    Checkpoint {
        id: String,
        token: String,
        name: String,
        digest: String,
    },
    Progress {
        id: String,
        token: String,
        percent: String,
    },
    Report {
        id: String,
        token: String,
        words: Words,
    },
    /// Reports, each as identifier, token and words; then a claim.
    Exchange {
        reports: Vec<(String, String, Words)>,
        claim: Box<Self>,
    },
    Reap {
        everything: bool,
    },
    OfJob {
        verb: Verb,
        id: String,
    },
    ReplayFrom {
        id: String,
        from: StageName,
    },
    Join {
        id: String,
        token: String,
        key: String,
    },
    Land {
        id: String,
        token: String,
        key: String,
        how: &'static str,
    },
    Pause(bool),
    Drain {
        worker: String,
        step: &'static str,
    },
    Notify {
        nonce: String,
        most: usize,
    },
    Notified {
        id: String,
        token: String,
        outcome: &'static str,
        delay: i64,
    },
}

/// What the test remembers beside queue and model: every token ever given.
#[derive(Default)]
pub(crate) struct History {
    pub(crate) tokens: Vec<(String, String)>,
    nonces: usize,
    /// Nonce and slots of each worker's claims, the latest last.
    claims: [Vec<(String, usize)>; 3],
    last: Option<Command>,
}

fn of_job(verb: Verb, at: usize) -> Command {
    Command::OfJob { verb, id: IDS[at].to_owned() }
}

fn drain(worker: String, gone: bool) -> Command {
    Command::Drain { worker, step: if gone { "gone" } else { "leaving" } }
}

fn exchange(
    reports: &[(Pick, RandomReport)],
    (worker, free): (usize, usize),
    model: &Model,
    history: &mut History,
) -> Command {
    let each = reports.iter().filter_map(|(pick, report)| {
        let (id, token) = pick.token(model, history)?;
        let words = report.words(model, &id);
        Some((id, token, words))
    });
    let reports = each.collect();
    Command::Exchange { reports, claim: Box::new(history.claim(worker, model, Some(free))) }
}

fn replay_from(at: usize, from: usize) -> Command {
    Command::ReplayFrom { id: IDS[at].to_owned(), from: StageName::ALL[from] }
}

impl Op {
    /// The single steps of a longer story.
    pub(crate) fn steps(&self) -> Vec<Self> {
        let reap = || Self::Reap { everything: false };
        match self {
            Self::Start { worker } => {
                vec![
                    Self::Claim { worker: *worker, free: 1 },
                    Self::Begin(Pick { current: false, at: LATEST }),
                ]
            }
            Self::Outlive => {
                let sixths = (0..6).flat_map(|_| [Self::Time(LEASE / 6), reap()]);
                sixths.chain([Self::Time(1), reap()]).collect()
            }
            Self::Follow { first, second, key } => {
                let parks = RandomReport {
                    outcome: "park",
                    delay: 30_001,
                    reason: "flight",
                    flights: vec![false; FLIGHTS.len()],
                };
                vec![
                    Self::Join(first.clone(), *key),
                    Self::Join(second.clone(), *key),
                    Self::Report(second.clone(), parks),
                ]
            }
            Self::Vanish { worker } => {
                let mut steps = vec![Self::Drain { worker: *worker, gone: true }];
                steps.extend(Self::Outlive.steps());
                steps
            }
            single => vec![single.clone()],
        }
    }

    /// The command that this step is now; none when there is nothing that it could be about.
    pub(crate) fn resolve(&self, model: &Model, history: &mut History) -> Option<Command> {
        let worker = |at: &usize| WORKERS[*at].to_owned();
        let command = match self {
            Self::Enqueue(all) => {
                Command::Enqueue(all.iter().map(|one| one.at(model.now)).collect())
            }
            Self::Claim { worker, free } => history.claim(*worker, model, Some(*free)),
            Self::ClaimAgain { worker } => history.claim(*worker, model, None),
            Self::PopWake => Command::PopWake,
            Self::Begin(pick) => {
                let (id, token) = pick.token(model, history)?;
                Command::Begin { id, token }
            }
            Self::Renew { worker, stale, standing } => {
                renewal(WORKERS[*worker], *stale, standing, model, history)
            }
            Self::Checkpoint(pick, name) => {
                let (id, token) = pick.token(model, history)?;
                let digest = format!("digest of {token}");
                Command::Checkpoint { id, token, name: CHECKPOINTS[*name].to_owned(), digest }
            }
            Self::Progress(pick, percent) => {
                let (id, token) = pick.token(model, history)?;
                Command::Progress { id, token, percent: percent.to_string() }
            }
            Self::Report(pick, report) => {
                let (id, token) = pick.token(model, history)?;
                let words = report.words(model, &id);
                Command::Report { id, token, words }
            }
            Self::Exchange(reports, claim) => exchange(reports, *claim, model, history),
            Self::Reap { everything } => Command::Reap { everything: *everything },
            Self::Cancel(at) => of_job(Verb::Cancel, *at),
            Self::Replay(at) => of_job(Verb::Replay, *at),
            Self::ReplayFrom(at, from) => replay_from(*at, *from),
            Self::Purge(at) => of_job(Verb::Purge, *at),
            Self::Join(pick, key) => {
                let (id, token) = pick.token(model, history)?;
                Command::Join { id, token, key: FLIGHTS[*key].to_owned() }
            }
            Self::Land(pick, key, how) => {
                let (id, token) = pick.token(model, history)?;
                let how = ["stored", "unshared", "permanent {}"][*how];
                Command::Land { id, token, key: FLIGHTS[*key].to_owned(), how }
            }
            Self::Pause(pause) => Command::Pause(*pause),
            Self::Drain { worker: at, gone } => drain(worker(at), *gone),
            Self::Notify(most) => history.notify(*most),
            Self::Notified(pick, outcome, delay) => {
                pick.notified(model, OUTCOMES[*outcome], *delay)?
            }
            Self::Resend(at) => of_job(Verb::Resend, *at),
            Self::Again => return history.last.clone(),
            Self::Time(_) => return None,
            _ => unreachable!("a story is told step by step"),
        };
        history.last = Some(command.clone());
        Some(command)
    }
}

impl RandomRequest {
    fn at(&self, now: i64) -> Request {
        let begin = now + self.run_in;
        Request {
            body: BODIES[self.body].0.to_owned(),
            tenant: if self.tenant { "u" } else { "t" }.to_owned(),
            priority: self.priority,
            run_at: if self.run_in > 0 { begin } else { 0 },
            deadline: if self.deadline_in > 0 { now + self.deadline_in } else { 0 },
            max_attempts: self.max_attempts,
            key: ["", "", "x", "y"][self.key].to_owned(),
            ..Request::new(IDS[self.id])
        }
    }
}

impl RandomReport {
    /// A park for flights names those that the job has joined as a waiter, and now and then others.
    fn words(&self, model: &Model, id: &str) -> Words {
        let known = model.jobs.get(id);
        let named = |(key, odd): (&&str, &bool)| {
            let awaits = known.is_some_and(|job| job.awaits.contains(*key));
            (awaits || (*odd && self.delay % 5 == 0)).then(|| (*key).to_owned())
        };
        let parks = self.reason == "flight";
        let flights = FLIGHTS.iter().zip(&self.flights).filter_map(named);
        Words {
            outcome: self.outcome,
            delay: self.delay,
            reason: self.reason,
            error: if matches!(self.outcome, "retry" | "dead" | "crash") {
                "{\"code\":\"x\"}"
            } else {
                ""
            },
            artifact: if self.outcome == "done" { "{\"key\":\"y\"}" } else { "" },
            flights: if parks { flights.collect() } else { Vec::new() },
        }
    }
}

impl Pick {
    fn token(&self, model: &Model, history: &History) -> Option<(String, String)> {
        let current: Vec<(String, String)> = model
            .jobs
            .iter()
            .filter_map(|(id, job)| Some((id.clone(), job.token()?.to_owned())))
            .collect();
        let all = if self.current && !current.is_empty() { &current } else { &history.tokens };
        let at = if self.at == LATEST { all.len().checked_sub(1)? } else { self.at };
        (!all.is_empty()).then(|| all[at % all.len()].clone())
    }
}

impl Pick {
    /// Of a delivery under way, or of one under a token that nobody was given.
    fn notified(&self, model: &Model, outcome: &'static str, delay: i64) -> Option<Command> {
        let held = model.webhooks.iter().map(|(id, owed)| (id.clone(), owed.token.clone()));
        let all: Vec<(String, Option<String>)> =
            held.filter(|(_, token)| token.is_some() || !self.current).collect();
        let (id, token) = all.get(self.at % all.len().max(1))?.clone();
        let token = token.filter(|_| self.current).unwrap_or_else(|| "9:stale".to_owned());
        Some(Command::Notified { id, token, outcome, delay })
    }
}

impl History {
    /// Claims and deliveries until now: another number each time.
    pub(crate) fn commands(&self) -> usize {
        self.nonces
    }

    fn notify(&mut self, most: usize) -> Command {
        self.nonces += 1;
        Command::Notify { nonce: format!("nonce{}", self.nonces), most: most + 1 }
    }

    /// Another claim for so many slots, or one of the latest again.
    fn claim(&mut self, worker: usize, model: &Model, anew: Option<usize>) -> Command {
        let claims = &mut self.claims[worker];
        if anew.is_some() || claims.is_empty() {
            self.nonces += 1;
            claims.push((format!("nonce{}", self.nonces), anew.unwrap_or(1)));
        }
        let back = if anew.is_some() { 0 } else { self.nonces % claims.len().min(5) };
        let (nonce, free) = claims[claims.len() - 1 - back].clone();
        let name = WORKERS[worker].to_owned();
        let held = held(&name, model).len();
        Command::Claim { worker: name, nonce, held, free }
    }
}

fn held(worker: &str, model: &Model) -> Vec<(String, String)> {
    let mine = |(id, job): (&String, &crate::model::Job)| {
        let lease = job.lease.as_ref().filter(|lease| lease.worker == worker)?;
        Some((id.clone(), lease.token.clone()))
    };
    model.jobs.iter().filter_map(mine).collect()
}

fn renewal(
    worker: &str,
    stale: Option<usize>,
    standing: &Standing,
    model: &Model,
    history: &History,
) -> Command {
    let mut held = held(worker, model);
    if let Some(at) = stale.filter(|_| !history.tokens.is_empty()) {
        held.push(history.tokens[at % history.tokens.len()].clone());
    }
    Command::Renew { worker: worker.to_owned(), standing: standing.clone(), held }
}
