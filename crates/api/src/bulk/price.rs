//! What was paid for jobs goes in; what their replay may cost comes out, from records alone.

use serde::Serialize;
use stillcast_enqueue::Format;
use utoipa::ToSchema;

use crate::facts::Facts;

/// What a replay may cost, in US dollars.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct Price {
    /// At most, if each job costs as much as the dearest delivered one of its format has cost
    /// altogether, less what its own checkpoints keep; null where no job of a format was delivered yet.
    pub(crate) at_most_usd: Option<f64>,
    /// What its jobs have paid for already and keep, so that it is not paid again.
    pub(crate) kept_usd: f64,
}

/// Of each format, what the dearest delivered job was worth.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dearest {
    audio: Option<f64>,
    video: Option<f64>,
}

impl Dearest {
    /// Looks at a delivered job.
    pub(crate) fn see(&mut self, job: &Facts) {
        let worth = job.cost.spent_usd + job.cost.avoided_usd;
        if let Some(known) = self.of(job.format) {
            *known = Some(known.map_or(worth, |known| known.max(worth)));
        }
    }

    /// What the dearest delivered job of a format was worth; `None` where none was delivered yet.
    pub(crate) fn worth(&self, format: Option<Format>) -> Option<f64> {
        match format? {
            Format::Audio => self.audio,
            Format::Video => self.video,
        }
    }

    fn of(&mut self, format: Option<Format>) -> Option<&mut Option<f64>> {
        match format? {
            Format::Audio => Some(&mut self.audio),
            Format::Video => Some(&mut self.video),
        }
    }
}

impl Price {
    /// The price of no job.
    pub(crate) fn none() -> Self {
        Self { at_most_usd: Some(0.0), kept_usd: 0.0 }
    }

    /// Adds a job that is to be replayed.
    pub(crate) fn add(&mut self, job: &Facts, dearest: &Dearest) {
        let kept = job.cost.spent_usd;
        let worth = dearest.worth(job.format);
        self.kept_usd += kept;
        self.at_most_usd =
            self.at_most_usd.zip(worth).map(|(sum, worth)| sum + (worth - kept).max(0.0));
    }
}
