//! Long arithmetic goes in; its result comes out, while whatever waits for others goes on: what a provider
//! has sent is heard and kept before anything is made of it.
//!
//! The threads are as many as the machine has cores, so that work waits for its turn here and not for a
//! share of a core; and they give way, so that no thread of a runtime waits for them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use rustix::process::nice;
use tokio::sync::oneshot;
use tokio::sync::oneshot::Receiver;
use tokio::sync::oneshot::error::RecvError;

/// Steps of priority by which each thread gives way: to a tenth of the share of one that does not.
const WAY: i32 = 10;

/// The way to the threads, once somebody has needed them.
///
/// One for the process, rather than a value that is passed down: however many ask, there are no more cores.
static WORK: Mutex<Option<mpsc::Sender<Work>>> = Mutex::new(None);

/// One piece of work, which hands its result on by itself.
type Work = Box<dyn FnOnce() + Send>;

/// Work that came to no end: it panicked, or no thread could be had for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the work was given up in the middle")]
pub struct GivenUp;

/// Has `work` done away from the threads of the runtime, and gives its result to whoever waits. Work that
/// nobody waits for any more, and that has not begun, is not done.
pub fn arithmetic<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Result<T, GivenUp>> + Send {
    let (answer, answered) = oneshot::channel();
    let work: Work = Box::new(move || {
        if !answer.is_closed() {
            // Whoever waited may have gone meanwhile.
            let _ = answer.send(work());
        }
    });
    if let Some(threads) = threads() {
        // Work that cannot be sent is dropped, and its answer with it.
        let _ = threads.send(work);
    }
    async move { answer_of(answered).await.map_err(|_| GivenUp) }
}

#[cfg(not(test))]
async fn answer_of<T>(answered: Receiver<T>) -> Result<T, RecvError> {
    answered.await
}

/// A clock that a test has stopped leaps as soon as the runtime has nothing to do. It knows of the runtime's
/// own threads only, so that one of them waits.
#[cfg(test)]
async fn answer_of<T: Send + 'static>(answered: Receiver<T>) -> Result<T, RecvError> {
    tokio::task::spawn_blocking(move || answered.blocking_recv()).await.expect("it only waits")
}

fn threads() -> Option<mpsc::Sender<Work>> {
    let mut work = WORK.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(work) = &*work {
        return Some(work.clone());
    }
    let (sender, receiver) = mpsc::channel();
    let receiver = Arc::new(Mutex::new(receiver));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let begun = (0..cores).filter(|number| {
        let (receiver, name) = (Arc::clone(&receiver), format!("arithmetic-{number}"));
        thread::Builder::new().name(name).spawn(move || serve(&receiver)).is_ok()
    });
    // Where none can be had now, the next one who asks tries again.
    (begun.count() > 0).then(|| work.insert(sender).clone())
}

fn serve(work: &Mutex<mpsc::Receiver<Work>>) {
    // A thread that may not give way works all the same.
    let _ = nice(WAY);
    loop {
        let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(next) = next else { return };
        // Its answer is dropped by a panic, which tells whoever waits.
        let _ = catch_unwind(AssertUnwindSafe(next));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::process::getpriority_process;

    use super::*;

    fn cores() -> usize {
        thread::available_parallelism().unwrap().get()
    }

    #[tokio::test]
    async fn its_threads_give_way_and_its_callers_do_not() {
        let own = getpriority_process(None).unwrap();
        let theirs = arithmetic(|| getpriority_process(None).unwrap()).await;
        assert_eq!(theirs, Ok((own + WAY).min(19)));
        assert_eq!(getpriority_process(None).unwrap(), own);
    }

    /// As many at once as there are cores; the runtime's only thread goes on; who has gone is forgotten.
    #[tokio::test]
    async fn work_waits_for_a_core_and_the_runtime_for_nothing() {
        let all = Arc::new(Barrier::new(cores() + 1));
        let busy = || {
            let all = Arc::clone(&all);
            // Twice: until all of them have begun, and until they may end.
            arithmetic(move || (all.wait(), all.wait()))
        };
        let busy: Vec<_> = (0..cores()).map(|_| busy()).collect();
        all.wait();
        let has_begun = Arc::new(AtomicBool::new(false));
        let begins = Arc::clone(&has_begun);
        // No thread is free for it, and none is added.
        drop(arithmetic(move || begins.store(true, Ordering::SeqCst)));
        all.wait();
        for work in busy {
            assert!(work.await.is_ok());
        }
        // Whatever comes later, comes behind it on one of the threads, or beside it.
        for _ in 0..cores() {
            arithmetic(|| ()).await.unwrap();
        }
        assert!(!has_begun.load(Ordering::SeqCst), "nobody waited for it");
    }

    #[tokio::test]
    async fn work_that_panics_is_told_and_takes_no_thread_along() {
        for _ in 0..=cores() {
            assert_eq!(arithmetic(|| panic!("as a test wants")).await, Err::<(), _>(GivenUp));
        }
        assert_eq!(arithmetic(|| 7).await, Ok(7));
    }
}
