//! What an attempt says of its progress goes in, without making it wait; Redis hears it from a task
//! of its own, which dies with the attempt.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pipeline::{Progress, percent};
use queue::Lease;
use stillcast_enqueue::{Format, StageName, StageRecord};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// What changes within it is one write: nobody sees a stage that is over sooner.
const TOGETHER: Duration = Duration::from_millis(200);
/// Progress is worth no longer wait; the next write says it all again.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);

/// The watcher of one attempt.
pub(super) struct Watch {
    board: Arc<Board>,
    _writer: JoinSet<()>,
}

/// What is known of the attempt.
struct Board {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Clone, Default)]
struct State {
    stage: Option<StageName>,
    ended: Vec<StageRecord>,
}

impl Watch {
    /// Writes under `lease` from now on.
    pub(super) fn start(lease: Lease) -> Self {
        let board = Arc::new(Board { state: Mutex::default(), changed: Notify::new() });
        let mut writer = JoinSet::new();
        writer.spawn(write(lease, Arc::clone(&board)));
        Self { board, _writer: writer }
    }

    /// What the pipeline tells.
    pub(super) fn progress(&self) -> Arc<dyn Progress> {
        Arc::clone(&self.board) as Arc<dyn Progress>
    }

    /// The stages that have succeeded.
    pub(super) fn ended(&self) -> Vec<StageName> {
        self.board.state().ended.iter().map(|record| record.stage).collect()
    }
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Board {
    fn stage_began(&self, stage: StageName) {
        self.state().stage = Some(stage);
        self.changed.notify_one();
    }

    fn stage_ended(&self, record: &StageRecord) {
        self.state().ended.push(record.clone());
        self.changed.notify_one();
    }
}

/// One write at a time; what changes meanwhile is in the next.
async fn write(lease: Lease, board: Arc<Board>) {
    let format = lease.envelope().format;
    loop {
        board.changed.notified().await;
        sleep(TOGETHER).await;
        let state = board.state().clone();
        let Some(stage) = state.stage else { continue };
        let (percent, stages) = state.shown(format);
        // Too late is the same as not written: the next change says it all again.
        let _ = timeout(WRITE_TIMEOUT, lease.progress(stage.as_str(), percent, &stages)).await;
    }
}

impl State {
    /// Percent, and the ended stages as JSON in travel order.
    fn shown(mut self, format: Format) -> (u8, String) {
        self.ended.sort_by_key(|record| record.stage);
        let percent = percent(format, self.ended.iter().map(|record| record.stage));
        let stages = serde_json::to_string(&self.ended);
        (percent, stages.expect("records are plain data and always serialize"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(stage: StageName) -> StageRecord {
        StageRecord { run_s: 1.0, tries: 1, cached: false, ..StageRecord::cached(stage, None) }
    }

    #[test]
    fn stages_are_shown_in_travel_order() {
        let ended = vec![record(StageName::Image), record(StageName::Collection)];
        let (percent, stages) = State { stage: None, ended }.shown(Format::Video);
        assert_eq!(percent, 20);
        let records: Vec<StageRecord> = serde_json::from_str(&stages).unwrap();
        assert_eq!(records[0].stage, StageName::Collection);
    }
}
