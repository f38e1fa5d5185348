//! What was paid for is not paid for again: recall order, winners, pins, flights, and what becomes
//! of it all when cache or store break.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use stillcast_enqueue::{Aspect, Bed, Container, Format, Identifier, Options, StageName};
use tokio::time::Instant;

use super::fakes::{PASSAGES, PICTURE_USD, Step, TestRun, of};
use super::shared_state::SharedState;
use crate::reuse::{CacheValue, digest};
use crate::{Failed, FailureClass, OtherJob, Produced, produce};

const PAID: [StageName; 3] = [StageName::Transcript, StageName::Tts, StageName::Image];

fn shared() -> Arc<SharedState> {
    Arc::new(SharedState::default())
}

fn transient() -> Step {
    Step::Fail(FailureClass::Transient { retry_after: None })
}

/// Paid calls of a test: transcript, tts, image.
fn paid(test: &TestRun) -> [usize; 3] {
    let calls = test.journal.calls();
    PAID.map(|stage| calls.iter().filter(|call| **call == stage).count())
}

/// The flights that a parked job waits for.
fn flights(failed: &Failed) -> Vec<String> {
    match failed.error.other_job.as_deref() {
        Some(OtherJob::Flights(keys)) => keys.clone(),
        _ => Vec::new(),
    }
}

const ALL: [usize; 3] = [1, PASSAGES as usize, 1];

async fn made(test: &TestRun) -> Produced {
    test.attempt().await.unwrap()
}

async fn failed(test: &TestRun) -> Failed {
    test.attempt().await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn recall_goes_from_the_own_checkpoint_over_the_cache_to_the_flight() {
    let shared = shared();
    let test = TestRun::of(&shared, Format::Video);
    made(&test).await;
    let told = shared.told_of("image");
    let order = ["recall", "get", "join", "get", "put", "remember", "land-stored"];
    assert_eq!(told, order, "the flight was ours, so the cache was asked again before paying");
    let failing = TestRun::of(&shared, Format::Video).saying("another text");
    failing.script(StageName::Upload, [Step::Fail(FailureClass::Misconfigured)]);
    failed(&failing).await;
    shared.told_of("image");
    made(&failing).await;
    assert_eq!(shared.told_of("image"), ["recall"], "the own checkpoint answers first");
}

#[tokio::test(start_paused = true)]
async fn a_second_job_of_the_same_gets_a_copy_and_its_record_says_so() {
    let shared = shared();
    made(&TestRun::of(&shared, Format::Video)).await;
    let second = TestRun::of(&shared, Format::Video);
    let produced = made(&second).await;
    assert_eq!((paid(&second), produced.artifact.key.as_str()), ([0; 3], "copied"));
    let skipped: Vec<StageName> =
        produced.stages.iter().filter(|stage| stage.cached).map(|stage| stage.stage).collect();
    assert_eq!(skipped, StageName::ALL[1..]);
    assert!(produced.stages[1..].iter().all(|stage| stage.tries == 0));
    assert_eq!(of(&produced, StageName::Transcript).provider.as_deref(), Some("fake"));
    assert!((produced.cost.avoided_usd - PICTURE_USD).abs() < 1e-9, "{:?}", produced.cost);
    assert!(produced.cost.spent_usd.abs() < 1e-9);
    assert!(!second.journal.calls().contains(&StageName::Encode));
}

/// The first job has drawn the picture and gave way; another has used it and delivered.
#[tokio::test(start_paused = true)]
async fn a_copy_does_not_spare_a_job_what_it_has_paid() {
    let shared = shared();
    let first = TestRun::of(&shared, Format::Video);
    first.script(StageName::Encode, [Step::Fail(FailureClass::Misconfigured)]);
    let gave_way = failed(&first).await;
    assert!((gave_way.cost.spent_usd - PICTURE_USD).abs() < 1e-9, "{:?}", gave_way.cost);
    made(&TestRun::of(&shared, Format::Video)).await;
    let copied = made(&first).await;
    assert_eq!(copied.artifact.key, "copied");
    assert!(copied.cost.avoided_usd.abs() < 1e-9, "{:?}", copied.cost);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_is_gone_is_made_anew_without_paying() {
    let shared = shared();
    made(&TestRun::of(&shared, Format::Video)).await;
    let second = TestRun::of(&shared, Format::Video);
    second.journal.lose_deliveries();
    shared.told_of("");
    let produced = made(&second).await;
    assert_eq!(paid(&second), [0; 3]);
    assert_eq!(produced.artifact.key, "delivered");
    let cached = |stage: StageName| produced.stages.iter().any(|r| r.stage == stage && r.cached);
    assert!(PAID.into_iter().all(cached), "{:?}", produced.stages);
    assert!(!cached(StageName::Encode) && !cached(StageName::Upload));
    // Sound that was there already says as much of what is said when as sound that is just spoken.
    let captions = second.journal.captions();
    assert!(captions.srt().lines().count() > 4 * PASSAGES as usize, "{captions:?}");
    let other = TestRun::of(&Arc::new(SharedState::default()), Format::Video);
    made(&other).await;
    assert_eq!(other.journal.captions(), captions);
    let told = shared.told_of("delivery");
    assert!(told.starts_with(&["recall".into(), "get".into(), "delete".into()]), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn whatever_changes_a_result_changes_its_key() {
    let shared = shared();
    made(&TestRun::of(&shared, Format::Video)).await;
    let first = shared.keys();
    let mut kinds: Vec<&str> = first.iter().filter_map(|key| key.split('/').nth(1)).collect();
    kinds.dedup();
    assert_eq!(kinds, ["delivery", "image", "passage", "transcript", "tts"]);
    let identifier = |text| Identifier::parse("voice", text).ok();
    let fresh = Options { variant: 7, ..Options::default() };
    let spoken = Options { voice: identifier("low"), ..Options::default() };
    let foreign = Options { language: identifier("de"), ..Options::default() };
    // changed, and paid for again: transcript, tts, image
    let test = || TestRun::of(&shared, Format::Video);
    let cases = [
        // The fake writes the same words whatever it reads, and what is spoken is spoken.
        (test().saying("another text"), [1, 0, 1]),
        (test().of_tenant("another"), ALL),
        (test().with(fresh), ALL),
        (test().with(spoken), [0, PASSAGES as usize, 0]),
        (test().with(foreign), [1, PASSAGES as usize, 0]),
        (TestRun::of(&shared, Format::Audio), [0, 0, 0]),
        (test().revised(), ALL),
    ];
    for (number, (test, calls)) in cases.into_iter().enumerate() {
        made(&test).await;
        assert_eq!(paid(&test), calls, "case {number}");
    }
}

/// What a provider has sent is kept before anybody listens to it: whoever dies while they do has paid
/// nothing for nothing.
#[tokio::test(start_paused = true)]
async fn what_has_come_is_kept_before_it_is_heard() {
    let shared = shared();
    for shares in [true, false] {
        let test = TestRun::sharing(&shared, Format::Audio, shares).saying("died in the middle");
        test.journal.deafen(true);
        let dies = tokio::time::timeout(Duration::from_secs(5), test.attempt()).await;
        assert!(dies.is_err(), "nobody hears to the end");
        let bought = paid(&test)[1];
        assert!(bought > 0);
        test.journal.deafen(false);
        shared.leave(test.run.request.job.as_str());
        made(&test).await;
        assert_eq!(paid(&test), [1, PASSAGES as usize, 0], "{bought} were bought before");
    }
}

/// A recording that does not sound right is bought again, and the good one is kept beside it.
#[tokio::test(start_paused = true)]
async fn what_came_and_was_of_no_use_does_not_hide_what_came_next() {
    let shared = shared();
    let test = TestRun::sharing(&shared, Format::Video, false);
    test.script(StageName::Tts, [Step::Garble]);
    test.script(StageName::Image, [Step::Garble]);
    test.script(StageName::Upload, [Step::Fail(FailureClass::Misconfigured)]);
    failed(&test).await;
    assert_eq!(paid(&test), [1, PASSAGES as usize + 1, 2]);
    made(&test).await;
    assert_eq!(paid(&test), [1, PASSAGES as usize + 1, 2], "nothing was bought again");
}

#[tokio::test(start_paused = true)]
async fn finished_calls_of_a_failed_attempt_are_not_repeated() {
    let shared = shared();
    for shares in [true, false] {
        for stage in [StageName::Encode, StageName::Upload] {
            let test = TestRun::sharing(&shared, Format::Video, shares).saying(stage.as_str());
            test.script(stage, [Step::Fail(FailureClass::Misconfigured)]);
            failed(&test).await;
            assert_eq!(paid(&test), ALL);
            // The cache's time is over, and still nothing is paid for again.
            shared.expire();
            let produced = made(&test).await;
            assert_eq!(paid(&test), ALL, "{stage}");
            let tts = produced.stages.iter().find(|record| record.stage == StageName::Tts);
            assert!(tts.is_some_and(|record| record.cached && record.tries == 0), "{tts:?}");
            assert!(produced.cost.avoided_usd.abs() < 1e-9, "it was this job that paid");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn passages_and_words_of_a_transcript_that_broke_off_are_kept() {
    let test = TestRun::new(Format::Audio);
    let mut steps = vec![Step::Short];
    steps.extend([transient(); 4]);
    test.script(StageName::Transcript, steps);
    let error = failed(&test).await.error;
    assert_eq!(error.stage, StageName::Transcript);
    let spoken = paid(&test)[1];
    assert_eq!(spoken, 2, "what was written was spoken");
    let produced = made(&test).await;
    assert_eq!(paid(&test)[1], PASSAGES as usize, "no passage was spoken twice");
    let prompts = test.journal.prompts();
    assert!(!prompts.last().unwrap().said.is_empty(), "the writer went on behind what was said");
    assert_eq!(of(&produced, StageName::Tts).tries as usize, PASSAGES as usize - spoken);
}

#[tokio::test(start_paused = true)]
async fn siblings_in_flight_are_awaited_and_remembered() {
    let mut test = TestRun::new(Format::Video);
    test.policies(|policies| policies.row_mut(StageName::Tts).slots = 2);
    test.script(StageName::Tts, vec![Step::Slow(Duration::from_secs(50)); 2]);
    test.script(StageName::Image, [transient(), Step::Fail(FailureClass::Misconfigured)]);
    failed(&test).await;
    assert_eq!(paid(&test), [1, 2, 2]);
    made(&test).await;
    assert_eq!(paid(&test), [1, PASSAGES as usize, 3], "two passages and the words were kept");
}

#[tokio::test(start_paused = true)]
async fn who_is_outrun_takes_the_winner_s_picture_and_pins_it() {
    let shared = shared();
    let test = TestRun::of(&shared, Format::Video);
    let theirs = Bytes::from_static(b"\x89PNG theirs");
    shared.outrun("image", CacheValue::of(&theirs, digest(&theirs), 0.5).encode());
    test.script(StageName::Upload, [Step::Fail(FailureClass::Misconfigured)]);
    failed(&test).await;
    assert_eq!(test.journal.shown(), theirs);
    shared.expire();
    made(&test).await;
    assert_eq!(test.journal.shown(), theirs, "a job uses no other than it used before");
    assert_eq!(paid(&test)[2], 1);
}

#[tokio::test(start_paused = true)]
async fn words_that_are_spoken_already_stay_and_are_pinned() {
    let shared = shared();
    let test = TestRun::of(&shared, Format::Audio);
    let theirs = Bytes::from_static(b"Other words.\n\n");
    shared.outrun("transcript", CacheValue::of(&theirs, digest(&theirs), 0.0).encode());
    made(&test).await;
    assert_eq!(paid(&test), [1, PASSAGES as usize, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_broken_cache_makes_it_dearer_and_never_fails() {
    let shared = shared();
    shared.cache_down(true);
    for _ in 0..2 {
        let test = TestRun::of(&shared, Format::Video);
        made(&test).await;
        assert_eq!(paid(&test), ALL);
        shared.leave(test.run.request.job.as_str());
    }
    shared.cache_down(false);
    let damaged = TestRun::of(&shared, Format::Video).saying("damaged");
    made(&damaged).await;
    shared.sweep();
    let again = TestRun::of(&shared, Format::Video).saying("damaged");
    again.journal.lose_deliveries();
    made(&again).await;
    assert_eq!(paid(&again), [0, PASSAGES as usize, 0], "the track's object was swept");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_read_is_waited_for_and_not_paid_around() {
    let shared = shared();
    let test = TestRun::of(&shared, Format::Video);
    test.script(StageName::Upload, [Step::Fail(FailureClass::Misconfigured)]);
    failed(&test).await;
    shared.expire();
    shared.store_down(true);
    let error = failed(&test).await.error;
    assert_eq!(error.code, "store-failed");
    assert_eq!(error.failure, FailureClass::Transient { retry_after: None });
    assert_eq!(paid(&test), ALL);
    shared.store_down(false);
    made(&test).await;
    assert_eq!(paid(&test), ALL);
}

/// The worker died between the upload and its report, or could not share what it had delivered.
#[tokio::test(start_paused = true)]
async fn a_job_that_has_delivered_delivers_no_other_file() {
    let test = TestRun::new(Format::Video);
    made(&test).await;
    let done = test.journal.calls();
    let again = made(&test).await;
    assert_eq!(again.artifact.sha256, "0".repeat(64));
    assert_eq!(test.journal.calls(), done, "nothing was made, encoded or uploaded again");
    assert!(again.stages[1..].iter().all(|stage| stage.cached), "{:?}", again.stages);
    test.journal.lose_deliveries();
    assert_eq!(made(&test).await.artifact.key, "delivered", "a file that is gone is made anew");
    assert_eq!(paid(&test), ALL);
}

#[tokio::test(start_paused = true)]
async fn without_sharing_only_checkpoints_are_used() {
    let shared = shared();
    for _ in 0..2 {
        let test = TestRun::sharing(&shared, Format::Video, false);
        made(&test).await;
        assert_eq!(paid(&test), ALL);
    }
    assert!(shared.keys().is_empty());
    assert_eq!((shared.objects("cache/"), shared.owned()), (0, 0));
    assert!(shared.objects("work/") > 0);
}

#[tokio::test(start_paused = true)]
async fn what_an_owner_that_died_has_bought_serves_its_heir() {
    let shared = shared();
    let mut owner = TestRun::of(&shared, Format::Audio);
    owner.policies(|policies| policies.row_mut(StageName::Tts).slots = 1);
    owner.script(StageName::Tts, [Step::Succeed, Step::Succeed, Step::Hang]);
    tokio::select! {
        _ = produce(&owner.run) => panic!("it hangs"),
        () = tokio::time::sleep(Duration::from_mins(1)) => {}
    }
    shared.leave(owner.run.request.job.as_str());
    let heir = TestRun::of(&shared, Format::Audio);
    made(&heir).await;
    assert_eq!(paid(&heir), [0, PASSAGES as usize - 2, 0]);
}

#[tokio::test(start_paused = true)]
async fn many_jobs_of_the_same_pay_once() {
    let shared = shared();
    let runs: Vec<TestRun> = (0..12)
        .map(|n| TestRun::of(&shared, if n % 2 == 0 { Format::Video } else { Format::Audio }))
        .collect();
    for test in &runs {
        test.script(StageName::Transcript, [Step::Slow(Duration::from_secs(9))]);
    }
    // A job that parks comes again, as the queue would have it.
    let until_made = |test| async move {
        loop {
            match TestRun::attempt(test).await {
                Ok(produced) => return produced,
                Err(failed) if !flights(&failed).is_empty() => {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                Err(failed) => panic!("{failed}"),
            }
        }
    };
    futures::future::join_all(runs.iter().map(until_made)).await;
    let sum = runs
        .iter()
        .map(paid)
        .fold([0; 3], |sum, paid| std::array::from_fn(|stage| sum[stage] + paid[stage]));
    assert_eq!(sum, ALL);
    assert_eq!(shared.owned(), 0, "every flight has landed");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_only_waits_for_a_delivery_parks_at_once() {
    let shared = shared();
    shared.occupy("delivery");
    let test = TestRun::of(&shared, Format::Video);
    let began = Instant::now();
    let failed = failed(&test).await;
    let keys = flights(&failed);
    assert_eq!(keys.len(), 1);
    assert!(keys[0].starts_with("default/delivery/"), "{keys:?}");
    assert_eq!((began.elapsed(), paid(&test)), (Duration::ZERO, [0; 3]));
    assert_eq!(failed.error.failure, FailureClass::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn a_job_parks_only_when_all_that_it_does_is_wait() {
    let shared = shared();
    shared.occupy("transcript");
    let test = TestRun::of(&shared, Format::Video);
    test.script(StageName::Image, [Step::Slow(Duration::from_secs(40))]);
    let began = Instant::now();
    let parked = failed(&test).await;
    assert_eq!(flights(&parked).len(), 1);
    let took = began.elapsed().as_secs_f64();
    assert!((40.0..44.0).contains(&took), "the picture was awaited first: {took} s");
    shared.occupy("image");
    let world_of_two = SharedState::default();
    world_of_two.occupy("transcript");
    world_of_two.occupy("image");
    let two = TestRun::of(&Arc::new(world_of_two), Format::Video);
    let parked = failed(&two).await;
    let mut keys = flights(&parked);
    keys.sort();
    let kinds: Vec<&str> = keys.iter().filter_map(|key| key.split('/').nth(1)).collect();
    assert_eq!(kinds, ["image", "transcript"], "it waits for both");
}

#[tokio::test(start_paused = true)]
async fn a_flight_that_its_owner_left_is_taken_over() {
    let shared = shared();
    shared.occupy("transcript");
    let test = TestRun::of(&shared, Format::Video);
    test.script(StageName::Image, [Step::Slow(Duration::from_secs(40))]);
    let (produced, ()) = tokio::join!(made(&test), async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        shared.abandon("transcript");
    });
    assert_eq!(paid(&test), ALL);
    assert_eq!(of(&produced, StageName::Transcript).tries, 1);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_of_the_input_ends_all_that_wait_for_it() {
    let shared = shared();
    let first = TestRun::of(&shared, Format::Video);
    first.script(StageName::Image, [Step::Fail(FailureClass::Permanent)]);
    let error = failed(&first).await.error;
    let second = TestRun::of(&shared, Format::Video);
    let Failed { error: theirs, .. } = failed(&second).await;
    assert_eq!(theirs.other_job.as_deref(), Some(&OtherJob::Failed(error.report())));
    assert_eq!((theirs.failure, paid(&second)), (FailureClass::Permanent, [0; 3]));
    // An upload's failure is the job's own.
    let third = TestRun::of(&shared, Format::Video).saying("third");
    third.script(StageName::Upload, [Step::Fail(FailureClass::Permanent)]);
    failed(&third).await;
    made(&TestRun::of(&shared, Format::Video).saying("third")).await;
}

#[tokio::test(start_paused = true)]
async fn another_bed_buys_nothing_again() {
    let shared = shared();
    made(&TestRun::of(&shared, Format::Video)).await;
    let rain = Options { bed: Bed::Rain, ..Options::default() };
    let beds = [
        rain.clone(),
        Options { bed_level: Some(-20), ..rain.clone() },
        Options { tail: 60, ..rain.clone() },
        Options { bells: true, ..rain.clone() },
        Options { stems: true, ..rain },
    ];
    for options in beds {
        let other = TestRun::of(&shared, Format::Video).with(options.clone());
        let produced = made(&other).await;
        assert_eq!(paid(&other), [0; 3], "{options:?}");
        assert_eq!(produced.artifact.key, "delivered", "it is another file: {options:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_container_buys_nothing_again_and_another_aspect_a_picture() {
    let shared = shared();
    made(&TestRun::of(&shared, Format::Video)).await;
    let social = Options { container: Some(Container::Mp4Social), ..Options::default() };
    for (options, bought) in [
        (social.clone(), [0; 3]),
        (Options { motion: true, ..social.clone() }, [0; 3]),
        (Options { aspect: Aspect::Tall, ..social.clone() }, [0, 0, 1]),
        (Options { aspect: Aspect::Tall, motion: true, ..social }, [0; 3]),
    ] {
        let other = TestRun::of(&shared, Format::Video).with(options.clone());
        let produced = made(&other).await;
        assert_eq!(paid(&other), bought, "{options:?}");
        assert_eq!(produced.artifact.key, "delivered", "it is another file: {options:?}");
    }
    made(&TestRun::of(&shared, Format::Audio)).await;
    for container in [Container::Mp3, Container::Opus, Container::Wav, Container::Flac] {
        let options = Options { container: Some(container), ..Options::default() };
        let other = TestRun::of(&shared, Format::Audio).with(options);
        let produced = made(&other).await;
        assert_eq!((paid(&other), produced.artifact.key.as_str()), ([0; 3], "delivered"));
    }
}

#[tokio::test(start_paused = true)]
async fn any_other_failure_leaves_the_flight_to_the_next() {
    let shared = shared();
    let first = TestRun::of(&shared, Format::Video);
    first.script(StageName::Image, vec![transient(); 4]);
    failed(&first).await;
    let second = TestRun::of(&shared, Format::Video);
    made(&second).await;
    assert_eq!(paid(&second), [0, 0, 1], "words and sound were shared before");
}
