//! The runner against scripted providers, with the clock in the test's hand.

mod admission;
mod budget;
mod fakes;
mod keys;
mod long;
mod observing;
mod pronouncing;
mod reuse;
pub(crate) mod shared_state;
mod warming;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use stillcast_enqueue::{Container, Format, Identifier, Source, StageName};
use tokio::time::Instant;
use uuid::Uuid;

use self::fakes::{OneConversation, PASSAGES, Step, TestRun, of};
use crate::{FailureClass, Interrupted, Policies, produce, standard};

const STAGES: [StageName; StageName::ALL.len()] = StageName::ALL;

fn transient(seconds: Option<u64>) -> Step {
    Step::Fail(FailureClass::Transient { retry_after: seconds.map(Duration::from_secs) })
}

/// A rule of the table and what it means in seconds.
#[test]
fn every_stage_has_one_row_with_the_design_s_numbers() {
    let mut policies = standard(4, 2);
    let rows: Vec<String> = STAGES
        .iter()
        .map(|stage| {
            let row = *policies.row(*stage);
            assert_eq!(row, *policies.row_mut(*stage), "{stage}");
            let (first, cap) = (row.backoff.first.as_secs_f64(), row.backoff.cap.as_secs());
            let timeout = row.timeout.as_secs();
            format!("{stage} {timeout} {} {first} {cap} {} {:?}", row.tries, row.slots, row.reuse)
        })
        .collect();
    let expected = [
        "collection 30 4 0.2 2 16 Never",
        "transcript 120 4 1 60 4 Shared",
        "tts 120 4 1 60 16 Shared",
        "image 120 4 1 60 8 Shared",
        "encode 60 2 1 5 2 PerJob",
        "upload 120 4 1 60 8 Never",
    ];
    assert_eq!(rows, expected);
}

#[test]
fn each_job_has_the_slots_to_be_spoken_while_others_are() {
    let slots = |tasks| standard(tasks, 2).row(StageName::Tts).slots;
    assert_eq!([1, 2, 4, 16].map(slots), [8, 8, 16, 64]);
}

#[test]
fn the_attempt_budget_is_content_then_encode_and_upload_at_their_worst_then_slack() {
    let policies = standard(4, 2);
    let upload = 4 * 120 + (1 + 2 + 4);
    let audio = 300 + (2 * 60 + 1) + upload + 30;
    let budget = |format, minutes| policies.attempt_budget(format, Duration::from_mins(minutes));
    assert_eq!(budget(Format::Audio, 0), Duration::from_secs(audio));
    assert_eq!(budget(Format::Audio, 10), Duration::from_secs(audio), "a file of ordinary length");
    assert_eq!(budget(Format::Video, 0), Duration::from_secs(audio + 2 * 60));
    // Six times the content and the encode of a file of ten minutes, and its upload once.
    let hour = 6 * 300 + (6 * 2 * 60 + 1) + upload + 30;
    assert_eq!(budget(Format::Audio, 60), Duration::from_secs(hour));
}

#[test]
fn ceilings_double_up_to_the_cap() {
    let ceilings = |policies: &Policies| -> Vec<u64> {
        policies
            .row(StageName::Upload)
            .backoff
            .ceilings(9)
            .map(|ceiling| ceiling.as_secs())
            .collect()
    };
    assert_eq!(ceilings(&standard(4, 2)), [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[tokio::test(start_paused = true)]
async fn a_job_delivers_and_each_stage_gives_its_account() {
    let test = TestRun::new(Format::Video);
    let produced = produce(&test.run).await.unwrap();
    assert_eq!(produced.artifact.key, "delivered");
    let stages: Vec<StageName> = produced.stages.iter().map(|record| record.stage).collect();
    assert_eq!(stages, STAGES);
    let tts = of(&produced, StageName::Tts);
    assert_eq!((tts.provider.as_deref(), tts.tries), (Some("fake"), PASSAGES));
    assert!((tts.resources["calls"] - f64::from(PASSAGES)).abs() < 0.1);
    let encoded = test.journal.encoded();
    let silence = crate::sound::silence(Duration::from_secs(3));
    assert!(encoded.windows(silence.len()).any(|window| window == silence), "the pause is exact");
    assert_eq!(test.journal.ended(), STAGES);
    // Speech is the long part: it is what a reader sees from its first passage to its last.
    let [collection, transcript, tts, image, encode, upload] = STAGES;
    assert_eq!(test.journal.began(), [collection, image, transcript, tts, encode, upload]);
}

#[tokio::test(start_paused = true)]
async fn an_audio_job_draws_nothing() {
    let test = TestRun::new(Format::Audio);
    let produced = produce(&test.run).await.unwrap();
    assert!(produced.stages.iter().all(|record| record.stage != StageName::Image));
    assert!(!test.journal.calls().contains(&StageName::Image));
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_tried_again_with_back_off_in_every_stage() {
    for stage in [StageName::Transcript, StageName::Image, StageName::Tts, StageName::Upload] {
        let test = TestRun::new(Format::Video);
        test.script(stage, [transient(None), transient(None), Step::Succeed]);
        let began = Instant::now();
        let produced = produce(&test.run).await.unwrap();
        let record = produced.stages.iter().find(|record| record.stage == stage).unwrap();
        let calls = if stage == StageName::Tts { PASSAGES } else { 1 };
        assert_eq!(record.tries, calls + 2, "{stage}");
        assert!(began.elapsed() <= Duration::from_secs(1 + 2), "{stage}: ceilings 1 s and 2 s");
    }
}

#[tokio::test(start_paused = true)]
async fn an_encoder_that_breaks_gets_the_whole_sound_again() {
    let test = TestRun::new(Format::Video);
    produce(&test.run).await.unwrap();
    let whole = test.journal.encoded();
    let broken = TestRun::new(Format::Video);
    broken.script(StageName::Encode, [transient(None), Step::Succeed]);
    let produced = produce(&broken.run).await.unwrap();
    assert_eq!(broken.journal.encoded(), whole);
    let encode = of(&produced, StageName::Encode);
    assert_eq!((encode.stage, encode.tries), (StageName::Encode, 2));
}

#[tokio::test(start_paused = true)]
async fn what_a_failure_means_decides_what_happens() {
    let timeout = transient(None);
    // stage, steps, failure, code, calls made, whether the job parks
    let cases = [
        (StageName::Image, vec![timeout; 4], "fake-transient", 4, None),
        (StageName::Image, vec![Step::Fail(FailureClass::Permanent)], "fake-permanent", 1, None),
        (
            StageName::Upload,
            vec![Step::Fail(FailureClass::Misconfigured)],
            "fake-misconfigured",
            1,
            None,
        ),
        // A wait above the cap of 60 s parks; one below is kept and then tried again.
        (StageName::Image, vec![transient(Some(61))], "fake-transient", 1, Some(61)),
        (
            StageName::Image,
            vec![transient(Some(9)), transient(Some(99))],
            "fake-transient",
            2,
            Some(99),
        ),
        (StageName::Image, vec![Step::Hang; 4], "content-timeout", 3, None),
        (StageName::Upload, vec![Step::Hang; 4], "timeout", 4, None),
    ];
    for (stage, steps, code, calls, park) in cases {
        let test = TestRun::new(Format::Video);
        test.script(stage, steps);
        let failed = produce(&test.run).await.unwrap_err();
        let made = test.journal.calls().iter().filter(|call| **call == stage).count();
        assert_eq!((failed.error.code, made), (code, calls), "{failed}");
        assert_eq!(failed.error.park, park.map(Duration::from_secs), "{failed}");
        assert_eq!(failed.error.stage, stage);
        assert!(failed.stages.iter().any(|record| record.stage == stage));
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_budget_left_parks_even_below_the_cap() {
    let mut test = TestRun::new(Format::Video);
    test.policies(|policies| policies.content_timeout = Duration::from_secs(20));
    test.script(StageName::Image, [transient(Some(30))]);
    let failed = produce(&test.run).await.unwrap_err();
    assert_eq!(failed.error.park, Some(Duration::from_secs(30)));
}

#[tokio::test(start_paused = true)]
async fn content_has_a_time_of_its_own() {
    let test = TestRun::new(Format::Video);
    test.script(StageName::Transcript, vec![Step::Hang; 4]);
    let began = Instant::now();
    let failed = produce(&test.run).await.unwrap_err();
    assert_eq!(failed.error.code, "content-timeout");
    assert_eq!(failed.error.failure, FailureClass::Transient { retry_after: None });
    assert!(failed.error.message.contains("CONTENT_GENERATION_TIMEOUT"), "{failed}");
    let took = began.elapsed().as_secs();
    assert!((298..=301).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn a_failed_branch_awaits_its_siblings_calls_and_begins_none() {
    let mut test = TestRun::new(Format::Video);
    // Two passages are being spoken when the picture is refused; the third has not begun.
    test.policies(|policies| policies.row_mut(StageName::Tts).slots = 2);
    test.script(StageName::Tts, vec![Step::Slow(Duration::from_secs(50)); 5]);
    test.script(StageName::Image, [transient(None), Step::Fail(FailureClass::Permanent)]);
    let began = Instant::now();
    let failed = produce(&test.run).await.unwrap_err();
    assert_eq!((failed.error.stage, failed.error.code), (StageName::Image, "fake-permanent"));
    assert_eq!(began.elapsed().as_secs(), 50, "the calls in flight were awaited");
    let count = |stage| test.journal.calls().iter().filter(|call| **call == stage).count();
    assert_eq!((count(StageName::Tts), test.journal.finished(StageName::Tts)), (2, 2));
    assert_eq!(count(StageName::Upload), 0);
    assert_eq!(test.journal.open_encoders(), 0, "the encoder was dropped");
}

#[tokio::test(start_paused = true)]
async fn a_refused_passage_is_the_last_one_bought() {
    let mut test = TestRun::new(Format::Audio);
    test.policies(|policies| policies.row_mut(StageName::Tts).slots = 1);
    test.script(StageName::Tts, [Step::Succeed, Step::Fail(FailureClass::Permanent)]);
    let failed = produce(&test.run).await.unwrap_err();
    assert_eq!(failed.error.code, "fake-permanent");
    let spoken = test.journal.calls().iter().filter(|call| **call == StageName::Tts).count();
    assert_eq!(spoken, 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_bought_for_a_file_that_the_encoder_does_not_make() {
    let mut test = TestRun::new(Format::Audio);
    test.journal.refuse(Container::Opus);
    produce(&test.run).await.unwrap();
    let before = test.journal.calls();
    test.run.request.options.container = Some(Container::Opus);
    let failed = produce(&test.run).await.unwrap_err();
    assert_eq!((failed.error.stage, failed.error.code), (StageName::Encode, "container-refused"));
    assert_eq!(test.journal.calls(), before, "nobody was called");
}

#[tokio::test(start_paused = true)]
async fn a_set_up_at_fault_ends_the_buying_and_is_tried_again_by_one_call() {
    let mut test = TestRun::new(Format::Audio);
    test.policies(|policies| policies.row_mut(StageName::Tts).slots = 2);
    let refused = Step::Fail(FailureClass::Misconfigured);
    test.script(StageName::Tts, [Step::Slow(Duration::from_secs(50)), refused, refused]);
    for spoken in [2, 3] {
        let failed = produce(&test.run).await.unwrap_err();
        assert_eq!(failed.error.code, "fake-misconfigured");
        let calls = test.journal.calls();
        assert_eq!(calls.iter().filter(|call| **call == StageName::Tts).count(), spoken);
    }
    produce(&test.run).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_begins_behind_a_closed_gate() {
    for open in 0..9 {
        let test = TestRun::new(Format::Video);
        test.close_gate_after(open);
        let failed = produce(&test.run).await.unwrap_err();
        assert_eq!(
            (failed.error.failure, failed.error.code),
            (FailureClass::Interrupted, "lease-lost")
        );
        assert!(test.journal.paid() <= open, "{open}: {:?}", test.journal.calls());
    }
    let reason = Interrupted { reason: "drain" };
    assert_eq!(reason.to_string(), "interrupted: drain");
}

#[tokio::test(start_paused = true)]
async fn cancelling_drops_everything_in_flight_at_once() {
    let test = TestRun::new(Format::Video);
    test.script(StageName::Tts, vec![Step::Hang; 5]);
    let cancel = test.run.cancel.clone();
    let began = Instant::now();
    let (produced, ()) = tokio::join!(produce(&test.run), async {
        tokio::time::sleep(Duration::from_secs(7)).await;
        cancel.cancel();
    });
    let failed = produced.unwrap_err();
    assert_eq!((failed.error.failure, failed.error.code), (FailureClass::Interrupted, "cancelled"));
    assert_eq!(began.elapsed().as_secs(), 7);
    assert_eq!(test.journal.open_encoders(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_encoder_that_waits_for_speech_spends_none_of_its_time() {
    let test = TestRun::new(Format::Audio);
    // Ninety seconds of waiting: more than the encode stage's whole time-out.
    test.script(StageName::Tts, [Step::Slow(Duration::from_secs(90))]);
    let produced = produce(&test.run).await.unwrap();
    let encode = produced.stages.iter().find(|record| record.stage == StageName::Encode).unwrap();
    assert!(encode.run_s < 1.0, "{encode:?}");
    let stuck = TestRun::new(Format::Audio);
    stuck.script(StageName::Encode, vec![Step::Hang; 2]);
    let failed = produce(&stuck.run).await.unwrap_err();
    assert_eq!((failed.error.stage, failed.error.code), (StageName::Encode, "timeout"));
}

#[tokio::test(start_paused = true)]
async fn the_steps_of_an_encode_share_its_time() {
    let test = TestRun::new(Format::Video);
    let slow = |seconds| Step::Slow(Duration::from_secs(seconds));
    // Each step is below the 120 s of a video, both together are not; the second try is quick.
    test.script(StageName::Encode, [slow(70), slow(70)]);
    let produced = produce(&test.run).await.unwrap();
    assert_eq!(of(&produced, StageName::Encode).tries, 2);
    let other = TestRun::new(Format::Video);
    other.script(StageName::Encode, [slow(50), slow(50)]);
    assert_eq!(of(&produce(&other.run).await.unwrap(), StageName::Encode).tries, 1);
}

#[tokio::test(start_paused = true)]
async fn a_transcript_that_breaks_the_contract_is_never_spoken_to_the_end() {
    let test = TestRun::new(Format::Audio);
    test.script(StageName::Transcript, vec![Step::Garble; 4]);
    let failed = produce(&test.run).await.unwrap_err();
    assert_eq!(
        (failed.error.stage, failed.error.code),
        (StageName::Transcript, "transcript-not-plain")
    );
}

#[tokio::test(start_paused = true)]
async fn silent_speech_counts_as_a_failed_try() {
    let test = TestRun::new(Format::Audio);
    test.script(StageName::Tts, [Step::Garble, Step::Succeed]);
    let produced = produce(&test.run).await.unwrap();
    assert_eq!(of(&produced, StageName::Tts).tries, PASSAGES + 1);
}

#[tokio::test(start_paused = true)]
async fn produce_can_be_spawned() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let test = TestRun::new(Format::Audio);
    assert!(assert_send(produce(&test.run)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_conversation_is_collected_and_its_account_says_what_was_cut() {
    let id = Uuid::now_v7();
    let about = |tenant: &str, source: Source| {
        let mut test = TestRun::new(Format::Audio);
        test.run.request.source = source;
        test.run.request.tenant = tenant.to_owned();
        test.run.providers.sources = Some(Arc::new(OneConversation(id)));
        test
    };
    let produced = produce(&about("default", Source::Conversation(id)).run).await.unwrap();
    let collection = of(&produced, StageName::Collection);
    assert_eq!(collection.provider.as_deref(), Some("fake-database"));
    for (name, amount) in [
        ("characters", 3_000.0),
        ("cut_characters", 1_002.0),
        ("messages", 1.0),
        ("empty_rows", 2.0),
    ] {
        assert!((collection.resources[name] - amount).abs() < 0.1, "{name}: {collection:?}");
    }

    let code = async |test: TestRun| produce(&test.run).await.unwrap_err().error.code;
    assert_eq!(code(about("other", Source::Conversation(id))).await, "conversation-not-found");
    let mut without = about("default", Source::Conversation(id));
    without.run.providers.sources = None;
    assert_eq!(code(without).await, "database-missing");
    let later = Identifier::parse("source", "playlist").unwrap();
    assert_eq!(code(about("default", Source::Unknown(later))).await, "source-unknown");
    let mut unfit = about("default", Source::Text("Rain.".to_owned()));
    unfit.run.request.options.container = Some(Container::Mp4);
    assert_eq!(code(unfit).await, "container-unfit");
}
