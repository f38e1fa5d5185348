//! Long sounds: they wait in the scratch folder and are kept in their passages, so that they take no more
//! memory than short ones; what is heard, and what is paid, is the same.

use std::sync::Arc;
use std::time::Duration;

use stillcast_enqueue::{Container, Format, Options, StageName};

use super::fakes::{PASSAGES, Step, TestRun};
use super::shared_state::SharedState;
use crate::{Failed, FailureClass, OtherJob, produce};

/// Of one transcript, spoken slowly: more than a few minutes.
const LONG: usize = 16 << 20;
/// What may wait in memory.
const HELD: usize = 4 << 20;

fn job(shared: &Arc<SharedState>) -> TestRun {
    let job = TestRun::of(shared, Format::Audio);
    job.journal.speak_slowly();
    job.journal.lose_deliveries();
    job
}

fn spoken(test: &TestRun) -> usize {
    test.journal.calls().iter().filter(|call| **call == StageName::Tts).count()
}

#[tokio::test(start_paused = true)]
async fn an_hour_waits_in_the_scratch_folder_and_is_heard_as_if_it_had_not() {
    let shared = Arc::new(SharedState::default());
    let first = job(&shared);
    first.attempt().await.unwrap();
    let heard = first.journal.encoded();
    assert!(heard.len() > LONG, "{} bytes", heard.len());
    assert!(first.journal.spooled() > heard.len() - LONG.min(2 * HELD), "the rest was held");
    assert_eq!(spoken(&first), PASSAGES as usize);

    let second = job(&shared);
    second.attempt().await.unwrap();
    assert_eq!(spoken(&second), 0, "another job has bought all of it");
    assert!(second.journal.encoded() == heard, "another sound");
    assert!(second.journal.spooled() > 0);
}

/// The mark of a sound that is kept in its passages is older than none of them, but they may be gone: then
/// one job buys them in the flight, and nobody beside it.
#[tokio::test(start_paused = true)]
async fn a_long_sound_whose_passages_are_gone_is_bought_again_once() {
    let shared = Arc::new(SharedState::default());
    job(&shared).attempt().await.unwrap();
    shared.sweep();
    let opus = Options { container: Some(Container::Opus), ..Options::default() };
    // Two files of one sound, so that both want it at the same time.
    let (one, other) = (job(&shared), job(&shared).with(opus));
    let slow = [Step::Slow(Duration::from_secs(5)); PASSAGES as usize];
    for job in [&one, &other] {
        job.script(StageName::Tts, slow);
    }
    let (made, beside) = tokio::join!(produce(&one.run), produce(&other.run));
    made.unwrap();
    // Who does not pay is served, or parks behind the flight.
    if let Err(Failed { error, .. }) = beside {
        assert!(matches!(error.other_job.as_deref(), Some(OtherJob::Flights(_))), "{error:?}");
    }
    assert_eq!(spoken(&one) + spoken(&other), PASSAGES as usize);
}

#[tokio::test(start_paused = true)]
async fn a_later_attempt_buys_nothing_of_a_long_sound() {
    for shares in [true, false] {
        let shared = Arc::new(SharedState::default());
        let test = TestRun::sharing(&shared, Format::Audio, shares);
        test.journal.speak_slowly();
        test.script(StageName::Upload, [Step::Fail(FailureClass::Misconfigured)]);
        test.attempt().await.unwrap_err();
        let heard = test.journal.encoded();
        test.attempt().await.unwrap();
        assert_eq!(spoken(&test), PASSAGES as usize, "shares: {shares}");
        assert!(test.journal.encoded() == heard, "shares: {shares}");
    }
}
