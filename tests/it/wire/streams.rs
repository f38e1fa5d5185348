//! Answers of a writer's server as the world sends them; a flaw of the envelope throws no words away
//! and buys none again.

use pipeline::{FailureClass, Finish};
use serde_json::{Value, json};
use stillcast_enqueue::Format;

use crate::adapters::draft;
use crate::chat_server::{Answer, ChatServer, DONE, counts, event, says, stops, thinks, words};
use crate::harness::{CANARY_KEY, CANARY_TEXT, WireHarness, assert_private, prompt};

const PASSING: FailureClass = FailureClass::Transient { retry_after: None };

/// A harness whose words come from a server of the test's own.
async fn writing(
    script: impl Fn(usize, &Value) -> Answer + Send + Sync + 'static,
) -> (WireHarness, ChatServer) {
    let server = ChatServer::start(script).await;
    let mut harness = WireHarness::start().await;
    harness.chat_url = Some(server.base_url.clone());
    (harness, server)
}

fn document(text: &Value, reason: &Value) -> Value {
    let message = json!({ "role": "assistant", "content": text });
    let choices = json!([{ "index": 0, "message": message, "finish_reason": reason }]);
    json!({ "object": "chat.completion", "choices": choices })
}

#[tokio::test]
async fn words_are_read_whatever_they_are_wrapped_in() {
    let text = words(54);
    let stop = Some(Finish::Complete);
    let stream = || says(&text) + &stops("stop") + &counts(9, 9) + DONE;
    let whole = |text: Value| Answer::json(200, &document(&text, &"stop".into()));
    let parts = json!([{ "type": "text", "text": text }, { "type": "image" }]);
    for (name, answer, finish) in [
        ("as it should be", Answer::events(stream()), stop),
        ("as plain text", Answer::events(stream()).kind("text/plain; charset=utf-8"), stop),
        ("without a type", Answer::events(stream()).kind(""), stop),
        ("in capitals", Answer::events(stream()).kind("TEXT/EVENT-STREAM"), stop),
        ("as a page, which it is not", Answer::events(stream()).kind("text/html"), stop),
        ("with a mark of byte order", Answer::events(format!("\u{feff}{}", stream())), stop),
        ("with returns", Answer::events(stream().replace('\n', "\r\n")), stop),
        ("in single bytes", Answer::events(stream()).cut(1), stop),
        ("one document", whole(text.clone().into()), stop),
        ("one document in parts", whole(parts), stop),
        ("one document as events", whole(text.clone().into()).kind("text/event-stream"), stop),
        ("no reason", Answer::events(says(&text) + &stops(Value::Null) + DONE), None),
        ("an empty reason", Answer::events(says(&text) + &stops("") + DONE), None),
        ("no end", Answer::events(says(&text)), None),
    ] {
        let (harness, server) = writing(move |_, _| answer.clone()).await;
        let read = draft(&harness.writer(), &prompt()).await;
        let wanted = (text.clone(), finish.unwrap_or(Finish::Unstated));
        assert_eq!(read.unwrap_or_else(|error| panic!("{name}: {error:?}")), wanted, "{name}");
        assert_eq!(server.asked().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_text_that_is_whole_by_its_length_is_whole_and_one_that_is_not_is_gone_on_from() {
    let cut = || format!("{}Let the breath come and", words(405));
    for (name, answer, drafts) in [
        ("no reason", says(&words(405)) + DONE, 1),
        ("an empty reason", says(&words(405)) + &stops("") + DONE, 1),
        ("no end", says(&words(405)), 1),
        ("no reason, in the middle of a sentence", says(&cut()) + DONE, 2),
        ("no reason, and too few", says(&words(216)) + DONE, 2),
        ("no end, in the middle", says(&words(216)), 2),
    ] {
        let (harness, server) = writing(move |before, _| {
            let rest = if answer.len() > 1_500 { words(54) } else { words(216) };
            let rest = says(&rest) + &stops("stop") + DONE;
            Answer::events(if before == 0 { answer.clone() } else { rest })
        })
        .await;
        let produced = harness.produce(Format::Audio).await;
        let produced = produced.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(server.asked().len(), drafts, "{name}");
        let words = produced.stages[1].resources["words"];
        assert!((400.0..=500.0).contains(&words), "{name}: {words} words");
    }
}

#[tokio::test]
async fn an_error_with_status_200_means_what_it_says_and_is_not_repeated() {
    let quota = FailureClass::Misconfigured;
    let said = format!("no credits for {CANARY_KEY}, asked was {CANARY_TEXT}");
    let error = |code: Value, kind: &str| json!({ "error": { "message": said, "code": code, "type": kind } });
    for (error, code, failure, says) in [
        (error(402.into(), "insufficient_quota"), "quota-exhausted", quota, "no money"),
        (error("insufficient_quota".into(), ""), "quota-exhausted", quota, "no money"),
        (error("402".into(), ""), "quota-exhausted", quota, "no money"),
        (error(Value::Null, "insufficient_quota"), "quota-exhausted", quota, "no money"),
        (error(401.into(), ""), "key-refused", quota, "LLM_API_KEY"),
    ] {
        assert_eq!(failure, FailureClass::Misconfigured);
        for place in ["document", "first", "middle", "list"] {
            let answer = match place {
                "document" => Answer::json(200, &error),
                "list" => Answer::json(200, &json!([error])),
                "first" => Answer::events(event(&error)),
                _ => Answer::events(crate::chat_server::says("Rest.") + &event(&error) + DONE),
            };
            let (harness, server) = writing(move |_, _| answer.clone()).await;
            let met = draft(&harness.writer(), &prompt()).await.unwrap_err();
            assert_eq!((met.code, met.failure), (code, failure), "{error} {place}");
            assert!(met.message.contains(says), "{error} {place}: {met}");
            assert_private(&met);
            assert_eq!(server.asked().len(), 1);
        }
    }
    let busy = json!({ "error": { "message": said, "code": 503 } });
    let (harness, _server) = writing(move |_, _| Answer::events(event(&busy))).await;
    let met = draft(&harness.writer(), &prompt()).await.unwrap_err();
    assert_eq!((met.code, met.failure), ("provider-failed", PASSING));
    assert_private(&met);
}

#[tokio::test]
async fn thoughts_are_never_spoken() {
    let thought = "Okay, the user wants a meditation. I plan this: zebra first, then rain.\n";
    let text = words(405);
    for (name, stream) in [
        ("marked", says(&format!("<think>{thought}</think>\n\n{text}"))),
        (
            "marked, in pieces",
            says("<thi") + &says("nk>") + &says(thought) + &says("</think>\n") + &says(&text),
        ),
        ("marked otherwise", says(&format!("<reasoning>\n{thought}</reasoning>{text}"))),
        ("without a beginning", says(&thought.repeat(20)) + &says("</think>\n\n") + &says(&text)),
        ("set apart", thinks(thought) + &says(&text)),
        ("without an end, behind the words", says(&text) + &says(&format!("<think>{thought}"))),
    ] {
        let (harness, server) =
            writing(move |_, _| Answer::events(format!("{stream}{}{DONE}", stops("stop")))).await;
        harness.produce(Format::Audio).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(server.asked().len(), 1, "{name}");
        let spoken = harness.simulator.asked(tests::simulator::Endpoint::Speech);
        assert!(
            !spoken.is_empty() && spoken.iter().all(|asked| !asked.to_string().contains("zebra"))
        );
    }
}

#[tokio::test]
async fn a_thought_that_gives_itself_away_too_late_is_spoken_in_no_file() {
    let thought = words(108);
    let (harness, server) = writing(move |_, _| {
        let words = words(405).replace("breath", "tide");
        Answer::events(says(&thought) + &says("</think>\n\n") + &says(&words) + &stops("stop"))
    })
    .await;
    let writer = harness.writer();
    let failed = harness.produce_by(&writer, Format::Audio, |_| {}).await.unwrap_err();
    assert_eq!(failed.error.code, "thought-unmarked");
    assert_eq!(failed.error.failure, FailureClass::Misconfigured);
    harness.produce_by(&writer, Format::Audio, |_| {}).await.unwrap();
    assert_eq!(server.asked().len(), 2, "the writer knows its server now");
}

#[tokio::test]
async fn thoughts_that_use_up_the_limit_raise_it_once() {
    let eaten = || thinks(&"hm ".repeat(90)) + &stops("length") + &counts(90, 1_600) + DONE;
    let whole = says(&words(405)) + &stops("stop") + &counts(90, 2_000) + DONE;
    let (harness, server) =
        writing(move |before, _| Answer::events(if before == 0 { eaten() } else { whole.clone() }))
            .await;
    let produced = harness.produce(Format::Audio).await.unwrap();
    let limits: Vec<Value> =
        server.asked().iter().map(|asked| asked["max_completion_tokens"].clone()).collect();
    assert_eq!(limits, [1_600, 6_400]);
    assert!(produced.cost.wasted_usd > 0.0, "{:?}", produced.cost);
    for (name, answer) in [
        ("set apart", eaten()),
        ("in the words", says(&format!("<think>{}", "hm ".repeat(900))) + &stops("length")),
        ("hidden", stops("length") + &counts(90, 1_600)),
        ("a few words", thinks("hm") + &says("Rest. \n\n") + &stops("length")),
    ] {
        let (harness, server) = writing(move |_, _| Answer::events(answer.clone())).await;
        let failed = harness.produce(Format::Audio).await.unwrap_err();
        let error = &failed.error;
        let met = (error.code, error.failure);
        assert_eq!(met, ("thought-too-long", FailureClass::Misconfigured), "{name}: {error}");
        assert!(error.message.contains("thinking") && error.message.contains("LLM_MAX_TOKENS"));
        assert_eq!(server.asked().len(), 2, "{name}");
    }
}

#[tokio::test]
async fn what_a_server_refuses_to_be_asked_is_left_out_at_once_and_for_good() {
    for refused in [
        &["max_completion_tokens"][..],
        &["stream_options"],
        &["reasoning_effort"],
        &["stream"],
        &["max_completion_tokens", "stream_options", "reasoning_effort", "stream"],
    ] {
        let (harness, server) = writing(move |_, asked| {
            let sent = refused.iter().find(|name| asked.get(**name).is_some());
            match sent {
                Some(name) => Answer::refuses(name),
                None if asked["stream"] == true => {
                    Answer::events(says(&words(405)) + &stops("stop") + DONE)
                }
                None => Answer::json(200, &document(&words(405).into(), &"stop".into())),
            }
        })
        .await;
        let writer = harness.writer();
        let revision = pipeline::TranscriptWriter::revision(&writer);
        for _ in 0..2 {
            let read = draft(&writer, &prompt()).await.unwrap();
            assert_eq!(read, (words(405), Finish::Complete), "{refused:?}");
        }
        let asked = server.asked();
        let most = refused.len() + 2;
        assert!(asked.len() <= most, "{refused:?}: {} calls", asked.len());
        let last = asked.last().unwrap();
        assert!(refused.iter().all(|name| last.get(name).is_none()), "{last}");
        let (limit, old) = (&last["max_completion_tokens"], &last["max_tokens"]);
        assert!(limit == 1_600 || old == 1_600, "{last}");
        assert_eq!(pipeline::TranscriptWriter::revision(&writer), revision);
    }
}
