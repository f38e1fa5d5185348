//! Answers with status 200 that are none: each is an accident once, and money that was paid is
//! booked as lost.

use std::path::Path;

use pipeline::{FailureClass, Finish, ImageGenerator, ProviderError, SpeechSynthesizer};
use tests::simulator::{Endpoint, Fault};

use crate::adapters::draft;
use crate::harness::{WireHarness, assert_private, prompt, scene, utterance};

const PASSING: FailureClass = FailureClass::Transient { retry_after: None };

async fn chat(harness: &WireHarness, fault: Fault) -> ProviderError {
    harness.simulator.script(Endpoint::Chat, [Some(fault)]);
    draft(&harness.writer(), &prompt()).await.unwrap_err()
}

async fn speech(harness: &WireHarness, fault: Fault) -> ProviderError {
    harness.simulator.script(Endpoint::Speech, [Some(fault)]);
    harness.speaker().speak(&utterance(), Path::new("/nowhere")).await.unwrap_err()
}

async fn image(harness: &WireHarness, fault: Fault) -> ProviderError {
    harness.simulator.script(Endpoint::Image, [Some(fault)]);
    harness.painter().draw(&scene()).await.unwrap_err()
}

#[tokio::test]
async fn what_is_not_of_this_api_is_an_accident_once_and_the_set_up_s_fault_twice() {
    let harness = WireHarness::start().await;
    for fault in [Fault::Html, Fault::InvalidUtf8, Fault::Empty] {
        let met = [
            chat(&harness, fault.clone()).await,
            speech(&harness, fault.clone()).await,
            image(&harness, fault.clone()).await,
        ];
        for error in met {
            assert_eq!((error.code, error.failure), ("answer-unreadable", PASSING), "{fault:?}");
            assert_eq!(error.again, Some(FailureClass::Misconfigured));
            assert!(error.message.contains("_BASE_URL"), "{error}");
            assert_private(&error);
        }
    }
}

#[tokio::test]
async fn answers_that_break_off_pass() {
    let harness = WireHarness::start().await;
    let error = chat(&harness, Fault::Reset).await;
    assert_eq!((error.code, error.failure), ("connection-broken", PASSING));
    assert_private(&error);
    harness.simulator.script(Endpoint::Chat, [Some(Fault::Truncate)]);
    let (_, finish) = draft(&harness.writer(), &prompt()).await.unwrap();
    assert_eq!(finish, Finish::Unstated, "whether it broke off, the text says");
    for (fault, code) in [(Fault::Reset, "connection-broken"), (Fault::Truncate, "speech-cut")] {
        let error = speech(&harness, fault).await;
        assert_eq!((error.code, error.failure), (code, PASSING));
        assert!(error.wasted.usd() > 0.0, "the speech was made and is paid for");
        assert_private(&error);
    }
}

#[tokio::test]
async fn a_link_is_never_followed() {
    let harness = WireHarness::start().await;
    let error = image(&harness, Fault::Link).await;
    assert_eq!((error.code, error.failure), ("image-link", FailureClass::Misconfigured));
    assert!(error.message.contains("IMAGE_MODEL"), "{error}");
    assert!(!error.message.contains("picture.png"), "{error}");
}
