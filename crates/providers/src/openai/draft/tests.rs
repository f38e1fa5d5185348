//! Answers that take their time: what is life, and what is the end.

use futures::StreamExt;
use serde_json::json;
use tokio::time::sleep;

use super::super::vendor::OPENAI;
use super::*;
use crate::http::{Account, Capability, HttpClient};

/// What comes, and how many seconds after what came before.
type Step = (u64, &'static str);

const WORDS: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Rest.\"}}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const STOP_EACH: &str =
    "data: {\"choices\":[{\"delta\":{\"content\":\"Rest.\"},\"finish_reason\":\"stop\"}]}\n\n";
const COUNT: &str = "data: {\"choices\":[],\"usage\":{\"completion_tokens\":7}}\n\n";
const COMMENT: &str = ": kept alive\n\n";

fn question() -> Question {
    let base_url = "http://localhost/v1".to_owned();
    let account = Account { capability: Capability::Llm, base_url, key: None, model: "m".into() };
    let dialect = Arc::new(Dialect::new(1_600));
    Question {
        client: ApiClient::new(HttpClient::new().unwrap(), &OPENAI, account),
        price: TokenPrice { input: 1e6, output: 1e6 },
        manner: dialect.manner(),
        dialect,
        stall: Duration::from_mins(1),
        sent: json!({}),
        asked: 2,
        asked_at: Instant::now(),
        least: 1,
    }
}

/// The words, and the end or the error's code with what it has cost, of an answer that stays open.
async fn read(steps: Vec<Step>) -> (String, Result<(Finish, f64), (&'static str, f64)>) {
    let steps = stream::iter(steps).then(async |(seconds, text)| {
        sleep(Duration::from_secs(seconds)).await;
        Ok(Bytes::from(text))
    });
    let mut draft = pieces(question(), steps.chain(stream::pending()).boxed());
    let mut words = String::new();
    loop {
        match draft.next().await.expect("a draft ends with an end or an error") {
            Ok(DraftPiece::Text(text)) => words += &text,
            Ok(DraftPiece::Retract) => words.clear(),
            Ok(DraftPiece::End { finish, usage }) => return (words, Ok((finish, usage.usd()))),
            Err(error) => return (words, Err((error.code, error.wasted.usd()))),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_comes_is_life_and_what_follows_the_end_is_not_waited_for() {
    let kept_alive: Vec<Step> = vec![(50, COMMENT); 20];
    let slow = [kept_alive.clone(), vec![(50, WORDS), (50, STOP), (1, COUNT)]].concat();
    let endless = [vec![(1, WORDS), (1, STOP)], vec![(1, COMMENT); 400]].concat();
    let each = vec![(30, STOP_EACH), (4, STOP_EACH), (4, STOP_EACH)];
    for (name, steps, words, wanted) in [
        ("kept alive for minutes", slow, "Rest.", Ok((Finish::Complete, 9.0))),
        ("no end behind the reason", endless, "Rest.", Ok((Finish::Complete, 4.0))),
        ("a reason in each piece", each, "Rest.Rest.Rest.", Ok((Finish::Complete, 6.0))),
        ("silence", vec![(59, COMMENT)], "", Err(("transcript-cut", 0.0))),
        (
            "silence in the middle",
            vec![(59, COMMENT), (59, WORDS)],
            "",
            Err(("transcript-cut", 0.0)),
        ),
    ] {
        assert_eq!(read(steps).await, (words.to_owned(), wanted), "{name}");
    }
}
