//! Speech over a socket: one response a passage, its words compared with the text, and every end that a socket can
//! have, with what was paid.

use std::path::Path;

use pipeline::{FailureClass, SpeechSynthesizer, Utterance};
use stillcast_enqueue::{Format, StageName};
use tests::simulator::{Endpoint, Fault, Latency, Prices};

use crate::harness::{WireHarness, assert_private, utterance};

const PASSING: FailureClass = FailureClass::Transient { retry_after: None };

fn saying(text: &str) -> Utterance {
    Utterance { text: text.to_owned(), ..utterance() }
}

fn price(text: &str) -> f64 {
    text.chars().count() as f64 * Prices::default().characters / 1e6
}

async fn spoken(
    voice: &impl SpeechSynthesizer,
    text: &str,
) -> Result<usize, pipeline::ProviderError> {
    let speech = voice.speak(&saying(text), Path::new("/nowhere")).await?;
    assert!((speech.usage.usd() - price(text)).abs() < 1e-9, "{:?}", speech.usage);
    Ok(speech.value.samples.len())
}

#[tokio::test]
async fn many_passages_are_spoken_on_one_socket_each_of_no_conversation() {
    let harness = WireHarness::start().await;
    let voice = harness.talker();
    for text in ["Let your shoulders rest.", "The tide goes out."] {
        let expected = text.chars().count() as f64 / tests::simulator::PACE * 24_000.0;
        let samples = spoken(&voice, text).await.unwrap() as f64;
        assert!((samples - expected).abs() < 2.0, "{samples} of {expected}");
    }
    assert_eq!(harness.simulator.calls(Endpoint::Realtime).0, 1, "one socket");
    for (asked, text) in harness.simulator.asked(Endpoint::Speech).iter().zip(["Let", "The tide"]) {
        let response = &asked["response"];
        assert_eq!(response["conversation"], "none");
        assert_eq!(response["audio"]["output"]["voice"], "marin");
        assert!(asked["input"].as_str().unwrap().starts_with(text), "{asked}");
    }
}

#[tokio::test]
async fn passages_at_once_have_a_socket_each() {
    let harness = WireHarness::start().await;
    let voice = harness.talker();
    harness.simulator.hold(Endpoint::Speech);
    let texts = ["One.", "Two.", "Three."];
    let all = futures::future::join_all(texts.map(|text| spoken(&voice, text)));
    let released = async {
        while harness.simulator.held(Endpoint::Speech) < texts.len() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        harness.simulator.release(Endpoint::Speech);
    };
    let (all, ()) = tokio::join!(all, released);
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(harness.simulator.calls(Endpoint::Realtime).0, texts.len());
}

#[tokio::test]
async fn what_was_said_before_a_socket_broke_is_booked_and_what_was_not_is_not() {
    let harness = WireHarness::start().await;
    let (voice, text) = (harness.talker(), "Snow falls on the roof, and on the hill behind it.");
    harness.simulator.script(Endpoint::Speech, [Some(Fault::Reset)]);
    let error = spoken(&voice, text).await.unwrap_err();
    assert_eq!((error.code, error.failure), ("connection-broken", PASSING));
    assert!((error.wasted.usd() - price(text)).abs() < 1e-9, "{:?}", error.wasted);
    assert_private(&error);
    spoken(&voice, text).await.unwrap();
    let paid: f64 = harness.simulator.purchases().iter().map(|one| one.usd).sum();
    assert!((paid - 2.0 * price(text)).abs() < 1e-9, "{paid}");
}

#[tokio::test]
async fn a_session_that_is_over_is_replaced_and_costs_nothing() {
    let harness = WireHarness::start().await;
    let voice = harness.talker();
    harness.simulator.script(Endpoint::Speech, [None, Some(Fault::Expire)]);
    spoken(&voice, "Breathe in.").await.unwrap();
    spoken(&voice, "Breathe out.").await.unwrap();
    assert_eq!(harness.simulator.calls(Endpoint::Realtime).0, 2);
    let paid: f64 = harness.simulator.purchases().iter().map(|one| one.usd).sum();
    assert!((paid - price("Breathe in.") - price("Breathe out.")).abs() < 1e-9, "{paid}");
}

#[tokio::test]
async fn too_many_calls_are_told_at_the_door_and_on_the_socket() {
    let harness = WireHarness::start().await;
    let voice = harness.talker();
    let refused = Fault::status(429, "rate_limit_exceeded");
    harness.simulator.script(Endpoint::Realtime, [Some(refused.clone().with("retry-after", "7"))]);
    let error = spoken(&voice, "Rest.").await.unwrap_err();
    let asked = FailureClass::Transient { retry_after: Some(std::time::Duration::from_secs(7)) };
    assert_eq!((error.code, error.failure), ("rate-limited", asked));
    harness.simulator.script(Endpoint::Speech, [Some(refused)]);
    let error = spoken(&voice, "Rest.").await.unwrap_err();
    assert_eq!((error.code, error.failure), ("rate-limited", PASSING));
    assert!(error.wasted.usd() <= 0.0, "{:?}", error.wasted);
    assert_private(&error);
    let wrong = Fault::status(401, "invalid_api_key");
    harness.simulator.script(Endpoint::Realtime, [Some(wrong)]);
    // The socket that was told so is not used again.
    let error = spoken(&voice, "Rest.").await.unwrap_err();
    assert_eq!((error.code, error.failure), ("key-refused", FailureClass::Misconfigured));
}

#[tokio::test]
async fn speech_of_other_words_is_bought_again_once() {
    let harness = WireHarness::start().await;
    let voice = harness.talker();
    let text = "Rest, and let the sea go out, and wait for it to come back to the pier, and to the boats that lie there.";
    harness.simulator.script(Endpoint::Speech, [Some(Fault::Reword), None]);
    let error = spoken(&voice, text).await.unwrap_err();
    assert_eq!((error.code, error.failure), ("speech-reworded", PASSING));
    assert!((error.wasted.usd() - price(text)).abs() < 1e-9, "{:?}", error.wasted);
    assert_private(&error);
    spoken(&voice, text).await.unwrap();
    // Nearly right will do the second time, something else will not.
    harness.simulator.script(Endpoint::Speech, [Some(Fault::Reword), Some(Fault::Reword)]);
    spoken(&voice, text).await.unwrap_err();
    spoken(&voice, text).await.unwrap();
    harness.simulator.script(Endpoint::Speech, [Some(Fault::Refuse), Some(Fault::Refuse)]);
    spoken(&voice, text).await.unwrap_err();
    let error = spoken(&voice, text).await.unwrap_err();
    assert_eq!((error.code, error.failure), ("speech-unfaithful", FailureClass::Permanent));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_file_is_spoken_over_sockets_and_its_books_are_the_provider_s() {
    let latency = Latency { first_audio: 0.02, scale: 1.0, ..Latency::NONE };
    let harness = WireHarness::with(|options| options.latency = latency).await;
    harness.simulator.script(Endpoint::Speech, [None, Some(Fault::Reword), Some(Fault::Reset)]);
    let produced = harness.produce_talking(Format::Audio).await.unwrap();
    assert!(produced.artifact.bytes > 0);
    let paid: f64 = harness.simulator.purchases().iter().map(|one| one.usd).sum();
    let cost = produced.cost;
    assert!((cost.spent_usd + cost.wasted_usd - paid).abs() < 1e-9, "{cost:?}, {paid}");
    assert!(cost.wasted_usd > 0.0, "{cost:?}");
    let speech = produced.stages.iter().find(|record| record.stage == StageName::Tts).unwrap();
    assert_eq!(speech.provider.as_deref(), Some("openai"));
}
