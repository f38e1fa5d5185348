//! What shall run, with which streams and within which bounds.

mod command;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::running::Terms;
use crate::{ChildError, Finished, Limits, Running, spawner};

/// Where a standard stream of the child leads.
#[derive(Debug, Default)]
pub enum Stream {
    /// Nowhere.
    #[default]
    Null,
    /// To the owner, through [`Running`]. Whoever pipes stdout must read it.
    Piped,
    /// Where this process's own leads.
    Inherited,
    /// Into a file.
    File(File),
}

/// A child to be: program, arguments, streams, bounds.
///
/// Defaults: stdin, stdout null; stderr kept as a tail for the error; inherited environment and
/// folder; no limits; no time-out. It is killed when this process dies, whichever thread started it.
#[derive(Debug)]
pub struct Spec {
    program: PathBuf,
    name: Option<OsString>,
    args: Vec<OsString>,
    envs: Vec<(OsString, OsString)>,
    bare_env: bool,
    folder: Option<PathBuf>,
    limits: Limits,
    streams: Streams,
    hint: String,
    timeout: Option<Duration>,
    measured: bool,
    gives_way: bool,
}

/// Where its standard streams lead; stderr to the tail for the error unless it is set.
#[derive(Debug, Default)]
struct Streams {
    stdin: Stream,
    stdout: Stream,
    stderr: Option<Stream>,
}

impl Spec {
    /// A child that runs `program`, a path or a name to be found in PATH.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            name: None,
            args: Vec::new(),
            envs: Vec::new(),
            bare_env: false,
            folder: None,
            limits: Limits::default(),
            streams: Streams::default(),
            hint: "install it, or set its path".to_owned(),
            timeout: None,
            measured: false,
            gives_way: false,
        }
    }

    /// Shows it under another name than its path, in errors and in lists of processes.
    #[must_use]
    pub fn named(self, name: impl AsRef<OsStr>) -> Self {
        Self { name: Some(name.as_ref().to_owned()), ..self }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Adds one variable to its environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.envs.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Gives it no environment but what [`Spec::env`] adds, and PATH where it is named without a
    /// path: no secret of ours reaches it.
    #[must_use]
    pub fn env_clear(self) -> Self {
        Self { bare_env: true, ..self }
    }

    /// Sets its working folder.
    #[must_use]
    pub fn folder(self, folder: impl AsRef<Path>) -> Self {
        Self { folder: Some(folder.as_ref().to_owned()), ..self }
    }

    /// Sets its resource limits.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets the time from its start after which the whole group is ended: SIGTERM, and 2 s later
    /// SIGKILL.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// Lets it run as long as its owner likes.
    #[must_use]
    pub fn without_timeout(self) -> Self {
        Self { timeout: None, ..self }
    }

    /// Sets where its stdin comes from.
    #[must_use]
    pub fn stdin(mut self, stdin: Stream) -> Self {
        self.streams.stdin = stdin;
        self
    }

    /// Sets where its stdout goes.
    #[must_use]
    pub fn stdout(mut self, stdout: Stream) -> Self {
        self.streams.stdout = stdout;
        self
    }

    /// Sends its stderr elsewhere; errors then carry no tail.
    #[must_use]
    pub fn stderr(mut self, stderr: Stream) -> Self {
        self.streams.stderr = Some(stderr);
        self
    }

    /// Says what to do when the program is missing, such as `install it with: apt-get …`.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// Samples its peak memory ten times a second while somebody waits for it.
    #[must_use]
    pub fn measured(self) -> Self {
        Self { measured: true, ..self }
    }

    /// Lets it give way to this process and to its neighbours: where there is more to do than the machine
    /// can, it gets a third of what they get. For long arithmetic whose owner must go on hearing others.
    #[must_use]
    pub fn giving_way(self) -> Self {
        Self { gives_way: true, ..self }
    }

    /// Starts it. The runtime that awaits this tells of its streams and its end, so it needs I/O and
    /// time. Dropped before it returns, nothing is left running.
    ///
    /// Fails with [`ChildError::NotFound`] or [`ChildError::Spawn`]; the latter also where there is
    /// no runtime, or one that lacks I/O.
    pub async fn spawn(self) -> Result<Running, ChildError> {
        spawner::spawn(self.name(), move || self.start()).await
    }

    /// Runs it to its end; a status other than 0 is an error.
    pub async fn run(self) -> Result<Finished, ChildError> {
        self.spawn().await?.wait().await
    }

    /// Runs it to its end and returns its stdout, of which more than `limit` bytes are an error.
    pub async fn output(self, limit: usize) -> Result<(Vec<u8>, Finished), ChildError> {
        self.stdout(Stream::Piped).spawn().await?.output(limit).await
    }

    /// Forks it, on whichever thread this is called.
    fn start(mut self) -> Result<Running, ChildError> {
        let terms = Terms {
            program: self.name(),
            timeout: self.timeout,
            measured: self.measured,
            keeps_stderr: self.streams.stderr.is_none(),
        };
        // First, since a runtime that cannot tell of its end must not start it.
        let exits = signal(SignalKind::child()).map_err(|source| self.refused(source))?;
        let child = self.command().spawn().map_err(|source| self.refused(source))?;
        Running::new(child, exits, terms)
    }

    fn name(&self) -> String {
        let of_path = || self.program.file_name().unwrap_or(self.program.as_os_str());
        self.name.as_deref().unwrap_or_else(of_path).display().to_string()
    }
}
