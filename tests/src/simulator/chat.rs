//! Messages go in, a meditation comes out as events, at a model's pace.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Shared;
use super::admin::answer;
use super::bill::{Bill, Call};
use super::faults::{Endpoint, Fault};
use super::words::{meditation, spoken};

/// Words of a whole transcript, of one that is too short, and of one that is too long.
const WHOLE: usize = 435;
const SHORT: usize = 120;
const LONG: usize = 700;
/// Characters of a token.
const TOKEN: usize = 4;
/// Long enough for what was written before to leave the machine.
const FLUSHED: Duration = Duration::from_millis(40);

/// What the stream does next.
enum Step {
    Say(String),
    Garble,
    /// Until nobody holds the endpoint any more.
    Hold,
    End {
        finish: &'static str,
    },
    Refuse,
    Break,
    Hang,
}

/// A stream under way.
struct Talking {
    steps: VecDeque<Step>,
    bill: Bill,
    call: Value,
    asked: usize,
    said: usize,
}

pub(super) async fn complete(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut call = match shared.open(Endpoint::Chat, &headers, &body) {
        Ok(call) => call,
        Err(refused) => return *refused,
    };
    sleep(shared.options.latency.first_token(&mut call.rng)).await;
    let asked = contents(&call.asked, None).chars().count();
    let steps = steps(&mut call);
    let talking = Talking { steps, bill: call.bill, call: call.asked, asked, said: 0 };
    let events = stream::unfold(talking, async |mut talking| {
        let event = talking.next().await?;
        Some((event, talking))
    });
    answer(200, "text/event-stream", Body::from_stream(events))
}

/// What messages say, of one role or of all.
fn contents(asked: &Value, role: Option<&str>) -> String {
    let messages = asked["messages"].as_array().cloned().unwrap_or_default();
    let of_role = |message: &&Value| role.is_none_or(|role| message["role"] == role);
    messages.iter().filter(of_role).filter_map(|message| message["content"].as_str()).collect()
}

fn steps(call: &mut Call) -> VecDeque<Step> {
    let already = spoken(&contents(&call.asked, Some("assistant")));
    let words = match call.fault {
        Some(Fault::Short) => SHORT,
        Some(Fault::Long) => LONG,
        _ => WHOLE.saturating_sub(already),
    };
    if call.fault == Some(Fault::Refuse) {
        return [Step::Refuse, Step::End { finish: "content_filter" }].into();
    }
    let sentences = call.bill.shared.options.paragraph;
    let text = meditation(words, sentences, &mut call.rng).concat();
    let pieces: Vec<&str> = text.split_inclusive(' ').collect();
    // A few words an event, as models behind a gateway send them.
    let mut steps: VecDeque<Step> =
        pieces.chunks(4).map(|piece| Step::Say(piece.concat())).collect();
    let half = steps.len() / 2;
    match call.fault {
        Some(Fault::Reset) => cut(&mut steps, half, Some(Step::Break)),
        Some(Fault::Stall) => cut(&mut steps, half, Some(Step::Hang)),
        Some(Fault::Truncate) => cut(&mut steps, half, None),
        Some(Fault::Garble) => cut(&mut steps, half, Some(Step::Garble)),
        Some(Fault::Length) => cut(&mut steps, half, Some(Step::End { finish: "length" })),
        _ => steps.push_back(Step::End { finish: "stop" }),
    }
    steps.insert(steps.len() / 2, Step::Hold);
    steps
}

fn cut(steps: &mut VecDeque<Step>, at: usize, end: Option<Step>) {
    steps.truncate(at);
    steps.extend(end);
}

impl Talking {
    async fn next(&mut self) -> Option<Result<Bytes, std::io::Error>> {
        if matches!(self.steps.front(), Some(Step::Hold)) {
            self.bill.shared.holds.pass(Endpoint::Chat).await;
            self.steps.pop_front();
        }
        // The client hears the end only behind the whole text.
        let step = self.steps.pop_front()?;
        match step {
            Step::Hold => None,
            Step::Say(text) => {
                self.said += text.chars().count();
                self.bill.purchase.chunks += 1;
                let latency = &self.bill.shared.options.latency;
                let pace = latency.tokens(text.chars().count().div_ceil(TOKEN));
                if !pace.is_zero() {
                    sleep(pace).await;
                }
                self.charge("left");
                Some(Ok(event(&json!({ "choices": [{ "delta": { "content": text } }] }))))
            }
            Step::Refuse => {
                let delta = json!({ "refusal": "I cannot write about this." });
                Some(Ok(event(&json!({ "choices": [{ "delta": delta }] }))))
            }
            Step::End { finish } => {
                self.charge("done");
                let choice = json!({ "delta": {}, "finish_reason": finish });
                let (input, output) = self.tokens();
                let usage = json!({ "prompt_tokens": input, "completion_tokens": output });
                let last = event(&json!({ "choices": [choice] }));
                let usage = event(&json!({ "choices": [], "usage": usage }));
                self.bill.tell(&self.call, "", Bytes::new());
                Some(Ok([last, usage, Bytes::from_static(b"data: [DONE]\n\n")].concat().into()))
            }
            Step::Garble => Some(Ok(Bytes::from_static(b"data: {\"choices\":[\xff\xfe]}\n\n"))),
            Step::Break => {
                sleep(FLUSHED).await;
                Some(Err(std::io::ErrorKind::ConnectionReset.into()))
            }
            Step::Hang => {
                std::future::pending::<Infallible>().await;
                None
            }
        }
    }

    fn tokens(&self) -> (usize, usize) {
        (self.asked.div_ceil(TOKEN), self.said.div_ceil(TOKEN))
    }

    /// What is written is paid for, whoever still listens.
    fn charge(&mut self, outcome: &str) {
        let prices = self.bill.shared.options.prices;
        let (input, output) = self.tokens();
        let usd = (input as f64 * prices.input + output as f64 * prices.output) / 1e6;
        self.bill.set(outcome, 200, usd);
        self.bill.purchase.tokens = (input, output);
    }
}

fn event(data: &Value) -> Bytes {
    format!("data: {data}\n\n").into()
}
