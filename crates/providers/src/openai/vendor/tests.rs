//! What servers of this API have answered in public goes in; whose fault it is comes out.

use pipeline::{FailureClass, ProviderError};
use serde_json::{Value, json};

use super::OPENAI;
use crate::http::tests::Server;
use crate::http::{Account, ApiClient, Capability, HttpClient};

const PASSING: FailureClass = FailureClass::Transient { retry_after: None };
const SETUP: FailureClass = FailureClass::Misconfigured;
const JOB: FailureClass = FailureClass::Permanent;

/// Chat with all that is ever sent to it.
fn chat() -> Value {
    json!({ "model": "m", "messages": [], "stream": true, "stream_options": {},
            "max_completion_tokens": 9, "reasoning_effort": "none" })
}

fn speech() -> Value {
    json!({ "model": "m", "input": "find your balance", "voice": "nova",
            "response_format": "pcm", "instructions": "softly" })
}

fn picture() -> Value {
    json!({ "model": "m", "prompt": "a sea", "size": "9x9", "n": 1, "quality": "medium",
            "output_format": "jpeg" })
}

fn client(capability: Capability, base_url: &str) -> ApiClient {
    let key = Some("canary-key".to_owned().into());
    let account = Account { capability, base_url: base_url.to_owned(), key, model: "m".into() };
    ApiClient::new(HttpClient::new().unwrap(), &OPENAI, account)
}

async fn refused(status: u16, sent: &Value, body: &str) -> ProviderError {
    let server = Server::answering(&format!("{status} No"), body).await;
    let capability = match sent {
        sent if sent.get("voice").is_some() => Capability::Tts,
        sent if sent.get("prompt").is_some() => Capability::Image,
        _ => Capability::Llm,
    };
    client(capability, &server.base_url).post("/x", sent).await.err().expect("it is refused")
}

async fn check(cases: Vec<(u16, Value, &str, FailureClass, &str, &str)>) {
    for (status, sent, body, failure, code, says) in cases {
        let error = refused(status, &sent, body).await;
        assert_eq!((error.failure, error.code), (failure, code), "{status} {body}: {error}");
        assert!(error.message.contains(says), "{body}: {error}");
        assert!(!error.message.contains("canary"), "{body}: {error}");
        let parameter = says.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
        if let Some(parameter) = parameter {
            assert_eq!(error.parameter, Some(parameter), "{body}");
        }
    }
}

#[tokio::test]
async fn a_part_of_our_request_that_a_server_does_not_take_is_named() {
    let refused = "parameter-refused";
    check(vec![
        (400, chat(), r#"{"error":{"message":"Unsupported parameter: 'max_completion_tokens' is not supported with this model. Use 'max_tokens' instead.","type":"invalid_request_error","param":"max_completion_tokens","code":"unsupported_parameter"}}"#, SETUP, refused, "`max_completion_tokens`"),
        (400, json!({ "model": "m", "messages": [], "max_tokens": 9 }), r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":null,"code":null}}"#, SETUP, refused, "`max_tokens`"),
        (400, chat(), r#"{"error":{"message":"Unrecognized request argument supplied: max_completion_tokens","type":"invalid_request_error","param":null,"code":null}}"#, SETUP, refused, "`max_completion_tokens`"),
        (422, chat(), r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted","input":{"include_usage":true}}]}"#, SETUP, refused, "`stream_options`"),
        (400, chat(), "max_completion_tokens: Extra inputs are not permitted", SETUP, refused, "`max_completion_tokens`"),
        (400, chat(), r#"{"object":"error","message":"[{'type': 'extra_forbidden', 'loc': ('body', 'reasoning_effort'), 'msg': 'Extra inputs are not permitted'}]","type":"BadRequestError","param":null,"code":400}"#, SETUP, refused, "`reasoning_effort`"),
        (400, chat(), r#"{"error":{"message":"'max_completion_tokens' is too large: 1600. This model's maximum context length is 1024 tokens","type":"BadRequestError","param":"max_completion_tokens","code":400}}"#, SETUP, refused, "LLM_MAX_TOKENS"),
        (400, chat(), r#"{"error":{"message":"Unsupported value: 'messages[0].role' does not support 'system' with this model.","type":"invalid_request_error","param":"messages[0].role","code":"unsupported_value"}}"#, SETUP, refused, "`messages`"),
        (400, speech(), r#"{"error":{"message":"Invalid value: 'nova'. Supported values are: 'af_heart', 'am_adam'.","type":"invalid_request_error","param":"voice","code":"invalid_value"}}"#, SETUP, refused, "TTS_VOICE"),
        (400, speech(), r#"{"detail":{"error":"validation_error","message":"Voice 'nova' not found. Available voices: af_heart","type":"invalid_request_error"}}"#, SETUP, refused, "`voice`"),
        (404, speech(), r#"{"error":"voice nova does not exist"}"#, SETUP, refused, "`voice`"),
        (422, speech(), r#"{"detail":[{"type":"literal_error","loc":["body","response_format"],"msg":"Input should be 'mp3' or 'wav'","input":"pcm"}]}"#, SETUP, refused, "`response_format`"),
        (400, speech(), r#"{"error":{"message":"instructions are not supported by this model"}}"#, SETUP, refused, "`instructions`"),
        (422, picture(), r#"{"detail":[{"loc":["body","size"],"msg":"value is not a valid enumeration member","type":"type_error.enum"}]}"#, SETUP, refused, "IMAGE_SIZE"),
        (400, picture(), r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"Unknown parameter: 'output_format'.\",\"param\":\"output_format\"}}"}}}"#, SETUP, refused, "`output_format`"),
    ])
    .await;
}

#[tokio::test]
async fn an_account_and_a_model_are_the_set_up_s_whatever_the_words() {
    let money = "quota-exhausted";
    check(vec![
        (400, chat(), r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API. Please go to Plans & Billing."}}"#, SETUP, money, "top it up"),
        (400, chat(), r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}"#, SETUP, money, "top it up"),
        (400, chat(), r#"{"code":"Arrearage","message":"Access denied, please make sure your account is in good standing."}"#, SETUP, money, "top it up"),
        (422, speech(), "You have run out of credits for key canary-key", SETUP, money, "top it up"),
        (403, chat(), r#"{"error":{"message":"the account's balance is negative","type":"forbidden"}}"#, SETUP, money, "top it up"),
        (429, chat(), r#"{"error":{"message":"Insufficient balance or no resource package. Please recharge.","code":"1113"}}"#, SETUP, money, "top it up"),
        (400, chat(), r#"{"error":{"message":"no","code":402}}"#, SETUP, money, "status 400"),
        (429, chat(), r#"[{"error":{"code":429,"message":"Quota exceeded for quota metric 'Requests per minute'","status":"RESOURCE_EXHAUSTED"}}]"#, PASSING, "rate-limited", "429"),
        (400, chat(), r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}]"#, SETUP, "key-refused", "LLM_API_KEY"),
        (400, chat(), r#"{"error":{"message":"The model `m` does not exist or you do not have access to it."}}"#, SETUP, "model-unknown", "LLM_MODEL"),
        (404, chat(), r#"{"error":"model 'm' not found"}"#, SETUP, "model-unknown", "LLM_MODEL"),
        (404, speech(), r#"{"detail":"Model hexgrad/m is not loaded"}"#, SETUP, "model-unknown", "TTS_MODEL"),
        (422, picture(), r#"{"message":"Unknown model"}"#, SETUP, "model-unknown", "IMAGE_MODEL"),
        (404, chat(), r#"{"detail":"Not Found"}"#, SETUP, "address-unknown", "LLM_BASE_URL"),
        (
            400,
            json!({ "model": "m", "input": "x", "voice": "nova", "response_format": "pcm" }),
            r#"{"error":{"message":"Refused: {\"input\":\"x\",\"model\":\"m\",\"response_format\":\"pcm\",\"voice\":\"nova\"}"}}"#,
            SETUP,
            "request-refused",
            "names no part",
        ),
        (400, chat(), "", SETUP, "request-refused", "names no part"),
        (400, chat(), "<html>the voice of a balance, credit</html>", SETUP, "request-refused", "names no part"),
    ])
    .await;
}

#[tokio::test]
async fn a_text_is_the_job_s_own() {
    let (long, content) = ("content-too-long", "content-refused");
    check(vec![
        (400, chat(), r#"{"error":{"message":"This model's maximum context length is 512 tokens. However, your messages resulted in 900 tokens.","param":"messages","code":"context_length_exceeded"}}"#, JOB, long, "shorten"),
        (400, speech(), r#"{"error":{"message":"Invalid 'input': string too long. Expected a string with maximum length 4096","param":"input","code":"string_above_max_length"}}"#, JOB, long, "shorten"),
        (422, speech(), r#"{"detail":[{"type":"string_too_long","loc":["body","input"],"msg":"String should have at most 200 characters","input":"canary find credit and quota"}]}"#, JOB, long, "shorten"),
        (413, speech(), "", JOB, long, "413"),
        (400, picture(), r#"{"error":{"message":"Your request was rejected by the safety system.","code":null}}"#, JOB, content, "source's text"),
        (400, chat(), r#"{"error":{"message":"The response was filtered due to the prompt triggering the content management policy: 'give credit where the balance of my account is low, says canary'","code":null}}"#, JOB, content, "source's text"),
    ])
    .await;
}

#[tokio::test]
async fn an_error_with_a_status_of_success_means_what_its_words_mean() {
    let client = client(Capability::Llm, "http://127.0.0.1:1");
    for (body, failure, code) in [
        (
            json!({ "error": { "message": "Insufficient credits", "code": 402 } }),
            SETUP,
            "quota-exhausted",
        ),
        (
            json!({ "error": { "message": "?", "type": "insufficient_quota" } }),
            SETUP,
            "quota-exhausted",
        ),
        (json!({ "error": { "message": "?", "code": "401" } }), SETUP, "key-refused"),
        (json!({ "error": { "message": "?", "code": 429 } }), PASSING, "rate-limited"),
        (
            json!({ "error": { "message": "Overloaded", "type": "overloaded_error" } }),
            PASSING,
            "provider-failed",
        ),
        (json!({ "error": "unknown field max_completion_tokens" }), SETUP, "parameter-refused"),
        (json!({ "error": null, "message": "model m not found" }), SETUP, "model-unknown"),
    ] {
        let error = client.refused_in(&chat(), &body);
        assert_eq!((error.failure, error.code), (failure, code), "{body}: {error}");
    }
}
