//! Statuses and headers go over the wire; each has one class, for every capability.

use std::path::Path;
use std::time::Duration;

use pipeline::{FailureClass, ImageGenerator, ProviderError, SpeechSynthesizer, TranscriptWriter};
use tests::simulator::{Endpoint, Fault, Key, Keys};

use crate::harness::{CANARY_KEY, WireHarness, assert_private, prompt, scene, utterance};

const PASSING: FailureClass = FailureClass::Transient { retry_after: None };

/// What a call of each capability meets.
async fn errors(harness: &WireHarness) -> [ProviderError; 3] {
    [
        harness.writer().write(&prompt()).await.err().expect("refused"),
        harness.speaker().speak(&utterance(), Path::new("/nowhere")).await.unwrap_err(),
        harness.painter().draw(&scene()).await.unwrap_err(),
    ]
}

async fn refused(harness: &WireHarness, fault: &Fault) -> [ProviderError; 3] {
    for endpoint in [Endpoint::Chat, Endpoint::Speech, Endpoint::Image] {
        harness.simulator.script(endpoint, [Some(fault.clone())]);
    }
    errors(harness).await
}

#[tokio::test]
async fn each_status_has_its_class_and_says_what_to_do() {
    let harness = WireHarness::start().await;
    let cases = [
        (401, "invalid_api_key", FailureClass::Misconfigured, "key-refused", "_API_KEY"),
        (401, "", FailureClass::Misconfigured, "key-refused", "OPENAI_API_KEY"),
        (402, "", FailureClass::Misconfigured, "quota-exhausted", "top it up"),
        (403, "", FailureClass::Misconfigured, "access-denied", "_MODEL"),
        (404, "model_not_found", FailureClass::Misconfigured, "model-unknown", "_MODEL"),
        (400, "model_not_found", FailureClass::Misconfigured, "model-unknown", "_MODEL"),
        (404, "", FailureClass::Misconfigured, "address-unknown", "_BASE_URL"),
        (307, "", FailureClass::Misconfigured, "redirected", "_BASE_URL"),
        (429, "insufficient_quota", FailureClass::Misconfigured, "quota-exhausted", "top it up"),
        (429, "rate_limit_exceeded", PASSING, "rate-limited", "429"),
        (400, "moderation_blocked", FailureClass::Permanent, "content-refused", "source's text"),
        (
            400,
            "content_policy_violation",
            FailureClass::Permanent,
            "content-refused",
            "source's text",
        ),
        (400, "invalid_value", FailureClass::Misconfigured, "request-refused", "invalid_value"),
        (422, "", FailureClass::Misconfigured, "request-refused", "_MODEL"),
        (413, "", FailureClass::Permanent, "content-too-long", "413"),
        (408, "", PASSING, "provider-busy", "408"),
        (409, "", PASSING, "provider-busy", "409"),
        (500, "server_error", PASSING, "provider-failed", "500"),
        (503, "", PASSING, "provider-failed", "req_1"),
        (529, "overloaded_error", PASSING, "provider-failed", "overloaded_error"),
    ];
    for (status, word, failure, code, says) in cases {
        for error in refused(&harness, &Fault::status(status, word)).await {
            assert_eq!((error.code, error.failure), (code, failure), "{status} {word}");
            assert!(error.message.contains(says), "{status} {word}: {error}");
            assert_private(&error);
        }
    }
    assert!(harness.paid().abs() < 1e-12, "refusals cost nothing");
}

#[tokio::test]
async fn waits_are_read_from_headers_and_not_from_hope() {
    let harness = WireHarness::start().await;
    for (headers, wait) in [
        (&[("retry-after", "7")][..], Some(7_000)),
        (&[("retry-after-ms", "250")], Some(250)),
        (&[("retry-after", "-1")], None),
        (
            &[
                ("date", "Mon, 23 Nov 2026 06:00:00 GMT"),
                ("retry-after", "Mon, 23 Nov 2026 06:00:30 GMT"),
            ],
            Some(30_000),
        ),
        (&[], None),
    ] {
        for status in [429, 503] {
            let fault = headers
                .iter()
                .fold(Fault::status(status, ""), |fault, (name, value)| fault.with(name, value));
            let wanted = FailureClass::Transient { retry_after: wait.map(Duration::from_millis) };
            for error in refused(&harness, &fault).await {
                assert_eq!(error.failure, wanted, "{headers:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_server_s_word_that_could_be_a_secret_is_not_repeated() {
    let harness = WireHarness::start().await;
    for word in [CANARY_KEY, "Two Words", &"a".repeat(65)] {
        for error in refused(&harness, &Fault::status(400, word)).await {
            assert!(!error.message.contains(word), "{error}");
        }
    }
}

#[tokio::test]
async fn nobody_home_passes_and_a_revoked_key_does_not() {
    let mut harness = WireHarness::with(|options| {
        options.keys = Keys::default().with(CANARY_KEY, Key::default());
    })
    .await;
    harness.simulator.set_revoked(CANARY_KEY, true);
    for error in errors(&harness).await {
        assert_eq!(error.code, "key-refused");
    }
    harness.simulator.set_revoked(CANARY_KEY, false);
    assert!(harness.writer().write(&prompt()).await.is_ok());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    harness.base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    for error in errors(&harness).await {
        assert_eq!((error.code, error.failure), ("connection-failed", PASSING));
        assert_private(&error);
    }
}

#[tokio::test]
async fn a_key_has_its_calls_a_minute_and_its_budget() {
    let key = Key::default().with_calls_per_minute(600.0).with_budget_usd(0.01);
    let harness =
        WireHarness::with(|options| options.keys = Keys::default().with(CANARY_KEY, key)).await;
    harness.painter().draw(&scene()).await.unwrap();
    let [chat, ..] = errors(&harness).await;
    assert_eq!((chat.code, chat.failure), ("quota-exhausted", FailureClass::Misconfigured));
    let calls = Key::default().with_calls_per_minute(60.0);
    let harness =
        WireHarness::with(|options| options.keys = Keys::default().with(CANARY_KEY, calls)).await;
    harness.painter().draw(&scene()).await.unwrap();
    let error = harness.painter().draw(&scene()).await.unwrap_err();
    let FailureClass::Transient { retry_after: Some(wait) } = error.failure else {
        panic!("{error:?}");
    };
    assert!(wait <= Duration::from_secs(1), "{wait:?}");
    tokio::time::sleep(wait).await;
    assert!(harness.painter().draw(&scene()).await.is_ok(), "the wait was long enough");
}
