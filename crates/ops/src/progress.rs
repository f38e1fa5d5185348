//! Records go in as a job goes on; on a terminal, one line a finished stage and one that lives.

use std::time::Instant;

use stillcast_enqueue::{JobRecord, StageRecord, State};

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
    match (record.state, record.stage) {
        (State::Leased, Some(stage)) => {
            format!("{:<12}{:>7} %", stage.as_str(), record.percent.unwrap_or(0))
        }
        (State::Leased, None) => "begins".to_owned(),
        (State::Parked, _) => {
            format!("waits ({})", record.reason.as_deref().unwrap_or("an event"))
        }
        (State::Delayed, _) => "waits for its time".to_owned(),
        _ => "waits for a worker".to_owned(),
    }
}
