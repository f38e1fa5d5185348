//! The calls by which a fleet agrees on its probes behind a refusal.

use std::time::Duration;

use redis::RedisResult;
use redis::aio::ConnectionLike;
use stillcast_enqueue::StageName;

use super::arguments::millis;
use super::{Scripts, Verb};

/// Refused calls of a paid stage that a fleet makes in a day, but for each worker's first.
pub const REFUSALS_A_DAY: u32 = 20;
/// Longest pause between two probes while the day's refusals last.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// What a worker has to say about the probes of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeStep {
    /// Whether it may probe now.
    May,
    /// It was refused, after so many calls: one, or two where the first might have been an accident.
    Refused { calls: u32 },
    /// Its probe met nobody, or there was no job for it.
    Unmet,
    /// It was let in.
    Accepted,
    /// It starts anew: perhaps what refused its jobs is mended.
    Begun,
}

impl Scripts {
    /// Says `step` about `stage`; the time until the fleet's next probe comes out, zero when it is the
    /// caller's, now. `first` is the first pause.
    pub(crate) async fn probe(
        &self,
        connection: &mut impl ConnectionLike,
        stage: Option<StageName>,
        step: ProbeStep,
        first: Duration,
    ) -> RedisResult<Duration> {
        let (step, calls) = match step {
            ProbeStep::May => ("may", 0),
            ProbeStep::Refused { calls } => ("refused", calls),
            ProbeStep::Unmet => ("unmet", 0),
            ProbeStep::Accepted => ("accepted", 0),
            ProbeStep::Begun => ("begun", 0),
        };
        let word = stage.map_or("any", StageName::as_str);
        let budget = if is_free(stage) { 0 } else { REFUSALS_A_DAY };
        let mut call = self.call(Verb::Probe);
        call.arg(word).arg(step).arg(millis(first));
        call.arg(millis(LONGEST_PAUSE.max(first))).arg(budget).arg(calls);
        let wait: u64 = call.invoke_async(connection).await?;
        Ok(Duration::from_millis(wait))
    }
}

/// Whether nobody is paid for what the stage asks.
fn is_free(stage: Option<StageName>) -> bool {
    match stage {
        Some(StageName::Collection | StageName::Encode | StageName::Upload) => true,
        None | Some(StageName::Transcript | StageName::Tts | StageName::Image) => false,
    }
}
