//! apalis' `Backend` over the consumer's channel: it only receives.
//!
//! Claiming, leases, retries and reports are the queue's own; a poll here never fails, since apalis
//! answers a failed poll by dropping every running attempt.

use std::convert::Infallible;
use std::task::{Context, Poll};

use apalis::prelude::{Backend, Task, TaskBuilder, WorkerContext};
use apalis_core::backend::BackendConfig;
use apalis_core::backend::finalize::Ephemeral;
use tokio::sync::mpsc;
use tower::layer::util::Identity;

use crate::executor::Claimed;

/// Claimed jobs on their way to an attempt.
pub(crate) struct Claims(pub(crate) mpsc::Receiver<Claimed>);

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
