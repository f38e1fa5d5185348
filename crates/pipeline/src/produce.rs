//! The plan: what limits each stage, and in which order a job visits them.

use std::time::Duration;

use tokio::join;

use crate::delivery;
use crate::feed::feed;
use crate::policy::Reuse::{Never, PerJob, Shared};
use crate::run::{Attempt, Halted};
use crate::stages::{collection, encode, image, transcript, tts, upload};
use crate::{Backoff, Failed, Policies, Produced, Reuse, Run, SourceText, StagePolicy};
use stillcast_enqueue::Artifact;

/// The policy table's defaults, for a worker of `tasks` jobs at once (`MAX_PARALLEL_TASKS`) on
/// `cores` cores.
#[rustfmt::skip]
pub const fn standard(tasks: usize, cores: usize) -> Policies {
    Policies {
        content_timeout: secs(300),
        video_timeout:   secs(120),
        //              timeout    tries  backoff: first, cap    slots   reuse
        collection: row(secs(30),  4,     (ms(200), secs(2)),    16,     Never),
        transcript: row(secs(120), 4,     (secs(1), secs(60)),   tasks,  Shared),
        tts:        row(secs(120), 4,     (secs(1), secs(60)),   8,      Shared),
        image:      row(secs(120), 4,     (secs(1), secs(60)),   8,      Shared),
        encode:     row(secs(60),  2,     (secs(1), secs(5)),    cores,  PerJob),
        upload:     row(secs(120), 4,     (secs(1), secs(60)),   8,      Never),
    }
}

/// Turns one job into one delivered file.
///
/// What was paid for before is not paid for again: by this job, or for a while by another of its
/// tenant. Dies on drop. When one branch fails, no call begins any more, those in flight are awaited, and
/// the first failure is reported; when `run.cancel` is cancelled, everything in flight is dropped.
pub async fn produce(run: &Run) -> Result<Produced, Failed> {
    let attempt = Attempt::begin(run);
    // Whatever was cut off is booked by now.
    let ended = run.cancel.run_until_cancelled(Box::pin(flow(&attempt))).await;
    match ended {
        Some(Ok(artifact)) => {
            Ok(Produced { artifact, stages: attempt.records(), cost: attempt.cost() })
        }
        Some(Err(Halted)) | None => Err(attempt.failed()),
    }
}

/// From the source to a file, or to a copy of the file that another job has made of the same.
async fn flow(attempt: &Attempt<'_>) -> Result<Artifact, Halted> {
    let source = collection::collect(attempt).await?;
    delivery::deliver(attempt, &source).await
}

/// Words to passages to sound to one encoder that is already running; the picture from the start.
pub(crate) async fn make(attempt: &Attempt<'_>, source: &SourceText) -> Result<Artifact, Halted> {
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

const fn row(
    timeout: Duration,
    tries: u32,
    (first, cap): (Duration, Duration),
    slots: usize,
    reuse: Reuse,
) -> StagePolicy {
    StagePolicy { timeout, tries, backoff: Backoff { first, cap }, slots, reuse }
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
