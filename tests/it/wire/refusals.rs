//! Statuses and headers go over the wire; each has one class, for every capability.

use std::path::Path;
use std::time::Duration;

use pipeline::{Failure, ImageGenerator, ProviderError, SpeechSynthesizer, TranscriptWriter};
use tests::simulator::{Endpoint, Fault, Key, Keys};

use crate::bench::{Bench, CANARY_KEY, assert_private, prompt, scene, utterance};

const PASSING: Failure = Failure::Transient { retry_after: None };

/// What a call of each capability meets.
async fn errors(bench: &Bench) -> [ProviderError; 3] {
    [
        bench.writer().write(&prompt()).await.err().expect("refused"),
        bench.speaker().speak(&utterance(), Path::new("/nowhere")).await.unwrap_err(),
        bench.painter().draw(&scene()).await.unwrap_err(),
    ]
}

async fn refused(bench: &Bench, fault: &Fault) -> [ProviderError; 3] {
    for endpoint in [Endpoint::Chat, Endpoint::Speech, Endpoint::Image] {
        bench.simulator.script(endpoint, [Some(fault.clone())]);
    }
    errors(bench).await
}

#[tokio::test]
async fn each_status_has_its_class_and_says_what_to_do() {
    let bench = Bench::start().await;
    let cases = [
        (401, "invalid_api_key", Failure::Misconfigured, "key-refused", "_API_KEY"),
        (401, "", Failure::Misconfigured, "key-refused", "OPENAI_API_KEY"),
        (402, "", Failure::Misconfigured, "quota-exhausted", "top it up"),
        (403, "", Failure::Misconfigured, "access-denied", "_MODEL"),
        (404, "model_not_found", Failure::Misconfigured, "model-unknown", "_MODEL"),
        (400, "model_not_found", Failure::Misconfigured, "model-unknown", "_MODEL"),
        (404, "", Failure::Misconfigured, "address-unknown", "_BASE_URL"),
        (307, "", Failure::Misconfigured, "redirected", "_BASE_URL"),
        (429, "insufficient_quota", Failure::Misconfigured, "quota-exhausted", "top it up"),
        (429, "rate_limit_exceeded", PASSING, "rate-limited", "429"),
        (400, "moderation_blocked", Failure::Permanent, "content-refused", "source's text"),
        (400, "content_policy_violation", Failure::Permanent, "content-refused", "source's text"),
        (400, "invalid_value", Failure::Permanent, "request-refused", "invalid_value"),
        (422, "", Failure::Permanent, "request-refused", "422"),
        (413, "", Failure::Permanent, "request-refused", "413"),
        (408, "", PASSING, "provider-busy", "408"),
        (409, "", PASSING, "provider-busy", "409"),
        (500, "server_error", PASSING, "provider-failed", "500"),
        (503, "", PASSING, "provider-failed", "req_1"),
        (529, "overloaded_error", PASSING, "provider-failed", "overloaded_error"),
    ];
    for (status, word, failure, code, says) in cases {
        for error in refused(&bench, &Fault::status(status, word)).await {
            assert_eq!((error.code, error.failure), (code, failure), "{status} {word}");
            assert!(error.message.contains(says), "{status} {word}: {error}");
            assert_private(&error);
        }
    }
    assert!(bench.paid().abs() < 1e-12, "refusals cost nothing");
}

#[tokio::test]
async fn waits_are_read_from_headers_and_not_from_hope() {
    let bench = Bench::start().await;
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
            let wanted = Failure::Transient { retry_after: wait.map(Duration::from_millis) };
            for error in refused(&bench, &fault).await {
                assert_eq!(error.failure, wanted, "{headers:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_server_s_word_that_could_be_a_secret_is_not_repeated() {
    let bench = Bench::start().await;
    for word in [CANARY_KEY, "Two Words", &"a".repeat(65)] {
        for error in refused(&bench, &Fault::status(400, word)).await {
            assert!(!error.message.contains(word), "{error}");
        }
    }
}

#[tokio::test]
async fn nobody_home_passes_and_a_revoked_key_does_not() {
    let mut bench = Bench::with(|options| {
        options.keys = Keys::default().with(CANARY_KEY, Key::default());
    })
    .await;
    bench.simulator.set_revoked(CANARY_KEY, true);
    for error in errors(&bench).await {
        assert_eq!(error.code, "key-refused");
    }
    bench.simulator.set_revoked(CANARY_KEY, false);
    assert!(bench.writer().write(&prompt()).await.is_ok());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    bench.base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    for error in errors(&bench).await {
        assert_eq!((error.code, error.failure), ("connection-failed", PASSING));
        assert_private(&error);
    }
}

#[tokio::test]
async fn a_key_has_its_calls_a_minute_and_its_budget() {
    let key = Key::default().with_calls_per_minute(600.0).with_budget_usd(0.01);
    let bench = Bench::with(|options| options.keys = Keys::default().with(CANARY_KEY, key)).await;
    bench.painter().draw(&scene()).await.unwrap();
    let [chat, ..] = errors(&bench).await;
    assert_eq!((chat.code, chat.failure), ("quota-exhausted", Failure::Misconfigured));
    let calls = Key::default().with_calls_per_minute(60.0);
    let bench = Bench::with(|options| options.keys = Keys::default().with(CANARY_KEY, calls)).await;
    bench.painter().draw(&scene()).await.unwrap();
    let error = bench.painter().draw(&scene()).await.unwrap_err();
    let Failure::Transient { retry_after: Some(wait) } = error.failure else {
        panic!("{error:?}");
    };
    assert!(wait <= Duration::from_secs(1), "{wait:?}");
    tokio::time::sleep(wait).await;
    assert!(bench.painter().draw(&scene()).await.is_ok(), "the wait was long enough");
}
