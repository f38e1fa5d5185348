//! An identifier goes in; the job is shown, watched, cancelled, replayed, told of or purged.

use clap::{Args, Subcommand};
use queue::{Inspector, Remake};

use super::answer::{Answer, unknown_job};
use super::watch::follow;
use crate::cli_error::CliError;
use crate::connect;
use crate::context::{Context, Reason};
use crate::job_files::StoredFiles;
use crate::render::{self, Screen};

#[derive(Subcommand)]
pub(crate) enum JobCommand {
    /// Prints the job's record.
    #[command(after_help = "Example:\n  stillcast job show ID --json | jq .stages")]
    Show(JobIdArg),
    /// Follows the job until it has ended; exit 1 when it gave no file.
    #[command(after_help = "Example:\n  stillcast job watch ID --json | jq -r .stage")]
    Watch(JobIdArg),
    /// Ends the job: at once while it waits, within seconds while it runs.
    #[command(after_help = "Example:\n  stillcast job cancel ID")]
    Cancel(ChangeArgs),
    /// Retries a dead job; finished work is kept, but for what is to be made anew.
    #[command(after_help = "\
Examples:
  stillcast job replay ID && stillcast job watch ID
  stillcast job replay ID --set voice=nova
  stillcast job replay ID --from tts --set variant=1")]
    Replay(ReplayArgs),
    /// Tells the end of a job once more, at once, to the address that its request named.
    #[command(
        after_help = "Example:\n  stillcast job resend-webhook ID; stillcast job show ID --json | jq .webhook"
    )]
    ResendWebhook(ChangeArgs),
    /// Removes an ended job: its file, its work, its record. May be repeated.
    #[command(after_help = "\
Examples:
  stillcast job cancel ID; stillcast job purge ID
  stillcast job purge ID --tenant default")]
    Purge(PurgeArgs),
}

#[derive(Args)]
pub(crate) struct JobIdArg {
    /// The job's identifier.
    id: String,
}

#[derive(Args)]
pub(crate) struct ChangeArgs {
    /// The job's identifier.
    id: String,
    #[command(flatten)]
    reason: Reason,
}

#[derive(Args)]
pub(crate) struct ReplayArgs {
    /// The job's identifier.
    id: String,
    /// The first stage that is made anew, with all that is built on it: collection, transcript, tts,
    /// image, encode or upload. Without it, where a changed option first decides something.
    #[arg(long, value_name = "STAGE")]
    from: Option<String>,
    /// Another value of an option: voice, language, variant, duration, bed,
    /// `bed_level`, bells, tail, stems, container, aspect, motion, lexicon (as JSON) or live; an empty one is the worker's default.
    /// Another variant asks for what no cache has.
    #[arg(long, value_name = "OPTION=VALUE", value_parser = parse_setting)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    reason: Reason,
}

impl ReplayArgs {
    fn remake(&self) -> anyhow::Result<Remake> {
        let set = self.set.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Remake::parse(self.from.as_deref(), set).map_err(|fault| CliError::usage(fault.to_string()))
    }
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it takes OPTION=VALUE, such as voice=nova")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[derive(Args)]
pub(crate) struct PurgeArgs {
    /// The job's identifier.
    id: String,
    /// Whose job it was; needed once its record is gone.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    #[command(flatten)]
    reason: Reason,
}

impl JobCommand {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let screen = &context.screen;
        let inspector = connect::inspector(&context.config).await?;
        match self {
            Self::Show(JobIdArg { id }) => show(&inspector, &id, screen).await,
            Self::Watch(JobIdArg { id }) => follow(&inspector, &id, screen).await,
            Self::Cancel(ChangeArgs { id, reason }) => {
                let actor = context.actor(&reason)?;
                Answer::of_cancel(&id, inspector.cancel(&id, &actor).await?).print(screen)
            }
            Self::Replay(replay) => {
                let (actor, remake) = (context.actor(&replay.reason)?, replay.remake()?);
                let answer = inspector.replay_from(&replay.id, &remake, &actor).await?;
                Answer::of_replay(&replay.id, answer).print(screen)
            }
            Self::ResendWebhook(ChangeArgs { id, reason }) => {
                let actor = context.actor(&reason)?;
                Answer::of_resend(&id, inspector.resend_webhook(&id, &actor).await?).print(screen)
            }
            Self::Purge(PurgeArgs { id, tenant, reason }) => {
                let actor = context.actor(&reason)?;
                let files = StoredFiles::open(&context.config).await?;
                let answer =
                    queue::purge(&inspector, &files, &id, tenant.as_deref(), &actor).await?;
                Answer::of_purge(&id, answer).print(screen)
            }
        }
    }
}

async fn show(inspector: &Inspector, id: &str, screen: &Screen) -> anyhow::Result<()> {
    let record = inspector.record(id).await?;
    let record = record.ok_or_else(|| CliError::failed(unknown_job(id)))?;
    let mut record = inspector.explain(record).await?;
    // Of a webhook that is owed, its attempts too.
    if record.webhook.is_some() {
        record.webhook = inspector.webhook(id).await?.or(record.webhook);
    }
    screen.answer(&record, || render::record_view(&record))
}
