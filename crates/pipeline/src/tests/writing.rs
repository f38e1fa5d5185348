//! Drafts that break off, stop early or run on go in; one transcript, spoken once, comes out.

use std::time::Duration;

use stillcast_enqueue::{Format, Identifier, Options, StageName};

use super::fakes::{BROKEN_USD, PASSAGES, PICTURE_USD, Step, TestRun, of};
use crate::{FailureClass, Policies, Slots, produce};

/// Words of a fake paragraph.
const PARAGRAPH: usize = 80;

fn test(steps: &[Step]) -> TestRun {
    let test = TestRun::new(Format::Audio);
    test.script(StageName::Transcript, steps.to_vec());
    test
}

#[tokio::test(start_paused = true)]
async fn a_draft_that_breaks_off_goes_on_behind_what_was_said() {
    let test = test(&[Step::Cut, Step::Succeed]);
    let produced = produce(&test.run).await.unwrap();
    assert_eq!(
        (of(&produced, StageName::Transcript).tries, of(&produced, StageName::Tts).tries),
        (2, PASSAGES)
    );
    let prompts = test.journal.prompts();
    assert_eq!(prompts[0].said, "");
    assert!(prompts[1].said.ends_with("likes. \n\n"), "up to the last whole passage");
    assert_eq!(prompts[1].words, 0..=500 - 5 * PARAGRAPH);
    // What was handed on is used, though the draft broke: it is spent and not lost.
    assert!((produced.cost.spent_usd - BROKEN_USD).abs() < 1e-9, "{:?}", produced.cost);
    assert!(produced.cost.wasted_usd.abs() < 1e-9, "{:?}", produced.cost);
}

#[tokio::test(start_paused = true)]
async fn too_few_words_are_repaired_once_by_appending() {
    let whole = test(&[]);
    produce(&whole.run).await.unwrap();
    for early in [Step::Short, Step::Limited] {
        let test = test(&[early, Step::Succeed]);
        let produced = produce(&test.run).await.unwrap();
        assert_eq!(
            (of(&produced, StageName::Transcript).tries, of(&produced, StageName::Tts).tries),
            (2, PASSAGES)
        );
        let prompts = test.journal.prompts();
        assert_eq!(prompts[1].words, 400 - 2 * PARAGRAPH..=500 - 2 * PARAGRAPH);
        assert_eq!(prompts.len(), 2);
    }
    let hopeless = test(&[Step::Short, Step::Short]);
    let failed = produce(&hopeless.run).await.unwrap_err();
    assert_eq!(failed.error.code, "transcript-too-short");
    assert_eq!(failed.error.failure, FailureClass::Transient { retry_after: None });
}

#[tokio::test(start_paused = true)]
async fn too_many_words_are_trimmed_where_nobody_has_spoken_them() {
    let test = test(&[Step::Long, Step::Long]);
    let produced = produce(&test.run).await.unwrap();
    assert_eq!(
        of(&produced, StageName::Tts).tries,
        6,
        "480 words are spoken, the other 240 never bought"
    );
    assert!(of(&produced, StageName::Transcript).resources["words"] <= 500.0);
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_nobody_can_speak_costs_the_rest_of_its_draft_only() {
    let test = test(&[Step::Garble, Step::Succeed]);
    let produced = produce(&test.run).await.unwrap();
    assert_eq!(
        (of(&produced, StageName::Transcript).tries, of(&produced, StageName::Tts).tries),
        (2, PASSAGES)
    );
}

#[tokio::test(start_paused = true)]
async fn a_broken_picture_is_an_accident_once_and_then_the_input_s_fault() {
    let test = TestRun::new(Format::Video);
    test.script(StageName::Image, [Step::Garble, Step::Succeed]);
    let produced = produce(&test.run).await.unwrap();
    assert!((produced.cost.wasted_usd - PICTURE_USD).abs() < 1e-9);
    assert!((produced.cost.spent_usd - PICTURE_USD).abs() < 1e-9);
    let picture = produced.stages.iter().find(|record| record.stage == StageName::Image).unwrap();
    assert!((picture.resources["wasted_usd"] - PICTURE_USD).abs() < 1e-9);
    let test = TestRun::new(Format::Video);
    test.script(StageName::Image, vec![Step::Garble; 4]);
    let failed = produce(&test.run).await.unwrap_err();
    assert_eq!(
        (failed.error.code, failed.error.failure),
        ("image-broken", FailureClass::Permanent)
    );
    assert!((failed.cost.wasted_usd - 2.0 * PICTURE_USD).abs() < 1e-9, "the second was the last");
}

#[tokio::test(start_paused = true)]
async fn above_its_ceiling_of_waste_nothing_is_bought_for_a_job() {
    for (limit, tries, code) in [(1.0, 1, "waste-limit"), (2.0, 2, "image-broken")] {
        let mut test = TestRun::new(Format::Video);
        let mut policies = Policies::clone(&test.run.policies);
        policies.waste_limit = limit;
        test.run.policies = policies.into();
        test.script(StageName::Image, vec![Step::Garble; 4]);
        let failed = produce(&test.run).await.unwrap_err();
        assert_eq!(failed.error.code, code, "{failed}");
        assert!((failed.cost.wasted_usd - f64::from(tries) * PICTURE_USD).abs() < 1e-9);
        let waits = failed.error.failure == FailureClass::Unequipped;
        assert_eq!(waits, code == "waste-limit", "it parks, and no breaker opens");
    }
}

/// The voice of these tests is so fast that no pauses fill the time; another try would fit as badly.
#[tokio::test(start_paused = true)]
async fn words_that_do_not_fit_end_the_job_and_say_how_long_they_take() {
    // A language whose numbers nobody reads: they are as short as they are written.
    let language = Identifier::parse("language", "fr").ok();
    let options = Options { duration: Some(180), language, ..Options::default() };
    let failed = produce(&TestRun::new(Format::Audio).with(options).run).await.unwrap_err();
    let error = failed.error;
    assert_eq!((error.code, error.failure), ("duration-out-of-reach", FailureClass::Permanent));
    assert!(
        error
            .message
            .contains("shall last 180 s, and the words with the longest pauses take 124 s")
    );
}

/// Passages are spoken side by side, and jobs run side by side: a refusal is met by one call.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_met_by_one_call_and_spares_the_others() {
    let mut test = TestRun::new(Format::Audio);
    test.run.slots = Slots::new(&test.run.policies).into();
    test.script(StageName::Tts, vec![Step::Fail(FailureClass::Misconfigured); 8]);
    let failed = produce(&test.run).await.unwrap_err();
    assert_eq!(failed.error.failure, FailureClass::Misconfigured);
    let spoken = failed.stages.iter().find(|record| record.stage == StageName::Tts).unwrap();
    assert_eq!(spoken.tries, 1, "the first call finds out alone");
}

#[tokio::test(start_paused = true)]
async fn other_failures_between_do_not_count_as_the_same_accident() {
    let test = TestRun::new(Format::Video);
    let busy = Step::Fail(FailureClass::Transient { retry_after: Some(Duration::from_secs(1)) });
    test.script(StageName::Image, [busy, Step::Garble, busy, Step::Succeed]);
    assert!(produce(&test.run).await.is_ok());
}
