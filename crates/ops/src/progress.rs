//! Records go in as a job goes on; on a terminal, one line a finished stage and one that lives.

use std::time::Instant;

use stillcast_enqueue::{Format, JobRecord, StageName, StageRecord, State};

use crate::render::{Screen, seconds};

/// What the person sees while a job runs; nothing at all in a pipe.
pub(crate) struct Progress {
    screen: Screen,
    began: Instant,
    attempt: u32,
    shown: usize,
}

impl Progress {
    pub(crate) fn new(screen: &Screen) -> Self {
        Self { screen: screen.clone(), began: Instant::now(), attempt: 0, shown: 0 }
    }

    /// Shows what is new in `record`.
    pub(crate) fn show(&mut self, record: &JobRecord) {
        if !self.screen.is_live() {
            return;
        }
        if record.attempt != self.attempt {
            self.begin_attempt(record);
        }
        for stage in record.stages.iter().skip(self.shown) {
            self.screen.live_line(&stage_line(stage));
        }
        self.shown = self.shown.max(record.stages.len());
        if record.state.is_terminal() {
            self.screen.live_status("");
        } else {
            let elapsed = seconds(self.began.elapsed().as_secs_f64());
            self.screen.live_status(&format!("  {}  {elapsed}", standing(record)));
        }
    }

    fn begin_attempt(&mut self, record: &JobRecord) {
        if record.attempt > 1 && self.attempt > 0 {
            let why = record.error.as_ref().map_or("", |error| error.message.as_str());
            let text = format!("  attempt {} of {}  {why}", record.attempt, record.max_attempts);
            self.screen.live_line(&text);
        }
        (self.attempt, self.shown) = (record.attempt, 0);
    }
}

/// One finished stage: its word, its time, who did it.
pub(crate) fn stage_line(stage: &StageRecord) -> String {
    let how = if stage.cached { "cached" } else { stage.provider.as_deref().unwrap_or("") };
    format!("  {:<12}{:>9}  {how}", stage.stage.as_str(), seconds(stage.run_s))
        .trim_end()
        .to_owned()
}

fn standing(record: &JobRecord) -> String {
    match record.state {
        State::Leased => {
            let stage = first_open(record).map_or("begins", StageName::as_str);
            format!("{stage:<12}{:>7} %", record.percent.unwrap_or(0))
        }
        State::Parked => format!("waits ({})", record.reason.as_deref().unwrap_or("an event")),
        State::Delayed => "waits for its time".to_owned(),
        _ => "waits for a worker".to_owned(),
    }
}

/// Stages overlap: the one to wait for is the first in travel order that has not ended.
fn first_open(record: &JobRecord) -> Option<StageName> {
    let has_ended = |stage| record.stages.iter().any(|ended| ended.stage == stage);
    let has_part = |stage| stage != StageName::Image || record.format == Some(Format::Video);
    record.stage?;
    StageName::ALL.into_iter().find(|stage| has_part(*stage) && !has_ended(*stage))
}
