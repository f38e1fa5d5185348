//! A task or a thread goes in, its owner comes out. Whatever a consumer runs beside itself starts and
//! ends in this one form: dropping the owner stops it, [`Running::stop`] also waits for its end.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

/// The owner of what runs.
pub(crate) enum Running<T = ()> {
    /// Stopped at its next wait.
    Task(AbortOnDropHandle<T>),
    /// Stopped at its next look at [`Stop`].
    Thread(Thread<T>),
}

/// A thread that is told to stop, and joined, when dropped.
pub(crate) struct Thread<T> {
    stop: Option<SyncSender<()>>,
    ended: oneshot::Receiver<T>,
    handle: Option<JoinHandle<()>>,
}

/// By which a thread waits, so that it can be woken to stop.
pub(crate) struct Stop(Receiver<()>);

impl Stop {
    /// Waits so long at most; true when the thread must end.
    pub(crate) fn requested_within(&self, span: Duration) -> bool {
        self.0.recv_timeout(span) != Err(RecvTimeoutError::Timeout)
    }
}

impl<T: Send + 'static> Running<T> {
    /// Starts a task.
    #[expect(clippy::disallowed_methods, reason = "the one place: the handle is the owner")]
    pub(crate) fn task(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self::Task(AbortOnDropHandle::new(tokio::spawn(work)))
    }

    /// Starts a thread.
    pub(crate) fn thread(
        name: &str,
        work: impl FnOnce(&Stop) -> T + Send + 'static,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = sync_channel(0);
        let (tell_end, ended) = oneshot::channel();
        let body = move || {
            // Whoever would hear of the end may be gone.
            let _ = tell_end.send(work(&Stop(stopped)));
        };
        let handle = std::thread::Builder::new().name(name.to_owned()).spawn(body)?;
        Ok(Self::Thread(Thread { stop: Some(stop), ended, handle: Some(handle) }))
    }

    /// Waits until it ends by itself; `None` when it panicked. To be asked once.
    pub(crate) async fn ended(&mut self) -> Option<T> {
        match self {
            Self::Task(handle) => handle.await.ok(),
            Self::Thread(thread) => (&mut thread.ended).await.ok(),
        }
    }

    /// Stops it and waits until it has ended; what it gives is lost.
    pub(crate) async fn stop(mut self) {
        match &mut self {
            Self::Task(handle) if handle.is_finished() => return,
            Self::Task(handle) => handle.abort(),
            Self::Thread(thread) => drop(thread.stop.take()),
        }
        self.ended().await;
    }
}

impl<T> Drop for Thread<T> {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(handle) = self.handle.take() {
            // It panics never; and while unwinding there is nobody to tell.
            let _ = handle.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// Says when it has ended.
    struct Ends(Arc<AtomicBool>);

    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }

    /// A task and a thread that would never end by themselves.
    fn endless() -> [(Running, Arc<AtomicBool>); 2] {
        let [in_task, in_thread] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let (task, thread) = (Ends(Arc::clone(&in_task)), Ends(Arc::clone(&in_thread)));
        let task = Running::task(async move {
            let _ends = task;
            std::future::pending::<()>().await;
        });
        let thread = Running::thread("endless", move |stop| {
            let _ends = thread;
            while !stop.requested_within(Duration::from_mins(1)) {}
        });
        [(task, in_task), (thread.unwrap(), in_thread)]
    }

    #[tokio::test]
    async fn what_was_stopped_has_ended() {
        for (running, has_ended) in endless() {
            assert!(!has_ended.load(Ordering::Acquire));
            running.stop().await;
            assert!(has_ended.load(Ordering::Acquire));
        }
    }

    #[tokio::test]
    async fn what_is_dropped_ends() {
        for (running, has_ended) in endless() {
            drop(running);
            while !has_ended.load(Ordering::Acquire) {
                tokio::task::yield_now().await;
            }
        }
    }

    #[tokio::test]
    async fn what_ends_by_itself_gives_its_answer_and_may_be_stopped_after() {
        let mut task = Running::task(async { 7 });
        assert_eq!(task.ended().await, Some(7));
        task.stop().await;
        let mut thread = Running::thread("brief", |_| 7).unwrap();
        assert_eq!(thread.ended().await, Some(7));
    }
}
