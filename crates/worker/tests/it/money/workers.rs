//! Workers of one harness; who is killed is replaced on the spot.

use crate::harness::{Worker, WorkerHarness};

pub(super) struct Workers<'harness> {
    harness: &'harness WorkerHarness,
    workers: Vec<Worker>,
}

impl<'harness> Workers<'harness> {
    pub(super) async fn start(harness: &'harness WorkerHarness, size: usize) -> Self {
        let mut workers = Vec::new();
        for _ in 0..size {
            workers.push(harness.start(&[]).await);
        }
        Self { harness, workers }
    }

    /// The processes, the oldest first.
    pub(super) fn processes(&self) -> Vec<i32> {
        self.workers.iter().map(Worker::pid).collect()
    }

    /// What all workers of the harness have said, the dead ones too.
    pub(super) fn logs(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.harness.folder()).unwrap().flatten();
        let logs = files.filter(|file| file.file_name().to_string_lossy().starts_with("log-"));
        logs.map(|log| std::fs::read_to_string(log.path()).unwrap()).collect()
    }

    /// Kills one process, and starts another.
    pub(super) async fn replace(&mut self, process: i32) {
        let at = self.workers.iter().position(|worker| worker.pid() == process).unwrap();
        self.workers.remove(at).kill().await;
        self.workers.push(self.harness.start(&[]).await);
    }
}
