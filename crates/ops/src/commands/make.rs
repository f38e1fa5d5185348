//! A text or a conversation goes in, a file comes out, and nothing is left running.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use queue::Inspector;
use stillcast_enqueue::{Format, Job, JobRecord, Source, State};
use tokio::time::Instant;

use super::save;
use crate::cli_error::CliError;
use crate::context::Context;
use crate::embedded::Stack;
use crate::progress::Progress;
use crate::request::{OptionArgs, SourceArgs};
use crate::signals::Signals;
use crate::{connect, render, watch};

/// Jobs of earlier runs that are waited for; more of them wait for `stillcast dev`.
const MAX_EARLIER: usize = 100;

#[derive(Args)]
#[command(after_help = "\
Examples:
  stillcast make --text evening.txt
  stillcast make --conversation 0191d0c4-7a3b-7c52-9e0f-3c6d2f8a1b44 --tenant acme --language de
  stillcast make --text - --format video --out films --json < evening.txt | jq .artifact.duration_s")]
pub(crate) struct Make {
    #[command(flatten)]
    source: SourceArgs,
    /// audio or video.
    #[arg(long, value_name = "FORMAT", default_value_t = Format::Audio)]
    format: Format,
    /// The folder for the file; made if missing.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    options: OptionArgs,
    /// Another file than the last time for the same text: a --variant that nobody knows.
    #[arg(long, conflicts_with = "variant")]
    fresh: bool,
    /// How long to wait, such as 90, 90s or 5m; the job is kept. Default: until it has ended.
    #[arg(long, value_name = "TIME", value_parser = span)]
    timeout: Option<Duration>,
}

/// A private stack at work on the wish of a person who may lose patience.
struct Making<'run> {
    stack: &'run mut Stack,
    signals: &'run mut Signals,
    /// When the person no longer waits.
    until: Option<Instant>,
    context: &'run Context,
}

/// What came of attending to a wish.
enum Attended<T> {
    Granted(T),
    /// The person or the time was through first, for this reason.
    Left(&'static str),
}

impl Make {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let job = self.job(context)?;
        let made = std::fs::create_dir_all(&self.out);
        made.map_err(|error| CliError::usage(format!("--out {}: {error}", self.out.display())))?;
        let mut signals = Signals::new()?;
        let mut stack = tokio::select! {
            started = Stack::start(context) => started?,
            () = signals.next() => return Err(CliError::failed("stopped before there was a job")),
        };
        let until = self.timeout.map(|timeout| Instant::now() + timeout);
        let mut making = Making { stack: &mut stack, signals: &mut signals, until, context };
        let made = making.make(&job, &self.out).await;
        context.screen.live_status("");
        // A second signal: whatever still runs is killed, and taken up by the next run.
        let stopped = tokio::select! {
            stopped = stack.stop() => stopped,
            () = signals.next() => Ok(()),
        };
        made.and(stopped)
    }

    fn job(&self, context: &Context) -> anyhow::Result<Job> {
        let source = self.source.source(&context.screen)?;
        let source = source.ok_or_else(|| CliError::usage("name a --text or a --conversation"))?;
        if matches!(source, Source::Conversation(_)) && context.config.database_url.is_none() {
            let message = "set DATABASE_URL: that is where the conversation is";
            return Err(CliError::configuration(message));
        }
        let mut job = self.options.job(source, self.format)?;
        if self.fresh {
            job.options.variant = random();
        }
        job.validate().map_err(|error| CliError::usage(error.to_string()))?;
        Ok(job)
    }
}

impl Making<'_> {
    async fn make(&mut self, job: &Job, out: &Path) -> anyhow::Result<()> {
        let inspector = self.stack.inspector.clone();
        let earlier = unfinished(&inspector).await?;
        let redis_url = self.stack.home().redis_url();
        let producer = connect::producer(&redis_url, &self.context.config.queue_name).await?;
        producer.enqueue(job).await?;
        let mut progress = Progress::new(&self.context.screen);
        let ended = watch::until_ended(&inspector, job.id.as_str(), |record| progress.show(record));
        match self.attend(ended).await? {
            Attended::Granted(record) => self.hand_over(&record, out).await?,
            Attended::Left(why) => return Err(self.kept(job, why)),
        }
        let finished = self.attend(finish(&inspector, earlier, self.context)).await;
        // The file is there: what happens to others' jobs is no failure of this one.
        match finished {
            Ok(Attended::Granted(())) => {}
            Ok(Attended::Left(why)) => {
                self.context.screen.note(&format!("{why}: earlier jobs stay"));
            }
            Err(error) => self.context.screen.note(&format!("earlier jobs stay: {error:#}")),
        }
        Ok(())
    }

    /// Looks after the stack until `wish` is granted, or the person or the time is through.
    async fn attend<T>(
        &mut self,
        wish: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<Attended<T>> {
        let Making { stack, signals, until, context } = self;
        let patience = async {
            match *until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            granted = wish => granted.map(Attended::Granted),
            fault = stack.supervise() => fault.map(|never| match never {}),
            () = patience => Ok(Attended::Left("the time of --timeout is over")),
            () = signals.next() => {
                context.screen.note("ending in order; once more ends at once");
                Ok(Attended::Left("stopped"))
            }
        }
    }

    fn kept(&self, job: &Job, why: &str) -> anyhow::Error {
        let home = self.stack.home().path().display();
        CliError::failed(format!(
            "{why}; the job {id} is kept in {home}: the next `stillcast make` or `stillcast dev` \
             finishes it, `stillcast job cancel {id}` beside a `stillcast dev` drops it",
            id = job.id
        ))
    }

    async fn hand_over(&self, record: &JobRecord, out: &Path) -> anyhow::Result<()> {
        let screen = &self.context.screen;
        let Some(artifact) = record.artifact.clone().filter(|_| record.state == State::Done) else {
            screen.answer(record, String::new)?;
            let log = self.stack.home().worker_log();
            let sentence = render::failure(record);
            return Err(CliError::failed(format!("{sentence}; see {}", log.display())));
        };
        let source = artifact.path.clone().map(PathBuf::from);
        let source = source.unwrap_or_else(|| self.stack.home().store().join(&artifact.key));
        let target = save::copy_into(out, source, &record.id).await?;
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
        let page = inspector.list(Some(state), MAX_EARLIER, None).await?;
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
    fn variants_differ() {
        assert_ne!(random(), random());
    }
}
