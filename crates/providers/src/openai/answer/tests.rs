//! Whole answers as servers send them, cut anywhere: what is heard, why they end, what they count.

use serde_json::json;

use super::*;

/// What came of an answer.
#[derive(Debug, PartialEq)]
struct Read {
    text: String,
    finish: Option<Finish>,
    flaws: Vec<String>,
}

fn read(pieces: &[&[u8]]) -> (Read, AnswerParser) {
    let mut parser = AnswerParser::new(Hold::Beginning);
    let mut said: Vec<Said> = pieces.iter().flat_map(|piece| parser.push(piece)).collect();
    said.extend(parser.finish());
    let (mut text, mut flaws) = (String::new(), Vec::new());
    for said in said {
        match said {
            Said::Text(piece) => text += &piece,
            Said::Retract => text.clear(),
            Said::Error(body) => flaws.push(body.to_string()),
            Said::Flaw(words) => flaws.push(words.to_owned()),
        }
    }
    assert_eq!(parser.text, text, "what is handed on is what is noted");
    (Read { text, finish: parser.finish, flaws }, parser)
}

fn piece(text: &str) -> String {
    event(&json!({ "choices": [{ "delta": { "content": text } }] }))
}

fn end(reason: &str) -> String {
    event(&json!({ "choices": [{ "delta": {}, "finish_reason": reason }] }))
}

fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

/// Streams in which the envelope is odd and the words are not.
fn whole() -> Vec<(&'static str, String, Option<Finish>)> {
    let stop = Some(Finish::Complete);
    let words = || piece("Rest 静か ") + &piece("now.");
    let done = "data: [DONE]\n\n";
    let document = json!({
        "object": "chat.completion",
        "choices": [{ "message": { "content": "Rest 静か now." }, "finish_reason": "stop" }],
    });
    let counted = event(&json!({ "choices": null, "usage": { "completion_tokens": "7.0" } }));
    let nulls = json!({ "choices": [{ "delta": { "content": null }, "finish_reason": null }], "usage": null });
    vec![
        ("as it should be", words() + &end("stop") + done, stop),
        ("no reason before the end", words() + done, None),
        ("no reason and no end", words(), None),
        ("an empty reason", words() + &end("") + done, None),
        ("a reason that nobody knows", words() + &end("because") + done, None),
        ("nulls", event(&nulls) + &words() + &end("stop") + &event(&nulls) + done, stop),
        ("counts and no choices", words() + &end("stop") + &counted + done, stop),
        ("no choices", event(&json!({ "choices": [] })) + &words() + &end("stop"), stop),
        ("an error that is none", event(&json!({ "error": null, "choices": [] })) + &words(), None),
        (
            "events of other kinds",
            format!("event: ping\ndata: {{}}\n\n: hi\n\n{}event: x\ndata: y\n\n", words()) + done,
            None,
        ),
        ("another object", event(&json!({ "object": "ping" })) + &words() + &end("stop"), stop),
        ("returns and line feeds", (words() + &end("stop")).replace('\n', "\r\n"), stop),
        ("returns", (words() + &end("stop")).replace('\n', "\r"), stop),
        ("a mark of byte order", format!("\u{feff}{}", words() + &end("stop")), stop),
        ("one line an event", (words() + &end("stop") + done).replace("\n\n", "\n"), stop),
        ("words behind the end", words() + done + &piece(" More."), None),
        ("one document", document.to_string(), stop),
        ("one document behind blanks", format!("\n\n  {document}\n"), stop),
        ("one document as an event", event(&document) + done, stop),
        ("the whole repeated", words() + &event(&document) + done, stop),
        (
            "documents without events",
            (words() + &end("stop")).replace("data: ", "").replace("\n\n", "\n"),
            stop,
        ),
        ("a thought", piece("<think>hm</th") + &piece("ink>\n") + &words() + &end("stop"), stop),
        ("a thought without a beginning", piece("hm</think>") + &words() + &end("stop"), stop),
        (
            "a thought set apart",
            event(&json!({ "choices": [{ "delta": { "reasoning_content": "hm" } }] }))
                + &words()
                + &end("stop"),
            stop,
        ),
    ]
}

#[test]
fn an_odd_envelope_does_not_throw_the_words_away_wherever_it_is_cut() {
    for (name, stream, finish) in whole() {
        let wanted = Read { text: "Rest 静か now.".to_owned(), finish, flaws: Vec::new() };
        let bytes = stream.as_bytes();
        for at in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(at);
            assert_eq!(read(&[head, tail]).0, wanted, "{name}, cut at {at}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(read(&single).0, wanted, "{name}, byte by byte");
        assert_eq!(words_in(single), Some(wanted.text), "{name}");
    }
}

#[test]
fn an_error_is_found_in_every_shape() {
    let words = piece("Rest.");
    for (name, error) in [
        ("an object", json!({ "error": { "message": "no", "code": 402 } })),
        ("a text", json!({ "error": "no" })),
        ("beside choices", json!({ "error": { "code": 502 }, "choices": [] })),
        ("of another make", json!({ "object": "error", "message": "no", "code": 400 })),
        ("with a type", json!({ "type": "error", "error": { "type": "overloaded_error" } })),
        ("a detail", json!({ "detail": "no" })),
        ("a gateway's", json!({ "code": 1113, "msg": "no" })),
    ] {
        let event = event(&error);
        for (place, stream, text) in [
            ("alone", error.to_string(), ""),
            ("in a list", json!([error]).to_string(), ""),
            ("first", event.clone(), ""),
            ("in the middle", words.clone() + &event, "Rest."),
        ] {
            let (read, _) = read(&[stream.as_bytes()]);
            assert_eq!(read.flaws, [error.to_string()], "{name}, {place}");
            assert_eq!(read.text, text, "{name}, {place}");
        }
    }
    let named = b"event: error\ndata: {\"message\": \"no\"}\n\n";
    assert_eq!(read(&[named]).0.flaws, ["{\"message\":\"no\"}"]);
    let of_choice = event(&json!({ "choices": [{ "error": { "code": 502 } }] }));
    assert_eq!(read(&[of_choice.as_bytes()]).0.flaws, ["{\"error\":{\"code\":502}}"]);
}

#[test]
fn what_is_not_of_this_api_is_said_once() {
    for (body, words) in [
        (&b""[..], "is empty"),
        (b"\r\n \n", "is empty"),
        (b"<html>data: {}</html>", "is a web page, not a stream"),
        (b"It works!", "is not a stream of events"),
        (b"{\"a\": 1}", "is not a stream of events"),
        (b"data: {\"a\": 1}\n\n", "is not a stream of events"),
        (b"data: [DONE]\n\n", "is not a stream of events"),
        (b"data: {\"choices\":[\n\n", "holds an event that is not of this API"),
        (b"{\"choices\": [\"\xff\xfe\"]}", "is not valid UTF-8"),
        (b"data: {\"choices\": [\"\xff\xfe\"]}\n\n", "is not valid UTF-8"),
    ] {
        assert_eq!(read(&[body]).0.flaws, [words], "{body:?}");
        assert_eq!(words_in([body]), None);
    }
}

#[test]
fn what_is_counted_is_kept_whenever_it_comes() {
    let usage = |usage| event(&json!({ "choices": [], "usage": usage }));
    let stream = usage(json!({ "prompt_tokens": 3, "completion_tokens": 1 }))
        + &piece("Rest.")
        + &usage(json!({ "completion_tokens": 5, "prompt_tokens": null }))
        + &usage(json!(null));
    let (_, parser) = read(&[stream.as_bytes()]);
    assert_eq!(parser.tokens, Tokens { input: Some(3), output: Some(5), ..Tokens::default() });
}
