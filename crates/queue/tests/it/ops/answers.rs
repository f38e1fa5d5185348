//! A command goes in; what Redis answers and what the model answers come out, to be compared.

use queue::Verb;

use super::Command;
use crate::fixture::{Queue, Reap};
use crate::model::{Answer, BETWEEN, Model};

impl Command {
    /// What Redis answers.
    pub(crate) fn ask(&self, queue: &mut Queue) -> Answer {
        match self {
            Self::Enqueue(requests) => queue.enqueue(requests),
            Self::Claim { worker, nonce, held, free } => {
                claimed(queue.claim_many(worker, nonce, *held, *free))
            }
            Self::PopWake => {
                let key = queue.key("wake");
                let popped: Vec<String> = queue.command(&["ZPOPMIN", &key]);
                vec![if popped.is_empty() { "0" } else { "1" }.to_owned()]
            }
            Self::Begin { id, token } => queue.call(Verb::Begin, &[id, token]),
            Self::Renew { worker, standing, held } => queue.renew_as(worker, standing, held),
            Self::Checkpoint { id, token, name, digest } => {
                queue.call(Verb::Checkpoint, &[id, token, "", "", name, digest])
            }
            Self::Progress { id, token, percent } => {
                queue.call(Verb::Progress, &[id, token, "tts", percent, ""])
            }
            Self::Report { id, token, words } => queue.report(id, token, words),
            Self::Exchange { reports, claim } => {
                let Self::Claim { worker, nonce, held, free } = &**claim else { return vec![] };
                let (mut answer, claim) = queue.exchange(reports, (worker, nonce), (*held, *free));
                answer.extend(claimed(claim));
                answer
            }
            Self::Reap { everything } => reaped(queue.reap(*everything)),
            Self::OfJob { verb, id } => queue.call(*verb, &[id]),
            Self::ReplayFrom { id, from } => queue.replay_from(id, from.as_str(), ["", ""]),
            Self::Join { id, token, key } => queue.call(Verb::Join, &[id, token, key]),
            Self::Land { id, token, key, how } => queue.call(Verb::Land, &[id, token, key, how]),
            Self::Pause(pause) => {
                queue.call(Verb::Pause, &[if *pause { "pause" } else { "resume" }])
            }
            Self::Drain { worker, step } => queue.call(Verb::Drain, &[worker, step]),
            Self::Notify { nonce, most } => without_events(queue.notify(nonce, *most)),
            Self::Notified { id, token, outcome, delay } => {
                queue.notified(id, token, outcome, *delay)
            }
        }
    }

    /// What the model answers.
    pub(crate) fn expect(&self, model: &mut Model) -> Answer {
        match self {
            Self::Enqueue(requests) => model.enqueue(requests),
            Self::Claim { worker, nonce, held, free } => model.claim(worker, nonce, *held, *free),
            Self::PopWake => vec![i32::from(std::mem::take(&mut model.wake)).to_string()],
            Self::Begin { id, token } => model.begin(id, token),
            Self::Renew { worker, standing, held } => model.renew(worker, standing, held),
            Self::Checkpoint { id, token, name, digest } => {
                model.checkpoint(id, token, name, digest)
            }
            Self::Progress { id, token, percent } => model.progress(id, token, "tts", percent),
            Self::Report { id, token, words } => model.report(id, token, words),
            Self::Exchange { reports, claim } => {
                let Self::Claim { worker, nonce, held, free } = &**claim else { return vec![] };
                model.exchange(reports, (worker, nonce), (*held, *free))
            }
            Self::Reap { everything } => reaped(model.reap(*everything)),
            Self::OfJob { verb: Verb::Cancel, id } => model.cancel(id),
            Self::OfJob { verb: Verb::Replay, id } => model.replay(id, None),
            Self::ReplayFrom { id, from } => model.replay(id, Some(*from)),
            Self::OfJob { verb: Verb::Resend, id } => model.resend(id),
            Self::OfJob { id, .. } => model.purge(id),
            Self::Join { id, token, key } => model.join(id, token, key),
            Self::Land { id, token, key, how } => model.land(id, token, key, how),
            Self::Pause(pause) => model.pause(*pause),
            Self::Drain { worker, step } => model.drain(worker, step),
            Self::Notify { nonce, most } => model.notify(nonce, *most),
            Self::Notified { id, token, outcome, delay } => {
                model.notified(id, token, outcome, *delay)
            }
        }
    }
}

/// Each job is one text. Its hash comes in no particular order.
fn claimed((mut answer, jobs): (Answer, Vec<Answer>)) -> Answer {
    answer.extend(jobs.into_iter().map(|mut job| {
        let fields = crate::dump::fields(&job.split_off(4));
        job.extend(fields.into_iter().flat_map(|(field, value)| [field, value]));
        job.join(BETWEEN)
    }));
    answer
}

/// The identifier and token of each job that a claim has answered.
pub(crate) fn claims(answer: &Answer) -> Vec<(String, String)> {
    let pair = |job: &String| {
        let mut words = job.split(BETWEEN).map(str::to_owned);
        Some((words.next()?, words.next()?))
    };
    // What an exchange answers to its reports stands in front of it.
    let jobs = answer.iter().skip_while(|word| *word != "jobs");
    jobs.skip(2).filter_map(pair).collect()
}

/// A `webhook-id` is a digest, of which the model knows nothing.
fn without_events(answer: Answer) -> Answer {
    let is_event = |at: usize| at > 0 && (at - 1) % 13 == 3;
    let words = answer.into_iter().enumerate();
    words.filter(|(at, _)| !is_event(*at)).map(|(_, word)| word).collect()
}

fn reaped(reap: Reap) -> Answer {
    vec![format!("{reap:?}")]
}
