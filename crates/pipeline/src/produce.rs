//! The plan: what limits each stage, and in which order a job visits them.

use std::time::Duration;

use stillcast_enqueue::{Artifact, StageName};
use tokio::join;

use crate::attempt::Attempt;
use crate::delivery;
use crate::feed::feed;
use crate::policy::Reuse::{Never, PerJob, Shared};
use crate::stages::{collection, encode, image, transcript, tts, upload};
use crate::{Backoff, Failed, Policies, Produced, Run, SourceText, StageError, StagePolicy};

/// Passages of each of several jobs that are spoken at once: so many come while the first is on its way.
const VOICES_A_JOB: usize = 4;
/// Of a worker in any case: the passages of a single job.
const VOICES: usize = 8;

/// The policy table's defaults, for a worker of `tasks` jobs at once (`MAX_PARALLEL_TASKS`) on
/// `cores` cores.
#[rustfmt::skip]
pub fn standard(tasks: usize, cores: usize) -> Policies {
    let voices = (tasks * VOICES_A_JOB).max(VOICES);
    Policies::new(secs(300), secs(120), |stage| {
        let (timeout, tries, (first, cap), slots, reuse) = match stage {
            //                       timeout    tries  backoff: first, cap    slots   reuse
            StageName::Collection => (secs(30),  4,    (ms(200), secs(2)),    16,     Never),
            StageName::Transcript => (secs(120), 4,    (secs(1), secs(60)),   tasks,  Shared),
            StageName::Tts        => (secs(120), 4,    (secs(1), secs(60)),   voices, Shared),
            StageName::Image      => (secs(120), 4,    (secs(1), secs(60)),   8,      Shared),
            StageName::Encode     => (secs(60),  2,    (secs(1), secs(5)),    cores,  PerJob),
            StageName::Upload     => (secs(120), 4,    (secs(1), secs(60)),   8,      Never),
        };
        StagePolicy { timeout, tries, backoff: Backoff { first, cap }, slots, reuse }
    })
}

/// Turns one job into one delivered file.
///
/// What was paid for before is not paid for again: by this job, or for a while by another of its
/// tenant. Dies on drop. When one branch fails, no call begins any more, those in flight are awaited, and
/// the first failure is reported; when `run.cancel` is cancelled, everything in flight is dropped.
pub async fn produce(run: &Run) -> Result<Produced, Failed> {
    let attempt = Attempt::begin(run);
    // Whatever was cut off is booked by now.
    match run.cancel.run_until_cancelled(Box::pin(flow(&attempt))).await {
        Some(Ok(artifact)) => Ok(attempt.produced(artifact)),
        Some(Err(error)) => Err(attempt.failed(error)),
        None => Err(attempt.cancelled()),
    }
}

/// From the source to a file, or to a copy of the file that another job has made of the same.
async fn flow(attempt: &Attempt<'_>) -> Result<Artifact, StageError> {
    encode::check(attempt)?;
    let source = collection::collect(attempt).await?;
    delivery::deliver(attempt, &source, || make(attempt, &source)).await
}

/// Words to passages to sound to one encoder that is already running; the picture from the start.
async fn make(attempt: &Attempt<'_>, source: &SourceText) -> Result<Artifact, StageError> {
    let (passages, to_speak) = feed();
    let (words, written) = feed();
    let (sound, to_encode) = feed();
    let (picture, to_show) = feed();
    let (drawn, transcribed, spoken, media) = join!(
        image::draw(attempt, source, picture),
        transcript::write(attempt, source, passages, words),
        tts::speak(attempt, to_speak, written, sound),
        encode::encode(attempt, to_encode, to_show),
    );
    drawn.and(transcribed).and(spoken)?;
    upload::deliver(attempt, media?).await
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
