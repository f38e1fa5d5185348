//! The whole pipeline on the wire: files come out of faulty answers, and the record's money is the
//! provider's journal.

use std::time::Duration;

use pipeline::FailureClass;
use stillcast_enqueue::{Format, StageName};
use tests::simulator::{Endpoint, Fault, Latency};

use crate::harness::{WireHarness, assert_private};

fn assert_money(harness: &WireHarness, spent: f64, wasted: f64) {
    let (paid, booked) = (harness.paid(), spent + wasted);
    assert!((paid - booked).abs() < 1e-9, "paid {paid}, booked {spent} + {wasted}");
}

#[tokio::test]
async fn a_video_is_made_of_bought_parts_and_its_cost_is_what_was_paid() {
    let harness = WireHarness::start().await;
    let produced = harness.produce(Format::Video).await.unwrap();
    assert!(produced.artifact.duration_s > 120.0, "{:?}", produced.artifact);
    for stage in [StageName::Transcript, StageName::Tts, StageName::Image] {
        let record = produced.stages.iter().find(|record| record.stage == stage).unwrap();
        assert_eq!(record.provider.as_deref(), Some("openai"));
        assert!(record.resources["usd"] > 0.0, "{record:?}");
    }
    assert!(produced.cost.wasted_usd.abs() < 1e-12);
    assert_money(&harness, produced.cost.spent_usd, produced.cost.wasted_usd);
}

#[tokio::test]
async fn faults_of_every_kind_delay_a_file_and_the_books_still_agree() {
    let harness = WireHarness::start().await;
    let busy = Fault::status(429, "").with("retry-after-ms", "20");
    harness.simulator.script(
        Endpoint::Chat,
        [Some(busy.clone()), Some(Fault::Reset), Some(Fault::Truncate), None],
    );
    harness.simulator.script(
        Endpoint::Speech,
        [Some(Fault::Short), Some(Fault::Silent), Some(busy), Some(Fault::Reset), None],
    );
    harness.simulator.script(
        Endpoint::Image,
        [Some(Fault::status(500, "")), Some(Fault::Truncate), Some(Fault::Html), None],
    );
    let produced = harness
        .produce_with(Format::Video, |policies| {
            for stage in StageName::ALL {
                policies.row_mut(stage).backoff.first = Duration::from_millis(10);
            }
        })
        .await
        .unwrap();
    assert!(produced.cost.wasted_usd > 0.0);
    assert_money(&harness, produced.cost.spent_usd, produced.cost.wasted_usd);
    let purchases = harness.simulator.purchases();
    let drafts = purchases.iter().filter(|purchase| purchase.endpoint == Endpoint::Chat).count();
    assert_eq!(drafts, 4, "a broken draft is gone on from, not begun anew");
}

#[tokio::test]
async fn short_and_long_drafts_become_transcripts_of_the_right_length() {
    for (fault, drafts) in [(Fault::Short, 2), (Fault::Length, 2), (Fault::Long, 2)] {
        let harness = WireHarness::start().await;
        harness.simulator.script(Endpoint::Chat, [Some(fault.clone())]);
        let produced = harness.produce(Format::Audio).await.unwrap();
        let words = produced.stages[1].resources["words"];
        assert!((400.0..=500.0).contains(&words), "{fault:?}: {words} words");
        let chats = harness.simulator.purchases();
        let chats = chats.iter().filter(|purchase| purchase.endpoint == Endpoint::Chat).count();
        assert_eq!(chats, drafts, "{fault:?}");
    }
}

#[tokio::test]
async fn spoilt_pictures_and_refused_words_end_the_job_with_their_cause() {
    for (endpoint, fault, stage, code, failure) in [
        (
            Endpoint::Image,
            Fault::Truncate,
            StageName::Image,
            "image-broken",
            FailureClass::Permanent,
        ),
        (Endpoint::Image, Fault::Short, StageName::Image, "image-unknown", FailureClass::Permanent),
        (
            Endpoint::Image,
            Fault::Huge,
            StageName::Image,
            "image-too-large",
            FailureClass::Permanent,
        ),
        (
            Endpoint::Image,
            Fault::Html,
            StageName::Image,
            "answer-unreadable",
            FailureClass::Misconfigured,
        ),
        (
            Endpoint::Chat,
            Fault::Refuse,
            StageName::Transcript,
            "content-refused",
            FailureClass::Permanent,
        ),
    ] {
        let harness = WireHarness::start().await;
        harness.simulator.script(endpoint, vec![Some(fault.clone()); 4]);
        let failed = harness.produce(Format::Video).await.unwrap_err();
        let error = &failed.error;
        assert_eq!((error.stage, error.code, error.failure), (stage, code, failure), "{fault:?}");
        let calls = harness.simulator.purchases();
        let calls = calls.iter().filter(|purchase| purchase.endpoint == endpoint).count();
        assert!(calls <= 2, "{fault:?}: {calls} calls");
        assert_eq!(error.report().provider.as_deref(), Some("openai"));
        assert_private(error);
        assert_private(&failed);
        assert_money(&harness, failed.cost.spent_usd, failed.cost.wasted_usd);
    }
}

#[tokio::test]
async fn passages_are_spoken_side_by_side_and_within_their_slots() {
    // Long enough for all slots to fill, whatever else the machine does.
    let quick = Latency { first_token: 0.0, tokens_per_s: 1e9, ..Latency::TYPICAL };
    let slow = Latency { first_audio: 2.0, real_time_factor: 0.0, ..quick };
    for (slots, least) in [(8, 4), (2, 2)] {
        let harness = WireHarness::with(|options| options.latency = slow).await;
        harness
            .produce_with(Format::Audio, |policies| policies.row_mut(StageName::Tts).slots = slots)
            .await
            .unwrap();
        let most = harness.simulator.most_at_once(Endpoint::Speech);
        assert!((least..=slots).contains(&most), "{most} calls at once in {slots} slots");
    }
}

#[tokio::test]
async fn answers_that_fall_silent_are_ended_by_the_stage_s_time() {
    let harness = WireHarness::start().await;
    harness.simulator.script(Endpoint::Chat, [Some(Fault::Stall)]);
    harness.simulator.script(Endpoint::Speech, [Some(Fault::Stall)]);
    let produced = harness
        .produce_with(Format::Audio, |policies| {
            policies.row_mut(StageName::Transcript).timeout = Duration::from_secs(2);
            policies.row_mut(StageName::Tts).timeout = Duration::from_secs(5);
        })
        .await
        .unwrap();
    // On a busy machine a sound answer may take that long too.
    let asked = harness.simulator.purchases().into_iter().filter(|p| p.endpoint == Endpoint::Chat);
    assert_eq!(produced.stages[1].tries as usize, asked.count());
    assert!(produced.stages[1].tries > 1, "the draft went on behind what was said");
    let words = produced.stages[1].resources["words"];
    assert!((400.0..=500.0).contains(&words), "{words} words");
}
