//! A child that lives; dropping it kills its whole group.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use tokio::time::{Instant, sleep_until, timeout};

use crate::tail::Tail;
use crate::usage::{cpu_time, peak_memory};
use crate::{ChildError, Spec};

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
    /// The way in, when piped; dropping it closes it.
    pub stdin: Option<ChildStdin>,
    /// The way out, when piped; somebody must read it.
    pub stdout: Option<ChildStdout>,
    /// Its complaints, when the spec piped them; else they are kept for the error.
    pub stderr: Option<ChildStderr>,
    child: Child,
    group: Pid,
    exits: Signals,
    tail: Tail,
    program: String,
    timeout: Option<Duration>,
    deadline: Option<Instant>,
    measured: bool,
    peak_memory: Option<u64>,
}

/// The account of a child that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// User and system time that it and its reaped children used, in steps of 10 ms.
    pub cpu: Duration,
    /// The highest resident memory seen, in bytes; only of measured children that lived long
    /// enough to be looked at.
    pub peak_memory: Option<u64>,
    /// The last 64 KiB of its stderr.
    pub stderr: String,
}

impl Running {
    pub(crate) fn new(mut child: Child, spec: &Spec) -> Result<Self, ChildError> {
        let program = spec.name();
        let lost = |source| ChildError::Io { program: program.clone(), source };
        let exits = signal(SignalKind::child()).map_err(lost)?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
        let group = pid.ok_or_else(|| lost(io::ErrorKind::NotFound.into()))?;
        let mut stderr = child.stderr.take();
        let tail = if spec.keeps_stderr() { stderr.take().map(Tail::of) } else { None };
        Ok(Self {
            stdin: child.stdin.take(),
            stdout: child.stdout.take(),
            stderr,
            child,
            group,
            exits,
            tail: tail.unwrap_or_default(),
            program,
            timeout: spec.timeout,
            deadline: spec.timeout.map(|timeout| Instant::now() + timeout),
            measured: spec.measured,
            peak_memory: None,
        })
    }

    /// Its process identifier, which is also its group's.
    pub fn pid(&self) -> i32 {
        self.group.as_raw()
    }

    /// Waits for its end; closes stdin first. The spec's time-out, counted from the start, ends
    /// the group; a status other than 0 is an error. Cancel-safe: may be awaited again.
    pub async fn wait(&mut self) -> Result<Finished, ChildError> {
        drop(self.stdin.take());
        let deadline = self.deadline;
        let expired = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            exited = self.exited() => exited?,
            () = expired => return Err(self.expire().await),
        }
        self.account().await.and_then(|finished| self.judge(finished))
    }

    /// Waits for its end like [`Running::wait`] and returns what it wrote to a piped stdout.
    pub async fn output(mut self, limit: usize) -> Result<(Vec<u8>, Finished), ChildError> {
        let stdout = self.stdout.take();
        let mut bytes = Vec::new();
        let read = async {
            if let Some(stdout) = stdout {
                let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
                stdout.take(most).read_to_end(&mut bytes).await?;
            }
            Ok::<(), io::Error>(())
        };
        let (read, finished) = tokio::join!(read, self.wait());
        if bytes.len() > limit {
            return Err(ChildError::TooMuchOutput { program: self.program.clone(), limit });
        }
        let finished = finished?;
        read.map_err(|source| self.lost(source))?;
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
        while !self.has_exited()? {
            tokio::select! {
                _ = self.exits.recv() => {}
                _ = ticks.tick(), if self.measured => self.sample(),
            }
        }
        Ok(())
    }

    fn has_exited(&self) -> Result<bool, ChildError> {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        match waitid(Id::Pid(self.group), flags) {
            Ok(WaitStatus::StillAlive) => Ok(false),
            // Reaped by an earlier wait.
            Ok(_) | Err(nix::errno::Errno::ECHILD) => Ok(true),
            Err(errno) => Err(self.lost(errno.into())),
        }
    }

    fn sample(&mut self) {
        self.peak_memory = peak_memory(self.group).max(self.peak_memory);
    }

    /// Kills what is left of the group, then reaps: until then its number cannot be taken anew.
    async fn account(&mut self) -> Result<Finished, ChildError> {
        let cpu = cpu_time(self.group);
        self.signal(Signal::SIGKILL);
        let status = self.child.wait().await.map_err(|source| self.lost(source))?;
        let stderr = self.tail.finished().await;
        Ok(Finished { status, cpu, peak_memory: self.peak_memory, stderr })
    }

    fn judge(&self, finished: Finished) -> Result<Finished, ChildError> {
        use std::os::unix::process::ExitStatusExt;
        let program = self.program.clone();
        let stderr = finished.stderr.clone();
        match (finished.status.code(), finished.status.signal()) {
            (Some(0), _) => Ok(finished),
            (Some(code), _) => Err(ChildError::Status { program, code, stderr }),
            (None, signal) => {
                Err(ChildError::Signal { program, signal: signal.unwrap_or_default(), stderr })
            }
        }
    }

    async fn expire(&mut self) -> ChildError {
        let ended = self.end_group(GRACE).await;
        match ended.and(self.account().await) {
            Ok(finished) => ChildError::Timeout {
                program: self.program.clone(),
                after: self.timeout.unwrap_or_default(),
                stderr: finished.stderr,
            },
            Err(error) => error,
        }
    }

    async fn end_group(&mut self, grace: Duration) -> Result<(), ChildError> {
        self.signal(Signal::SIGTERM);
        if let Ok(exited) = timeout(grace, self.exited()).await {
            return exited;
        }
        self.signal(Signal::SIGKILL);
        self.exited().await
    }

    /// Signals the group while its leader is unreaped; afterwards the number is not ours.
    fn signal(&self, signal: Signal) {
        if self.child.id().is_some() {
            // The group may already be gone, which is what we want.
            let _ = killpg(self.group, signal);
        }
    }

    fn lost(&self, source: io::Error) -> ChildError {
        ChildError::Io { program: self.program.clone(), source }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}
