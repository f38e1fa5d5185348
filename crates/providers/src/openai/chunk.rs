//! JSON as a server of this API sends it goes in, a piece of a stream or a whole answer; what it
//! says comes out. Whatever is null, missing or of another kind than it should be says nothing.

use pipeline::Finish;
use serde_json::Value;

/// What a piece says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Chunk {
    /// Words to be spoken, and perhaps thoughts among them.
    pub(super) text: String,
    /// Characters of thoughts that the server has set apart.
    pub(super) thought: usize,
    /// Why the writer stopped.
    pub(super) finish: Option<Finish>,
    /// What is counted.
    pub(super) tokens: Tokens,
    /// Whether it is of this API at all.
    pub(super) is_of_api: bool,
    /// Whether the text is all that there is, and not a piece that follows others.
    pub(super) is_whole: bool,
}

/// What a server counts; none where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
    /// Those of the output that went into thoughts.
    pub(super) thought: Option<u64>,
    /// Those of the prompt that the server had in its cache.
    pub(super) cached: Option<u64>,
}

/// Names of fields and of parts of a content that hold thoughts.
const THOUGHTS: [&str; 4] = ["reasoning_content", "reasoning", "thinking", "thought"];
/// More tokens than any answer has.
const MAX_TOKENS: f64 = 1e12;

impl Chunk {
    pub(super) fn read(value: &Value) -> Self {
        let tokens = Tokens::read(&value["usage"]);
        let is_of_api = value["choices"].is_array() || tokens != Tokens::default();
        let Some(choice) = value.pointer("/choices/0") else {
            return Self { tokens, is_of_api, ..Self::default() };
        };
        let is_whole = !choice["delta"].is_object() && choice["message"].is_object();
        let said = if is_whole { &choice["message"] } else { &choice["delta"] };
        // Some servers say the same under two names.
        let apart = THOUGHTS.map(|name| length(&said[name])).into_iter().max();
        let (mut text, mut thought) = (String::new(), apart.unwrap_or_default());
        content(&said["content"], &mut text, &mut thought);
        let refused = length(&said["refusal"]) > 0;
        let finish = choice["finish_reason"].as_str().and_then(finish);
        let finish = if refused { Some(Finish::Refused) } else { finish };
        Self { text, thought, finish, tokens, is_of_api, is_whole }
    }
}

impl Tokens {
    pub(super) fn read(usage: &Value) -> Self {
        let of = |names: [&str; 2]| names.iter().find_map(|name| count(&usage[name]));
        let details = ["completion_tokens_details", "output_tokens_details"];
        let prompts = ["prompt_tokens_details", "input_tokens_details"];
        let mut places = details.iter().map(|name| &usage[name]).chain([usage]);
        Self {
            input: of(["prompt_tokens", "input_tokens"]),
            output: of(["completion_tokens", "output_tokens"]),
            thought: places.find_map(|place| count(&place["reasoning_tokens"])),
            cached: prompts.iter().find_map(|name| count(&usage[name]["cached_tokens"])),
        }
    }

    /// What `later` says, and this where it says nothing.
    pub(super) fn or_before(later: Self, before: Self) -> Self {
        Self {
            input: later.input.or(before.input),
            output: later.output.or(before.output),
            thought: later.thought.or(before.thought),
            cached: later.cached.or(before.cached),
        }
    }
}

/// A number, perhaps as a fraction or as a text.
fn count(value: &Value) -> Option<u64> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is known"
    )]
    (0.0..=MAX_TOKENS).contains(&number).then_some(number.ceil() as u64)
}

/// A text, or parts of which each is a text or holds one.
fn content(content: &Value, text: &mut String, thought: &mut usize) {
    match content {
        Value::String(words) => text.push_str(words),
        Value::Array(parts) => parts.iter().for_each(|part| self::content(part, text, thought)),
        Value::Object(part) => {
            let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
            if THOUGHTS.iter().any(|name| kind.contains(name)) {
                *thought += length(content);
            } else if let Some(words) = part.get("text") {
                self::content(words, text, thought);
            }
        }
        _ => {}
    }
}

/// All characters of a text, or of whatever holds texts.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(parts) => parts.iter().map(length).sum(),
        Value::Object(fields) => {
            let said = fields.iter().filter(|(name, _)| *name != "type");
            said.map(|(_, value)| length(value)).sum()
        }
        _ => 0,
    }
}

/// The words of many servers. One that nobody knows says nothing: the text says the rest.
fn finish(reason: &str) -> Option<Finish> {
    match reason.to_ascii_lowercase().as_str() {
        "stop" | "stop_sequence" | "end_turn" | "eos" | "eos_token" | "complete" | "completed"
        | "done" => Some(Finish::Complete),
        "length"
        | "max_tokens"
        | "max_output_tokens"
        | "model_length"
        | "model_context_window"
        | "max_length" => Some(Finish::Length),
        "content_filter" | "refusal" | "safety" | "recitation" | "prohibited_content"
        | "blocklist" | "spii" | "sensitive" => Some(Finish::Refused),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(choice: &Value) -> (String, usize, Option<Finish>) {
        let chunk = Chunk::read(&json!({ "choices": [choice] }));
        (chunk.text, chunk.thought, chunk.finish)
    }

    #[test]
    fn what_is_odd_says_nothing_and_the_rest_is_read() {
        let (stop, length) = (Some(Finish::Complete), Some(Finish::Length));
        for (choice, text, thought, finish) in [
            (json!({ "delta": { "content": "a" }, "finish_reason": null }), "a", 0, None),
            (json!({ "delta": { "content": "a" }, "finish_reason": "" }), "a", 0, None),
            (json!({ "delta": { "content": "a" }, "finish_reason": 3 }), "a", 0, None),
            (json!({ "delta": { "content": "a" }, "finish_reason": "tool_calls" }), "a", 0, None),
            (json!({ "delta": null, "finish_reason": "stop" }), "", 0, stop),
            (json!({ "delta": {}, "finish_reason": "STOP" }), "", 0, stop),
            (json!({ "delta": [], "finish_reason": "MAX_TOKENS" }), "", 0, length),
            (json!({ "delta": { "content": 7 } }), "", 0, None),
            (json!({ "delta": { "content": { "text": "a" } } }), "a", 0, None),
            (json!({ "message": { "content": "a" }, "finish_reason": "eos" }), "a", 0, stop),
            (json!({ "delta": null, "message": { "content": "a" } }), "a", 0, None),
            (json!({ "delta": { "content": "a" }, "message": { "content": "aa" } }), "a", 0, None),
            (json!({ "delta": { "refusal": "no" } }), "", 0, Some(Finish::Refused)),
            (json!({ "delta": { "refusal": null, "content": "a" } }), "a", 0, None),
            (json!({ "delta": { "reasoning_content": "hm", "content": null } }), "", 2, None),
            (json!({ "delta": { "reasoning": "hm" } }), "", 2, None),
            (
                json!({ "delta": { "content": [
                    { "type": "thinking", "thinking": [{ "type": "text", "text": "hm" }] },
                    { "type": "text", "text": "a" }, "b", null, { "type": "image" }, 7,
                ] } }),
                "ab",
                2,
                None,
            ),
            (json!(null), "", 0, None),
            (json!("a"), "", 0, None),
        ] {
            assert_eq!(said(&choice), (text.to_owned(), thought, finish), "{choice}");
        }
    }

    #[test]
    fn counts_are_read_in_every_form() {
        for (usage, input, output, thought) in [
            (json!({ "prompt_tokens": 3, "completion_tokens": 4 }), Some(3), Some(4), None),
            (json!({ "prompt_tokens": 3.2, "completion_tokens": "4" }), Some(4), Some(4), None),
            (json!({ "prompt_tokens": null, "completion_tokens": " 4.0 " }), None, Some(4), None),
            (json!({ "input_tokens": 3, "output_tokens": 4 }), Some(3), Some(4), None),
            (json!({ "prompt_tokens": -1, "completion_tokens": 1e300 }), None, None, None),
            (json!({ "prompt_tokens": "many", "completion_tokens": [] }), None, None, None),
            (
                json!({ "completion_tokens_details": { "reasoning_tokens": 5 } }),
                None,
                None,
                Some(5),
            ),
            (json!({ "reasoning_tokens": "6" }), None, None, Some(6)),
            (json!(null), None, None, None),
            (json!([1]), None, None, None),
        ] {
            let tokens = Chunk::read(&json!({ "usage": usage, "choices": null })).tokens;
            assert_eq!(tokens, Tokens { input, output, thought, cached: None }, "{usage}");
        }
    }

    #[test]
    fn what_a_cache_gave_is_counted_apart() {
        for details in ["prompt_tokens_details", "input_tokens_details"] {
            let usage = json!({ "prompt_tokens": 9, details: { "cached_tokens": 8 } });
            let tokens = Chunk::read(&json!({ "usage": usage })).tokens;
            assert_eq!((tokens.input, tokens.cached), (Some(9), Some(8)), "{details}");
        }
    }

    #[test]
    fn what_is_not_of_this_api_is_told_apart() {
        for (value, is_of_api) in [
            (json!({ "choices": [] }), true),
            (json!({ "choices": null, "usage": { "prompt_tokens": 1 } }), true),
            (json!({ "choices": null }), false),
            (json!({ "object": "ping" }), false),
            (json!({}), false),
            (json!(null), false),
            (json!(7), false),
        ] {
            assert_eq!(Chunk::read(&value).is_of_api, is_of_api, "{value}");
        }
    }
}
