//! Workers of one bench; who is killed is replaced on the spot.

use crate::bench::{Bench, Worker};

pub(super) struct Crew<'bench> {
    bench: &'bench Bench,
    workers: Vec<Worker>,
}

impl<'bench> Crew<'bench> {
    pub(super) fn start(bench: &'bench Bench, size: usize) -> Self {
        Self { bench, workers: (0..size).map(|_| bench.start(&[])).collect() }
    }

    /// The processes, the oldest first.
    pub(super) fn processes(&self) -> Vec<i32> {
        self.workers.iter().map(Worker::pid).collect()
    }

    /// What all workers of the bench have said, the dead ones too.
    pub(super) fn logs(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.bench.folder()).unwrap().flatten();
        let logs = files.filter(|file| file.file_name().to_string_lossy().starts_with("log-"));
        logs.map(|log| std::fs::read_to_string(log.path()).unwrap()).collect()
    }

    /// Kills one process, and starts another.
    pub(super) async fn replace(&mut self, process: i32) {
        let at = self.workers.iter().position(|worker| worker.pid() == process).unwrap();
        self.workers.remove(at).kill().await;
        self.workers.push(self.bench.start(&[]));
    }
}
