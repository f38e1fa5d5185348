//! Calls that ask for a place under an account's limits, and what becomes of their jobs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stillcast_enqueue::{Format, StageName};
use tokio::time::Instant;

use super::fakes::{PASSAGES, Step, TestRun, of};
use crate::{ACCOUNT_LIMIT, Admission, Call, FailureClass, Permit, RateLimiter, produce};

/// What is decided of a call: by its stage, and how many of that stage have asked before.
type Decide = dyn Fn(StageName, usize) -> Decision + Send + Sync;

enum Decision {
    Free,
    After(u64),
    Again(u64),
}

/// Decides as it is told, and notes what it is asked and what becomes of its places.
struct Desk {
    decide: Box<Decide>,
    notes: Arc<Mutex<Notes>>,
}

#[derive(Default)]
struct Notes {
    /// Who asked, and for how long they would wait.
    asked: Vec<(StageName, Duration)>,
    begun: usize,
    unused: usize,
}

struct Place {
    notes: Arc<Mutex<Notes>>,
    is_begun: bool,
}

#[async_trait]
impl RateLimiter for Desk {
    async fn admit(&self, call: &Call<'_>, patience: Duration, _: Duration) -> Admission {
        let before = {
            let mut notes = self.notes.lock().unwrap();
            notes.asked.push((call.stage, patience));
            notes.asked.iter().filter(|(stage, _)| *stage == call.stage).count() - 1
        };
        let permit = Box::new(Place { notes: Arc::clone(&self.notes), is_begun: false });
        let forget = |mut permit: Box<Place>| permit.is_begun = true;
        match (self.decide)(call.stage, before) {
            Decision::After(seconds) => {
                Admission::Granted { after: Duration::from_secs(seconds), permit }
            }
            Decision::Free => {
                forget(permit);
                Admission::Free
            }
            Decision::Again(ms) => {
                forget(permit);
                let why = "fake: 60 requests a minute (TTS_RPM)".to_owned();
                Admission::Refused { again: Duration::from_millis(ms), why }
            }
        }
    }
}

impl Permit for Place {
    fn begin(&mut self) {
        self.is_begun = true;
        self.notes.lock().unwrap().begun += 1;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_begun {
            self.notes.lock().unwrap().unused += 1;
        }
    }
}

fn limited(
    format: Format,
    decide: impl Fn(StageName, usize) -> Decision + Send + Sync + 'static,
) -> (TestRun, Arc<Mutex<Notes>>) {
    let (mut test, notes) = (TestRun::new(format), Arc::default());
    let desk = Desk { decide: Box::new(decide), notes: Arc::clone(&notes) };
    test.run.limiter = Some(Arc::new(desk));
    (test, notes)
}

#[tokio::test(start_paused = true)]
async fn only_what_is_bought_asks_and_each_place_is_used_once() {
    let (test, notes) = limited(Format::Video, |_, _| Decision::After(0));
    produce(&test.run).await.unwrap();
    let notes = notes.lock().unwrap();
    let asked = |stage| notes.asked.iter().filter(|(asked, _)| *asked == stage).count();
    let paid = [StageName::Transcript, StageName::Tts, StageName::Image].map(asked);
    assert_eq!(paid, [1, PASSAGES as usize, 1]);
    let calls = notes.asked.len();
    assert_eq!(calls, paid.iter().sum::<usize>(), "nothing else asks");
    assert_eq!((notes.begun, notes.unused), (calls, 0));
}

#[tokio::test(start_paused = true)]
async fn a_short_wait_is_waited_for_in_line_and_counts_as_one() {
    let (test, _) = limited(Format::Audio, |stage, before| match (stage, before) {
        (StageName::Transcript, 0 | 1) => Decision::Again(500),
        (StageName::Transcript, _) => Decision::After(2),
        _ => Decision::Free,
    });
    let began = Instant::now();
    let produced = produce(&test.run).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(3));
    let words = of(&produced, StageName::Transcript);
    assert!(words.tries == 1 && words.wait_s >= 3.0, "{words:?}");
}

#[tokio::test(start_paused = true)]
async fn a_job_over_the_limit_parks_keeps_what_it_has_and_uses_the_places_that_it_got() {
    let (mut test, notes) = limited(Format::Audio, |stage, before| match (stage, before) {
        (StageName::Tts, 0) => Decision::After(0),
        (StageName::Tts, 1) => Decision::After(4),
        (StageName::Tts, _) => Decision::Again(60_000),
        _ => Decision::Free,
    });
    let failed = test.attempt().await.unwrap_err();
    let error = &failed.error;
    assert_eq!((error.code, error.stage), (ACCOUNT_LIMIT, StageName::Tts), "{error:?}");
    assert_eq!((error.park, error.provider), (Some(Duration::from_mins(1)), Some("fake")));
    assert_eq!(error.message, "waits for fake: 60 requests a minute (TTS_RPM)");
    assert_eq!(test.journal.finished(StageName::Tts), 2, "who stood in line when it parked, too");
    assert_eq!(notes.lock().unwrap().unused, 0);
    test.run.limiter = None;
    test.attempt().await.unwrap();
    assert_eq!(test.journal.finished(StageName::Tts), PASSAGES as usize, "none is bought twice");
    assert_eq!(test.journal.finished(StageName::Transcript), 1);
}

#[tokio::test(start_paused = true)]
async fn who_fails_meanwhile_gives_its_places_back() {
    let (test, notes) = limited(Format::Video, |stage, _| match stage {
        StageName::Transcript => Decision::After(4),
        StageName::Image => Decision::After(1),
        _ => Decision::Free,
    });
    test.script(StageName::Image, [Step::Fail(FailureClass::Permanent)]);
    let began = Instant::now();
    let failed = produce(&test.run).await.unwrap_err();
    assert_eq!(failed.error.code, "fake-permanent");
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "nobody waits in line for a job that is dead"
    );
    let notes = notes.lock().unwrap();
    assert_eq!((notes.begun, notes.unused), (1, 1), "the picture's was used");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_has_begun_is_more_patient_and_none_waits_its_time_away() {
    let (mut test, notes) = limited(Format::Audio, |_, _| Decision::After(0));
    // One after the other, so that each but the first follows one that was made.
    test.policies(|policies| policies.row_mut(StageName::Tts).slots = 1);
    produce(&test.run).await.unwrap();
    let patience = |notes: &Mutex<Notes>| -> Vec<u64> {
        let notes = notes.lock().unwrap();
        let of_speech = notes.asked.iter().filter(|(stage, _)| *stage == StageName::Tts);
        of_speech.map(|(_, patience)| patience.as_secs()).collect()
    };
    assert_eq!(patience(&notes), [5, 30, 30, 30, 30]);
    let (mut test, notes) = limited(Format::Audio, |_, _| Decision::After(0));
    test.policies(|policies| policies.content_timeout = Duration::from_secs(6));
    produce(&test.run).await.unwrap();
    assert!(patience(&notes).iter().all(|seconds| *seconds <= 3), "half of the time that is left");
}
