//! A spec goes in; the command that the system understands comes out, or why it was refused.

use std::io;
use std::process::Stdio;

use tokio::process::Command;

use super::{Spec, Stream, Streams};
use crate::ChildError;
use crate::limits::harden;

impl Spec {
    /// Takes the streams along, so that nobody but the child holds them once the command is gone.
    #[expect(clippy::disallowed_methods, reason = "the one place where children start")]
    pub(crate) fn command(&mut self) -> Command {
        let mut command = Command::new(&self.program);
        self.set_environment(&mut command);
        if let Some(name) = &self.name {
            command.arg0(name);
        }
        command.args(&self.args);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let Streams { stdin, stdout, stderr } = &mut self.streams;
        command.stdin(stdio(stdin)).stdout(stdio(stdout));
        command.stderr(stderr.as_mut().map_or_else(Stdio::piped, stdio));
        command.process_group(0).kill_on_drop(true);
        harden(&mut command, &self.limits, self.gives_way);
        command
    }

    #[expect(clippy::disallowed_methods, reason = "a bare name is found in its owner's PATH")]
    fn set_environment(&mut self, command: &mut Command) {
        if self.bare_env {
            command.env_clear();
            if self.program.components().count() == 1 {
                command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
            }
        }
        command.envs(self.envs.drain(..));
    }

    /// What it means that the system did not start it.
    pub(crate) fn refused(&self, source: io::Error) -> ChildError {
        let folder_exists = self.folder.as_ref().is_none_or(|folder| folder.is_dir());
        if source.kind() == io::ErrorKind::NotFound && folder_exists {
            ChildError::NotFound { program: self.name(), hint: self.hint.clone() }
        } else {
            ChildError::Spawn { program: self.name(), source }
        }
    }
}

fn stdio(stream: &mut Stream) -> Stdio {
    match std::mem::take(stream) {
        Stream::Null => Stdio::null(),
        Stream::Piped => Stdio::piped(),
        Stream::Inherited => Stdio::inherit(),
        Stream::File(file) => file.into(),
    }
}
