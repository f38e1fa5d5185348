//! A process that was started goes in; its exit is noticed and its group signalled, until it is
//! reaped.

use std::io;
use std::process::ExitStatus;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::signal::unix::Signal as Signals;

use crate::ChildError;

/// The process of a child, leader of its own group; dropped, the whole group is killed.
#[derive(Debug)]
pub(crate) struct Leader {
    child: Child,
    group: Pid,
    exits: Signals,
    program: String,
}

impl Leader {
    /// `exits` tells of SIGCHLD.
    pub(crate) fn new(child: Child, exits: Signals, program: String) -> Result<Self, ChildError> {
        match child.id().and_then(|pid| i32::try_from(pid).ok()) {
            Some(pid) => Ok(Self { child, group: Pid::from_raw(pid), exits, program }),
            None => Err(ChildError::Io { program, source: io::ErrorKind::NotFound.into() }),
        }
    }

    pub(crate) fn group(&self) -> Pid {
        self.group
    }

    pub(crate) fn program(&self) -> String {
        self.program.clone()
    }

    /// Returns once some child of this process, perhaps this one, has exited.
    pub(crate) async fn some_exit(&mut self) {
        self.exits.recv().await;
    }

    /// Whether it has exited; it stays unreaped, so that its account can be read.
    pub(crate) fn has_exited(&self) -> Result<bool, ChildError> {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        match waitid(Id::Pid(self.group), flags) {
            Ok(WaitStatus::StillAlive) => Ok(false),
            // Reaped by an earlier wait.
            Ok(_) | Err(Errno::ECHILD) => Ok(true),
            Err(errno) => Err(self.lost(errno.into())),
        }
    }

    /// Signals the group while its leader is unreaped; afterwards the number is not ours.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.child.id().is_some() {
            // The group may already be gone, which is what we want.
            let _ = killpg(self.group, signal);
        }
    }

    /// Waits for its end and frees its number.
    pub(crate) async fn reap(&mut self) -> Result<ExitStatus, ChildError> {
        self.child.wait().await.map_err(|source| self.lost(source))
    }

    pub(crate) fn lost(&self, source: io::Error) -> ChildError {
        ChildError::Io { program: self.program(), source }
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}
