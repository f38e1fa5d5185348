//! A spec goes in; a child comes out that was forked by a thread which lives as long as the process.
//!
//! The kernel sends the parent-death signal when the *thread* that forked a child ends. The threads
//! of a runtime end with it, and those of `spawn_blocking` earlier: forked there, a child would die
//! while its owner lives.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::{ChildError, Running, Spec};

/// The way to the thread, once somebody has needed it.
///
/// One for the process and never closed, rather than a value that is passed down: the end of the
/// thread would be the end of all children, whoever owns them.
static REQUESTS: Mutex<Option<Sender<Request>>> = Mutex::new(None);

struct Request {
    spec: Spec,
    /// The runtime that shall tell of the child's streams and of its end.
    runtime: Handle,
    answer: oneshot::Sender<Result<Running, ChildError>>,
}

/// Starts a child on the thread. Whoever stops waiting drops the child, which kills it.
pub(crate) async fn spawn(spec: Spec) -> Result<Running, ChildError> {
    let refused = |program, source| Err(ChildError::Spawn { program, source });
    let program = spec.name();
    let (answer, answered) = oneshot::channel();
    if let Err(source) = ask(spec, answer) {
        return refused(program, source);
    }
    match answered.await {
        Ok(started) => started,
        Err(_) => refused(program, io::Error::other("its start panicked")),
    }
}

fn ask(spec: Spec, answer: oneshot::Sender<Result<Running, ChildError>>) -> io::Result<()> {
    let runtime = Handle::try_current().map_err(io::Error::other)?;
    let sent = requests()?.send(Request { spec, runtime, answer });
    sent.map_err(|_| io::Error::other("the thread that starts children has ended"))
}

fn requests() -> io::Result<Sender<Request>> {
    let mut requests = REQUESTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(requests) = &*requests {
        return Ok(requests.clone());
    }
    let (sender, receiver) = channel();
    thread::Builder::new().name("children".to_owned()).spawn(move || serve(&receiver))?;
    Ok(requests.insert(sender).clone())
}

/// One after the other: a start takes about a millisecond, until the program has replaced the fork.
fn serve(requests: &Receiver<Request>) {
    for Request { spec, runtime, answer } in requests {
        let start = AssertUnwindSafe(|| start(spec, &runtime));
        // A panic, as of a runtime without I/O, fails this start alone: its answer is dropped.
        if let Ok(started) = catch_unwind(start) {
            // Nobody waits any more: the child is dropped with the answer.
            let _ = answer.send(started);
        }
    }
}

fn start(mut spec: Spec, runtime: &Handle) -> Result<Running, ChildError> {
    let _entered = runtime.enter();
    // First, since a runtime that cannot tell of its end must not start it.
    let exits = signal(SignalKind::child()).map_err(|source| spec.refused(source))?;
    let child = spec.command().spawn().map_err(|source| spec.refused(source))?;
    Running::new(child, exits, &spec)
}
