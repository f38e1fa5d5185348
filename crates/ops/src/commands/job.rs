//! An identifier goes in; the job is shown, watched, cancelled, replayed, told of or purged.

use clap::{Args, Subcommand};
use queue::Inspector;

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
    /// Retries a dead job; finished work is kept.
    #[command(after_help = "Example:\n  stillcast job replay ID && stillcast job watch ID")]
    Replay(ChangeArgs),
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
            Self::Replay(ChangeArgs { id, reason }) => {
                let actor = context.actor(&reason)?;
                Answer::of_replay(&id, inspector.replay(&id, &actor).await?).print(screen)
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
