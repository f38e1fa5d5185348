//! A command line goes in; what it printed and how it ended comes out.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use child::{ChildError, Running, Spec, Stream};
use serde::de::DeserializeOwned;
use stillcast_enqueue::capability::Capability;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

/// Longest run of one command; reaching it is a failure, never a pass.
const WAIT_TIMEOUT: Duration = Duration::from_secs(150);

/// A program with an environment of its own: nothing of the tester's gets in but `PATH`, and it
/// answers on a port that nobody else has, as tests run side by side.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    environment: Vec<(OsString, OsString)>,
    is_unbounded: bool,
}

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its exit status.
    pub code: i32,
    /// Its answer.
    pub stdout: String,
    /// What it said beside it.
    pub stderr: String,
}

/// A binary of this workspace, built beside this test.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.ancestors().nth(2).expect("tests lie in <profile>/deps");
    let path = folder.join(name);
    assert!(path.is_file(), "{} is missing: cargo build --workspace", path.display());
    path
}

/// The folder of the real voice that `tests/run` installs.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the runner of the tests hands it over")]
pub fn voice() -> PathBuf {
    let folder = std::env::var_os("STILLCAST_TEST_VOICE");
    folder.expect("STILLCAST_TEST_VOICE is not set; tests/run sets it, and installs a voice").into()
}

impl Program {
    /// The program at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let program = Self { path: path.into(), environment: Vec::new(), is_unbounded: false };
        program.inherit("PATH").env("HTTP_ADDR", "127.0.0.1:0")
    }

    /// The operators' program of this build, its data in `home`.
    #[must_use]
    pub fn stillcast(home: &Path) -> Self {
        Self::at(binary("stillcast")).env("STILLCAST_HOME", home)
    }

    /// May run for as long as it likes.
    #[must_use]
    pub fn unbounded(self) -> Self {
        Self { is_unbounded: true, ..self }
    }

    /// Sets one variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Sets who writes, speaks and paints for a worker.
    #[must_use]
    pub fn providers(self, provider: &str) -> Self {
        let names = Capability::ALL.map(|capability| format!("{capability}_PROVIDER"));
        names.iter().fold(self, |program, name| program.env(name, provider))
    }

    #[expect(clippy::disallowed_methods, reason = "a test finds programs as its caller does")]
    fn inherit(self, name: &str) -> Self {
        let value = std::env::var_os(name).unwrap_or_default();
        self.env(name, value)
    }

    fn spec(&self, args: &[&str]) -> Spec {
        let spec = Spec::new(&self.path).args(args).env_clear();
        let spec = if self.is_unbounded { spec } else { spec.timeout(WAIT_TIMEOUT) };
        self.environment.iter().fold(spec, |spec, (name, value)| spec.env(name, value))
    }

    /// Starts it; its stdout is piped, its stderr kept for the error.
    pub async fn spawn(&self, args: &[&str]) -> anyhow::Result<Running> {
        Ok(self.spec(args).stdout(Stream::Piped).spawn().await?)
    }

    /// Runs it to its end.
    pub async fn run(&self, args: &[&str]) -> anyhow::Result<Ran> {
        self.run_with(args, "").await
    }

    /// Runs it to its end with `input` on stdin.
    pub async fn run_with(&self, args: &[&str], input: &str) -> anyhow::Result<Ran> {
        let mut running =
            self.spec(args).stdin(Stream::Piped).stdout(Stream::Piped).spawn().await?;
        let mut stdin = running.stdin.take().context("stdin is piped")?;
        // A program that reads nothing may be gone already.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        ended(running).await
    }
}

/// Waits for a program's end and takes what it still has to say.
pub async fn ended(mut running: Running) -> anyhow::Result<Ran> {
    let mut out = running.stdout.take().context("stdout is piped")?;
    let mut stdout = String::new();
    let (read, waited) = tokio::join!(out.read_to_string(&mut stdout), running.wait());
    read?;
    match waited {
        Ok(finished) => Ok(Ran { code: 0, stdout, stderr: finished.stderr }),
        Err(ChildError::Status { code, stderr, .. }) => Ok(Ran { code, stdout, stderr }),
        Err(error) => Err(error.into()),
    }
}

/// Starts `serve` of `program`, and waits until it says where it answers: `http://…`.
pub async fn serve(program: &Program) -> anyhow::Result<(Running, String)> {
    let mut serving = program.spawn(&["serve", "--json"]).await?;
    let line: serde_json::Value = serde_json::from_str(&first_line(&mut serving).await?)?;
    let url = line["url"].as_str().context("it did not say where it answers")?;
    Ok((serving, url.to_owned()))
}

/// The first line that a running program prints; of one that says nothing, how it ended.
pub async fn first_line(running: &mut Running) -> anyhow::Result<String> {
    let out = running.stdout.take().context("stdout is piped")?;
    let mut reader = BufReader::new(out);
    let mut line = String::new();
    tokio::time::timeout(WAIT_TIMEOUT, reader.read_line(&mut line)).await??;
    if line.is_empty() {
        anyhow::bail!("it printed no line, and ended: {:?}", running.wait().await);
    }
    running.stdout = Some(reader.into_inner());
    Ok(line)
}

impl Ran {
    /// The answer as JSON; asserts that it is one document and nothing else.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        let parsed = serde_json::from_str(&self.stdout);
        assert!(parsed.is_ok(), "not one JSON document: {self:?}");
        parsed.expect("asserted above")
    }

    /// Asserts the exit code; returns itself.
    #[must_use]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout {:?}, stderr {:?}", self.stdout, self.stderr);
        self
    }

    /// Asserts that stderr is one line that holds `words`; returns itself.
    #[must_use]
    pub fn saying(self, words: &str) -> Self {
        let said = self.stderr.trim_end();
        assert!(said.contains(words) && !said.contains('\n'), "stderr {said:?}, not {words:?}");
        self
    }
}
