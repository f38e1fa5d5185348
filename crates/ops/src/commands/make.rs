//! A text goes in, a file comes out, and nothing is left running.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use queue::Inspector;
use stillcast_enqueue::{Artifact, Format, Job, JobRecord, State};

use crate::embedded::Stack;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::signals::Signals;
use crate::{Context, connect, render, request, watch};

/// Jobs of earlier runs that are waited for; more of them wait for `stillcast dev`.
const MOST_EARLIER: usize = 100;

#[derive(Args)]
#[command(after_help = "\
Examples:
  stillcast make --text evening.txt
  stillcast make --text - --format video --out films --json < evening.txt | jq .artifact.duration_s")]
pub(crate) struct Make {
    /// The text, at most 16 KiB: a file, or - for stdin.
    #[arg(long, value_name = "FILE")]
    text: PathBuf,
    /// audio or video.
    #[arg(long, value_name = "FORMAT", default_value_t = Format::Audio)]
    format: Format,
    /// The folder for the file; made if missing.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// A voice of the speech provider.
    #[arg(long, value_name = "NAME")]
    voice: Option<String>,
    /// Another file than the last time for the same text.
    #[arg(long)]
    fresh: bool,
    /// How long to wait, such as 90, 90s or 5m; the job is kept. Default: until it has ended.
    #[arg(long, value_name = "TIME", value_parser = span)]
    timeout: Option<Duration>,
}

/// A private stack at work on the wish of a person who may lose patience.
struct Making<'run> {
    stack: &'run mut Stack,
    signals: &'run mut Signals,
    context: &'run Context,
}

impl Make {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let job = self.job(context)?;
        let made = std::fs::create_dir_all(&self.out);
        made.map_err(|error| Failure::usage(format!("--out {}: {error}", self.out.display())))?;
        let mut signals = Signals::new()?;
        let mut stack = tokio::select! {
            started = Stack::start(context) => started?,
            () = signals.next() => return Err(Failure::failed("stopped before there was a job")),
        };
        let mut making = Making { stack: &mut stack, signals: &mut signals, context };
        let made = making.make(&job, &self.out, self.timeout).await;
        context.screen.live_status("");
        // A second signal: whatever still runs is killed, and taken up by the next run.
        let stopped = tokio::select! {
            stopped = stack.stop() => stopped,
            () = signals.next() => Ok(()),
        };
        made.and(stopped)
    }

    fn job(&self, context: &Context) -> anyhow::Result<Job> {
        let source = request::source(&self.text, &context.screen)?;
        let variant = if self.fresh { random() } else { 0 };
        let options = request::options(self.voice.as_deref(), variant)?;
        let job = Job::new(source, self.format).with_options(options);
        job.validate().map_err(|error| Failure::usage(error.to_string()))?;
        Ok(job)
    }
}

impl Making<'_> {
    async fn make(
        &mut self,
        job: &Job,
        out: &Path,
        timeout: Option<Duration>,
    ) -> anyhow::Result<()> {
        let inspector = self.stack.inspector.clone();
        let earlier = unfinished(&inspector).await?;
        let redis_url = self.stack.home().redis_url();
        let producer = connect::producer(&redis_url, &self.context.config.queue_name).await?;
        producer.enqueue(job).await?;
        let mut progress = Progress::new(&self.context.screen);
        let ended = watch::until_ended(&inspector, job.id.as_str(), |record| progress.show(record));
        let record = self.attend(job, timeout, ended).await?;
        self.hand_over(&record, out).await?;
        self.attend(job, timeout, finish(&inspector, earlier, self.context)).await
    }

    /// Grants `wish` while the stack is looked after, unless the person or the time is through.
    async fn attend<T>(
        &mut self,
        job: &Job,
        timeout: Option<Duration>,
        wish: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let Making { stack, signals, .. } = self;
        let home = stack.home().path().display().to_string();
        let patience = async {
            match timeout {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        let why = tokio::select! {
            granted = wish => return granted,
            fault = stack.supervise() => return fault.map(|never| match never {}),
            () = signals.next() => "stopped",
            () = patience => "the time of --timeout is over",
        };
        Err(Failure::failed(format!(
            "{why}; the job {id} is kept in {home}: the next `stillcast make` or `stillcast dev` \
             finishes it, `stillcast job cancel {id}` beside a `stillcast dev` drops it",
            id = job.id
        )))
    }

    async fn hand_over(&self, record: &JobRecord, out: &Path) -> anyhow::Result<()> {
        let screen = &self.context.screen;
        let Some(artifact) = record.artifact.clone().filter(|_| record.state == State::Done) else {
            screen.answer(record, String::new)?;
            let log = self.stack.home().worker_log();
            let sentence = render::failure(record);
            return Err(Failure::failed(format!("{sentence}; see {}", log.display())));
        };
        let source = artifact.path.clone().map(PathBuf::from);
        let source = source.unwrap_or_else(|| self.stack.home().store().join(&artifact.key));
        let target = out.join(file_name(&record.id, &artifact));
        let target = std::path::absolute(target)?;
        let copied = {
            let target = target.clone();
            tokio::task::spawn_blocking(move || copy(&source, &target))
        };
        copied.await??;
        screen.answer(record, || target.display().to_string())?;
        if screen.is_json() {
            screen.live_line(&target.display().to_string());
        }
        Ok(())
    }
}

/// What earlier runs left behind and a worker can go on with now.
async fn unfinished(inspector: &Inspector) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for state in [State::Ready, State::Leased] {
        let page = inspector.list(Some(state), MOST_EARLIER, None).await?;
        ids.extend(page.jobs.into_iter().map(|record| record.id));
    }
    Ok(ids)
}

/// Waits while any of `earlier` is ready or at work, and says what became of each.
async fn finish(
    inspector: &Inspector,
    earlier: Vec<String>,
    context: &Context,
) -> anyhow::Result<()> {
    for id in earlier {
        context.screen.live_status(&format!("  finishing the earlier job {id}"));
        let went_on = |record: &JobRecord| !matches!(record.state, State::Ready | State::Leased);
        let record = watch::until(inspector, &id, went_on, |_| {}).await?;
        let became = match &record.artifact {
            Some(artifact) => artifact.path.clone().unwrap_or_else(|| artifact.url.clone()),
            None => render::failure(&record),
        };
        context.screen.note(&format!("earlier job {id}: {became}"));
    }
    Ok(())
}

/// `meditation-<short id>.<ext>`: the end of an identifier tells jobs apart, its begin is a time.
fn file_name(id: &str, artifact: &Artifact) -> String {
    const SHORT: usize = 8;
    let short: String = id.chars().skip(id.chars().count().saturating_sub(SHORT)).collect();
    let extension = Path::new(&artifact.key).extension().unwrap_or_default();
    format!("meditation-{short}.{}", extension.display())
}

/// Nobody ever sees half a file: it gets its name when it is whole.
fn copy(source: &Path, target: &Path) -> anyhow::Result<()> {
    let folder = target.parent().context("a file lies in a folder")?;
    let read = || format!("{} cannot be read", source.display());
    let wrote = || format!("{} cannot be written", target.display());
    let mut source = std::fs::File::open(source).with_context(read)?;
    let mode = Permissions::from_mode(0o666);
    let part =
        tempfile::Builder::new().prefix(".meditation-").permissions(mode).tempfile_in(folder);
    let mut part = part.with_context(wrote)?;
    std::io::copy(&mut source, &mut part).with_context(wrote)?;
    part.persist(target).with_context(wrote)?;
    Ok(())
}

/// A variant that nobody has asked for before.
fn random() -> u32 {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    u32::try_from(high >> 33).unwrap_or(1).max(1)
}

/// `90`, `90s`, `5m` or `1h`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        _ => (text, 1),
    };
    let seconds: u32 = number.parse().map_err(|_| "a time is such as 90, 90s, 5m or 1h")?;
    Ok(Duration::from_secs(u64::from(seconds) * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_units() {
        let read = |text| span(text).map(|span| span.as_secs());
        assert_eq!(
            [read("90"), read("90s"), read("5m"), read("1h")].map(Result::unwrap),
            [90, 90, 300, 3600]
        );
        assert!(["", "s", "-1", "1d", "1.5s", "é"].into_iter().all(|text| span(text).is_err()));
    }

    #[test]
    fn a_copy_is_whole_and_replaces_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("a"), folder.path().join("b.m4a"));
        std::fs::write(&source, "new").unwrap();
        std::fs::write(&target, "old").unwrap();
        copy(&source, &target).unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        let error = copy(&folder.path().join("gone"), &target).unwrap_err();
        assert!(format!("{error:#}").contains("gone cannot be read"));
    }

    #[test]
    fn variants_differ() {
        assert_ne!(random(), random());
    }
}
