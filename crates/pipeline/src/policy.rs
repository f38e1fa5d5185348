//! The types of the policy table, and what follows from its numbers.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use stillcast_enqueue::{Format, StageName};

/// What the attempt budget leaves for everything between the stages.
const SLACK: Duration = Duration::from_secs(30);

/// A job may cost twice its price at the worst.
const WASTE_LIMIT: f64 = 1.0;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StagePolicy {
    /// Longest time of one try. Waiting for a slot is not part of it.
    pub timeout: Duration,
    /// Runs of one call within an attempt of the job, at least 1.
    pub tries: u32,
    /// The waits between tries.
    pub backoff: Backoff,
    /// Calls of this stage at once, in the whole process.
    pub slots: usize,
    /// Who may use a result again.
    pub reuse: Reuse,
}

/// Doubling ceilings, from `first` to `cap`; each wait is drawn evenly from zero to its ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The ceiling before the second try.
    pub first: Duration,
    /// No ceiling is higher; a longer wait that a provider asks for parks the job.
    pub cap: Duration,
}

/// Who may use the result of a stage again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Nobody: it is cheap, or it is the point of the run.
    Never,
    /// Later attempts of the same job.
    PerJob,
    /// Other jobs of the tenant.
    Shared,
}

/// Whose time a stage's tries, back-off and waits are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    /// The content's (`CONTENT_GENERATION_TIMEOUT`).
    Content,
    /// The whole attempt's: the content lies behind.
    Attempt,
}

/// The whole table: one row a stage, in travel order.
#[derive(Clone, Debug, PartialEq)]
pub struct Policies {
    /// All tries, back-off and waits before encode (`CONTENT_GENERATION_TIMEOUT`), for each ten minutes of
    /// the file that are begun.
    pub content_timeout: Duration,
    /// The encode stage's time-out for video (`VIDEO_ENCODING_TIMEOUT`); its row holds audio's.
    pub video_timeout: Duration,
    /// How often its price a job may waste (`JOB_WASTE_LIMIT`), over all attempts: what was bought and
    /// could not be used. Above it nothing more is bought for it.
    pub waste_limit: f64,
    rows: [StagePolicy; StageName::ALL.len()],
}

impl Policies {
    /// A table with the rows that `row` answers.
    pub fn new(
        content_timeout: Duration,
        video_timeout: Duration,
        row: impl FnMut(StageName) -> StagePolicy,
    ) -> Self {
        let waste_limit = WASTE_LIMIT;
        Self { content_timeout, video_timeout, waste_limit, rows: StageName::ALL.map(row) }
    }

    /// The row of `stage`.
    pub fn row(&self, stage: StageName) -> &StagePolicy {
        &self.rows[stage as usize]
    }

    /// The row of `stage`, for the configuration to change.
    pub fn row_mut(&mut self, stage: StageName) -> &mut StagePolicy {
        &mut self.rows[stage as usize]
    }

    /// The table for a process that works on one of `jobs` jobs beside the others' own: its share of the
    /// slots, at least one of each stage.
    #[must_use]
    pub fn share_of_one(mut self, jobs: usize) -> Self {
        for row in &mut self.rows {
            row.slots = row.slots.div_ceil(jobs.max(1)).max(1);
        }
        self
    }

    /// Longest time of one try of `stage` for a file of `format` that shall last for `length`, zero where
    /// nobody says.
    pub fn timeout(&self, stage: StageName, format: Format, length: Duration) -> Duration {
        match (stage, format) {
            (StageName::Encode, Format::Video) => self.video_timeout * times_ordinary(length),
            (StageName::Encode, Format::Audio) => self.row(stage).timeout * times_ordinary(length),
            _ => self.row(stage).timeout,
        }
    }

    /// All tries, back-off and waits before encode, for a file that shall last for `length`.
    pub fn content_time(&self, length: Duration) -> Duration {
        self.content_timeout * times_ordinary(length)
    }

    /// Longest time of one attempt of a job, anew with each claim: the content's time, every try
    /// and back-off of the stages behind it, and 30 s.
    pub fn attempt_budget(&self, format: Format, length: Duration) -> Duration {
        let behind = StageName::ALL.into_iter().filter(|stage| budget(*stage) == Budget::Attempt);
        let longest = behind.map(|stage| {
            let row = self.row(stage);
            let tries = self.timeout(stage, format, length) * row.tries;
            tries + row.backoff.ceilings(row.tries).sum::<Duration>()
        });
        self.content_time(length) + longest.sum::<Duration>() + SLACK
    }
}

/// The table's times are for files of at most this length; a longer one has as much more.
const ORDINARY: Duration = Duration::from_mins(10);

/// How many files of an ordinary length one is as long as, rounded up.
fn times_ordinary(length: Duration) -> u32 {
    let times = length.as_secs().div_ceil(ORDINARY.as_secs());
    u32::try_from(times).unwrap_or(u32::MAX).max(1)
}

/// Whose time `stage` spends.
pub(crate) fn budget(stage: StageName) -> Budget {
    match stage {
        StageName::Collection | StageName::Transcript | StageName::Tts | StageName::Image => {
            Budget::Content
        }
        StageName::Encode | StageName::Upload => Budget::Attempt,
    }
}

impl Backoff {
    /// The longest wait before each try after the first.
    pub fn ceilings(&self, tries: u32) -> impl Iterator<Item = Duration> + Send + use<> {
        ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_max_delay(self.cap)
            .with_max_times(usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX))
            .build()
    }
}
