//! Answers with status 200 that are none: each is an accident once, and money that was paid is
//! booked as lost.

use std::path::Path;

use pipeline::{Failure, ImageGenerator, ProviderError, SpeechSynthesizer};
use tests::simulator::{Endpoint, Fault};

use crate::adapters::draft;
use crate::bench::{Bench, assert_private, prompt, scene, utterance};

const PASSING: Failure = Failure::Transient { retry_after: None };

async fn chat(bench: &Bench, fault: Fault) -> ProviderError {
    bench.simulator.script(Endpoint::Chat, [Some(fault)]);
    draft(&bench.writer(), &prompt()).await.unwrap_err()
}

async fn speech(bench: &Bench, fault: Fault) -> ProviderError {
    bench.simulator.script(Endpoint::Speech, [Some(fault)]);
    bench.speaker().speak(&utterance(), Path::new("/nowhere")).await.unwrap_err()
}

async fn image(bench: &Bench, fault: Fault) -> ProviderError {
    bench.simulator.script(Endpoint::Image, [Some(fault)]);
    bench.painter().draw(&scene()).await.unwrap_err()
}

#[tokio::test]
async fn what_is_not_of_this_api_is_an_accident_once_and_the_set_up_s_fault_twice() {
    let bench = Bench::start().await;
    for fault in [Fault::Html, Fault::InvalidUtf8, Fault::Empty] {
        let met = [
            chat(&bench, fault.clone()).await,
            speech(&bench, fault.clone()).await,
            image(&bench, fault.clone()).await,
        ];
        for error in met {
            assert_eq!((error.code, error.failure), ("answer-unreadable", PASSING), "{fault:?}");
            assert_eq!(error.again, Some(Failure::Misconfigured));
            assert!(error.message.contains("_BASE_URL"), "{error}");
            assert_private(&error);
        }
    }
}

#[tokio::test]
async fn answers_that_break_off_pass() {
    let bench = Bench::start().await;
    for (fault, code) in [(Fault::Reset, "connection-broken"), (Fault::Truncate, "transcript-cut")]
    {
        let error = chat(&bench, fault).await;
        assert_eq!((error.code, error.failure), (code, PASSING));
        assert_private(&error);
    }
    for (fault, code) in [(Fault::Reset, "connection-broken"), (Fault::Truncate, "speech-cut")] {
        let error = speech(&bench, fault).await;
        assert_eq!((error.code, error.failure), (code, PASSING));
        assert!(error.wasted.usd() > 0.0, "the speech was made and is paid for");
        assert_private(&error);
    }
}

#[tokio::test]
async fn a_link_is_never_followed() {
    let bench = Bench::start().await;
    let error = image(&bench, Fault::Link).await;
    assert_eq!((error.code, error.failure), ("image-link", Failure::Misconfigured));
    assert!(error.message.contains("IMAGE_MODEL"), "{error}");
    assert!(!error.message.contains("picture.png"), "{error}");
}
