//! A text or a conversation goes in, a file comes out, and nothing is left running.

mod earlier;
mod save;
mod session;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use stillcast_enqueue::capability::offline_speaks;
use stillcast_enqueue::{Format, Identifier, Job, Source};
use tokio::time::Instant;

use self::session::Session;
use crate::cli_error::CliError;
use crate::context::Context;
use crate::duration;
use crate::embedded::{Stack, is_offline};
use crate::request::{OptionArgs, SourceArgs, traced};
use crate::signals::Signals;

#[derive(Args)]
#[command(after_help = "\
Examples:
  stillcast make --text evening.txt
  stillcast make --text evening.txt --duration 10m
  stillcast make --conversation 0191d0c4-7a3b-7c52-9e0f-3c6d2f8a1b44 --tenant acme --language de
  stillcast make --text - --format video --out films --json < evening.txt | jq .artifact.duration_s")]
pub(crate) struct MakeArgs {
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
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

impl MakeArgs {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let job = self.job(context)?;
        let made = std::fs::create_dir_all(&self.out);
        made.map_err(|error| CliError::usage(format!("--out {}: {error}", self.out.display())))?;
        let mut signals = Signals::new()?;
        let mut stack = tokio::select! {
            started = Stack::start(context) => started?,
            () = signals.next() => return Err(CliError::failed("stopped before there was a job")),
        };
        let deadline = self.timeout.map(|timeout| Instant::now() + timeout);
        let mut session = Session { stack: &mut stack, signals: &mut signals, deadline, context };
        let made = session.make(&job, &self.out).await;
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
        let job = self.options.job(source, self.format)?;
        let mut job = traced(job, &context.config.environment);
        if self.fresh {
            job.options.variant = random_variant();
        }
        job.validate().map_err(|error| CliError::usage(error.to_string()))?;
        let language = job.options.language.as_ref().map(Identifier::as_str);
        if !offline_speaks(language) && is_offline(&context.config.environment) {
            let message = "--language takes en here: what is written or spoken offline is English \
                           only; set OPENAI_API_KEY, or LLM_PROVIDER and TTS_PROVIDER";
            return Err(CliError::usage(message));
        }
        Ok(job)
    }
}

/// A variant that has most likely never been asked for.
fn random_variant() -> u32 {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    u32::try_from(high >> 33).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_differ() {
        assert_ne!(random_variant(), random_variant());
    }
}
