//! A child that lives; dropping it kills its whole group.

use std::io;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::signal::unix::Signal as Signals;
use tokio::time::{Instant, sleep_until, timeout};

use crate::leader::Leader;
use crate::tail::Tail;
use crate::usage::{cpu_time, peak_memory};
use crate::{ChildError, Finished};

/// Time between two looks at a measured child's memory.
const SAMPLE: Duration = Duration::from_millis(100);
/// Time between SIGTERM and SIGKILL for a child whose time is up.
const GRACE: Duration = Duration::from_secs(2);

/// A running child, leader of its own process group.
///
/// Dropped while it runs, the whole group is killed and the child reaped. Its end, however it
/// comes, is the end of its group: no grandchild outlives it.
#[derive(Debug)]
pub struct Running {
    // First, so that a drop kills the group before its streams close.
    leader: Leader,
    /// The way in, when piped; dropping it closes it.
    pub stdin: Option<ChildStdin>,
    /// The way out, when piped; somebody must read it.
    pub stdout: Option<ChildStdout>,
    /// Its complaints, when the spec piped them; else they are kept for the error.
    pub stderr: Option<ChildStderr>,
    tail: Tail,
    bound: Option<Bound>,
    measured: bool,
    peak_memory: Option<u64>,
}

/// The time that a child has, and when it is over.
#[derive(Clone, Copy, Debug)]
struct Bound {
    after: Duration,
    at: Instant,
}

/// What its owner wants of a child that has started.
#[derive(Debug)]
pub(crate) struct Terms {
    /// Its name in errors.
    pub(crate) program: String,
    /// The time from its start after which the whole group is ended.
    pub(crate) timeout: Option<Duration>,
    /// Whether its peak memory is sampled.
    pub(crate) measured: bool,
    /// Whether its complaints are kept for the error, rather than sent elsewhere.
    pub(crate) keeps_stderr: bool,
}

impl Running {
    pub(crate) fn new(mut child: Child, exits: Signals, terms: Terms) -> Result<Self, ChildError> {
        let Terms { program, timeout, measured, keeps_stderr } = terms;
        let mut stderr = child.stderr.take();
        let tail = if keeps_stderr { stderr.take() } else { None };
        Ok(Self {
            stdin: child.stdin.take(),
            stdout: child.stdout.take(),
            stderr,
            tail: tail.map(Tail::of).unwrap_or_default(),
            leader: Leader::new(child, exits, program)?,
            bound: timeout.map(|after| Bound { after, at: Instant::now() + after }),
            measured,
            peak_memory: None,
        })
    }

    /// Its process identifier, which is also its group's.
    pub fn pid(&self) -> i32 {
        self.leader.group().as_raw()
    }

    /// User and system time that it and its reaped children have used until now, in steps of 10 ms.
    pub fn cpu_time(&self) -> Duration {
        cpu_time(self.leader.group())
    }

    /// Waits for its end; closes stdin first. The spec's time-out, counted from the start, ends
    /// the group; a status other than 0 is an error. Cancel-safe: may be awaited again.
    pub async fn wait(&mut self) -> Result<Finished, ChildError> {
        drop(self.stdin.take());
        let bound = self.bound;
        tokio::select! {
            exited = self.exited() => exited?,
            after = expired(bound) => return Err(self.expire(after).await),
        }
        let finished = self.account().await?;
        finished.judged(self.leader.program())
    }

    /// Waits for its end like [`Running::wait`] and returns what it wrote to a piped stdout.
    pub async fn output(mut self, limit: usize) -> Result<(Vec<u8>, Finished), ChildError> {
        let reading = read(self.stdout.take(), limit);
        let (read, finished) = tokio::join!(reading, self.wait());
        if read.as_ref().is_ok_and(|bytes| bytes.len() > limit) {
            return Err(ChildError::TooMuchOutput { program: self.leader.program(), limit });
        }
        let finished = finished?;
        let bytes = read.map_err(|source| self.leader.lost(source))?;
        Ok((bytes, finished))
    }

    /// Ends it: SIGTERM to the group, `grace` to obey, then SIGKILL. However it ended is fine.
    pub async fn terminate(mut self, grace: Duration) -> Result<Finished, ChildError> {
        drop(self.stdin.take());
        self.end_group(grace).await?;
        self.account().await
    }

    /// Returns once it has exited, still unreaped, so that its account can be read.
    async fn exited(&mut self) -> Result<(), ChildError> {
        let mut ticks = tokio::time::interval(SAMPLE);
        while !self.leader.has_exited()? {
            tokio::select! {
                () = self.leader.some_exit() => {}
                _ = ticks.tick(), if self.measured => self.sample(),
            }
        }
        Ok(())
    }

    fn sample(&mut self) {
        self.peak_memory = peak_memory(self.leader.group()).max(self.peak_memory);
    }

    /// Kills what is left of the group, then reaps: until then its number cannot be taken anew.
    async fn account(&mut self) -> Result<Finished, ChildError> {
        let cpu = cpu_time(self.leader.group());
        self.leader.signal(Signal::SIGKILL);
        let status = self.leader.reap().await?;
        let stderr = self.tail.finished().await;
        Ok(Finished { status, cpu, peak_memory: self.peak_memory, stderr })
    }

    async fn expire(&mut self, after: Duration) -> ChildError {
        let ended = self.end_group(GRACE).await;
        match ended.and(self.account().await) {
            Ok(Finished { stderr, .. }) => {
                ChildError::Timeout { program: self.leader.program(), after, stderr }
            }
            Err(error) => error,
        }
    }

    async fn end_group(&mut self, grace: Duration) -> Result<(), ChildError> {
        self.leader.signal(Signal::SIGTERM);
        if let Ok(exited) = timeout(grace, self.exited()).await {
            return exited;
        }
        self.leader.signal(Signal::SIGKILL);
        self.exited().await
    }
}

/// Returns the time that was given, once it is over.
async fn expired(bound: Option<Bound>) -> Duration {
    let Some(Bound { after, at }) = bound else { return std::future::pending().await };
    sleep_until(at).await;
    after
}

/// All of a stream, or one byte more than `limit`.
async fn read(stream: Option<ChildStdout>, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        stream.take(most).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}
