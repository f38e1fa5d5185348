//! apalis' worker between the claimer's channel and the executor: it only receives and passes on.
//!
//! Claiming, leases, retries and reports are the queue's own; a poll here never fails, since apalis
//! answers a failed poll by dropping every running attempt.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use apalis::prelude::{Backend, Task, TaskBuilder, WorkerBuilder, WorkerContext};
use apalis_core::backend::BackendConfig;
use apalis_core::backend::finalize::Ephemeral;
use tokio::sync::mpsc;
use tower::layer::util::Identity;
use tower::service_fn;

use super::claimed::Claimed;
use super::executor::Executor;
use super::role::Running;

/// Starts apalis' worker; it ends when the channel is closed and no attempt runs.
pub(crate) fn start(executor: Executor, claims: mpsc::Receiver<Claimed>) -> Running {
    let (name, executor) = (executor.worker().to_owned(), Arc::new(executor));
    let attempt = service_fn(move |task: Task<Claimed>| {
        // Each attempt is a task of its own, which dies with its caller, and catches its panics.
        let mut attempt = Arc::clone(&executor).start(task.args);
        async move {
            attempt.ended().await;
            Ok::<(), Infallible>(())
        }
    });
    let worker = WorkerBuilder::new(name).backend(Claims(claims)).build(attempt).run();
    Running::task(async {
        if let Err(error) = worker.await {
            tracing::error!(%error, "the worker loop ended with an error");
        }
    })
}

/// Claimed jobs on their way to an attempt.
struct Claims(mpsc::Receiver<Claimed>);

impl Backend for Claims {
    type Task = Task<Claimed>;
    type Error = Infallible;

    fn poll_ready(
        &mut self,
        _: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Infallible>>> {
        self.0
            .poll_recv(cx)
            .map(|claimed| claimed.map(|claimed| Ok(TaskBuilder::new(claimed).build())))
    }

    /// The channel is closed and no attempt runs. apalis' worker would wait for a signal that ours
    /// never sends: the end of its backend alone does not end it.
    fn poll_close(
        &mut self,
        _: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        if let Err(error) = worker.stop() {
            tracing::debug!(%error, "the worker loop had ended before");
        }
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for Claims {
    type Args = Claimed;
    type Id = String;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}
