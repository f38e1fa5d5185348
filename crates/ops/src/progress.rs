//! A job's records go in as it runs; on a terminal, one line for each finished stage comes out, and a
//! status line that is overwritten.

use std::time::Instant;

use stillcast_enqueue::{Format, JobRecord, StageName, StageRecord, State};

use crate::render::{Screen, seconds, stage_line};

/// What the person sees while a job runs; nothing at all in a pipe.
pub(crate) struct Progress {
    screen: Screen,
    started: Instant,
    shown: Shown,
}

/// What has been printed already.
#[derive(Default)]
struct Shown {
    attempt: u32,
    stages: Vec<StageName>,
}

impl Progress {
    pub(crate) fn new(screen: &Screen) -> Self {
        Self { screen: screen.clone(), started: Instant::now(), shown: Shown::default() }
    }

    /// Shows what is new in `record`.
    pub(crate) fn show(&mut self, record: &JobRecord) {
        if !self.screen.is_live() {
            return;
        }
        for line in self.shown.new_lines(record) {
            self.screen.live_line(&line);
        }
        if record.state.is_terminal() {
            self.screen.live_status("");
        } else {
            let elapsed = seconds(self.started.elapsed().as_secs_f64());
            self.screen.live_status(&format!("  {}  {elapsed}", status(record)));
        }
    }
}

impl Shown {
    /// The lines to add, in the order in which things ended: stages overlap.
    fn new_lines(&mut self, record: &JobRecord) -> Vec<String> {
        let mut lines = Vec::new();
        if record.attempt > self.attempt.max(1) {
            let why = record.error.as_ref().map_or("", |error| error.message.as_str());
            let text = format!("  attempt {} of {}  {why}", record.attempt, record.max_attempts);
            lines.push(text.trim_end().to_owned());
        }
        if record.attempt != self.attempt {
            *self = Self { attempt: record.attempt, stages: Vec::new() };
        }
        let is_new = |ended: &&StageRecord| !self.stages.contains(&ended.stage);
        let new: Vec<&StageRecord> = record.stages.iter().filter(is_new).collect();
        lines.extend(new.iter().map(|ended| stage_line(ended)));
        self.stages.extend(new.iter().map(|ended| ended.stage));
        lines
    }
}

fn status(record: &JobRecord) -> String {
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn record(attempts: &str, stages: &[&str]) -> JobRecord {
        let one = |stage: &&str| {
            format!(
                r#"{{"stage":"{stage}","wait_s":0,"run_s":1.5,"tries":1,"cached":false,
                "provider":"offline","resources":{{}}}}"#
            )
        };
        let stages: Vec<String> = stages.iter().map(one).collect();
        let stages = format!("[{}]", stages.join(","));
        let error = r#"{"stage":null,"provider":null,"code":"x","message":"it broke"}"#;
        let pairs = [
            ("state", "leased"),
            ("format", "video"),
            ("stage", "encode"),
            ("attempts", attempts),
            ("max_attempts", "5"),
            ("stages", &stages),
            ("error", error),
        ];
        let hash: HashMap<String, String> =
            pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        JobRecord::from_hash("job-1", &hash).unwrap()
    }

    #[test]
    fn each_stage_is_printed_once_also_when_a_later_one_ended_before() {
        let mut shown = Shown::default();
        let first = shown.new_lines(&record("0", &["collection", "image"]));
        assert_eq!(first, ["  collection      1.5 s  offline", "  image           1.5 s  offline"]);
        let then = shown.new_lines(&record("0", &["collection", "tts", "image"]));
        assert_eq!(then, ["  tts             1.5 s  offline"]);
        assert!(shown.new_lines(&record("0", &["collection", "tts", "image"])).is_empty());
    }

    #[test]
    fn a_new_attempt_says_why_and_begins_anew() {
        let mut shown = Shown::default();
        shown.new_lines(&record("0", &["collection"]));
        let again = shown.new_lines(&record("1", &["collection"]));
        assert_eq!(again, ["  attempt 2 of 5  it broke", "  collection      1.5 s  offline"]);
    }

    #[test]
    fn the_stage_to_wait_for_is_the_first_that_is_open() {
        let open = |stages: &[&str]| first_open(&record("0", stages)).map(StageName::as_str);
        assert_eq!(open(&["collection", "transcript", "image"]), Some("tts"));
        assert_eq!(open(&["collection", "transcript", "tts"]), Some("image"));
    }
}
