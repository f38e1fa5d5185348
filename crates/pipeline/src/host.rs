//! What the pipeline needs from the worker that holds the job's lease, and tells it in return.

use stillcast_enqueue::{Format, StageName, StageRecord};

/// Says whether a paid call may still begin: the lease is valid and nobody asked to stop.
pub trait Gate: Send + Sync {
    /// Called right before every provider call and upload; must be cheap.
    fn check(&self) -> Result<(), Interrupted>;

    /// Whether what is already paid for may still be shared: also while the worker leaves.
    fn check_finish(&self) -> Result<(), Interrupted>;
}

/// Nothing may begin any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted: {reason}")]
pub struct Interrupted {
    /// A stable word, such as `lease-lost` or `drain`.
    pub reason: &'static str,
}

/// Hears how far a job has come. Called from the attempt's own task: must neither block nor wait.
pub trait Progress: Send + Sync {
    /// `stage` is what the job is now about: its first call is about to begin. Encode, which runs
    /// all along, says so when the last sound has reached it.
    fn stage_began(&self, stage: StageName);
    /// A stage has succeeded. The accounts of failed ones are in [`crate::Failed`].
    fn stage_ended(&self, record: &StageRecord);
}

/// Rough share of the work done, 0 to 100, when the stages in `ended` have succeeded.
///
/// The shares are those of an offline run on two cores; a percentage only has to grow steadily.
pub fn percent(format: Format, ended: impl IntoIterator<Item = StageName>) -> u8 {
    let share = |stage| match (stage, format) {
        (StageName::Image, Format::Audio) => 0,
        (StageName::Collection | StageName::Upload, _) => 5,
        (StageName::Transcript | StageName::Encode | StageName::Image, _) => 15,
        (StageName::Tts, Format::Audio) => 60,
        (StageName::Tts, Format::Video) => 45,
    };
    let ended: Vec<StageName> = ended.into_iter().collect();
    StageName::ALL.into_iter().filter(|stage| ended.contains(stage)).map(share).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_stages_make_a_hundred() {
        assert_eq!(percent(Format::Video, StageName::ALL), 100);
        assert_eq!(percent(Format::Audio, StageName::ALL), 100);
        let twice = [StageName::Collection, StageName::Collection];
        assert_eq!(percent(Format::Audio, twice), 5);
    }
}
