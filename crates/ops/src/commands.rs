//! A subcommand with its arguments goes in and is run; one file a group of commands.

mod answer;
mod audit;
mod dead;
mod dev;
mod doctor;
mod enqueue;
mod feed;
mod history;
mod job;
mod jobs;
mod make;
mod migrate;
mod outbox;
mod queue;
mod serve;
mod top;
mod warm;
mod watch;

use clap::Subcommand;

use crate::context::Context;

/// Below every command's help.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0   fine
  1   the job failed, or is not in a state for that; `doctor` has found an error; not all is warm
  2   usage
  69  an outside part is missing; the message names it and the command that installs it
  78  configuration

Environment: REDIS_URL, REDIS_CA_FILE, QUEUE_NAME, STORAGE_URL, S3_ENDPOINT, AWS_*, DATABASE_URL,
CACHE_REDIS_URL, MESSAGES_QUERY, SOURCES_QUERY, OUTBOX, OUTBOX_KEEP,
HTTP_ADDR, API_TOKENS, API_REQUESTS_PER_MINUTE, WEBHOOK_*, ALERT_WEBHOOK_*, LOG_FORMAT,
RUST_LOG, STILLCAST_HOME.";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Makes one file from a text, on a private Redis and worker.
    Make(make::MakeArgs),
    /// Leaves the private Redis and worker running until Ctrl-C.
    Dev(dev::DevArgs),
    /// Puts a job on the queue.
    Enqueue(enqueue::EnqueueArgs),
    /// Shows, watches, cancels, replays, tells of or purges one job.
    #[command(subcommand)]
    Job(job::JobCommand),
    /// Lists jobs.
    Jobs(jobs::JobsArgs),
    /// Shows, pauses, resumes or verifies the queue.
    #[command(subcommand)]
    Queue(queue::QueueCommand),
    /// Writes a tenant's finished jobs as a podcast (RSS).
    Feed(feed::FeedArgs),
    /// Serves the HTTP API of the queue until Ctrl-C.
    Serve(serve::ServeArgs),
    /// Shows the queue in the terminal, live.
    Top(top::TopArgs),
    /// Brings the tables of the sample schema up to date.
    Migrate(migrate::MigrateArgs),
    /// Shows the jobs that applications have written into a database, or hands them over again.
    #[command(subcommand)]
    Outbox(outbox::OutboxCommand),
    /// Asks every neighbour and this machine how they do, and says what to do.
    Doctor(doctor::DoctorArgs),
    /// Buys words, speech and pictures for all tenants before anybody asks.
    Warm(warm::WarmArgs),
    /// Lists, replays or purges the jobs that will not run again by themselves.
    #[command(subcommand)]
    Dead(dead::DeadCommand),
}

impl Command {
    /// Whether it works on a Redis and a store of its own.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self, Self::Make(_) | Self::Dev(_))
    }

    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Make(make) => make.run(context).await,
            Self::Dev(dev) => dev.run(context).await,
            Self::Enqueue(enqueue) => enqueue.run(context).await,
            Self::Job(job) => job.run(context).await,
            Self::Jobs(jobs) => jobs.run(context).await,
            Self::Queue(queue) => queue.run(context).await,
            Self::Feed(feed) => feed.run(context).await,
            Self::Serve(serve) => serve.run(context).await,
            Self::Top(top) => top.run(context).await,
            Self::Migrate(migrate) => migrate.run(context).await,
            Self::Outbox(outbox) => outbox.run(context).await,
            Self::Doctor(doctor) => doctor.run(context).await,
            Self::Warm(warm) => warm.run(context).await,
            Self::Dead(dead) => dead.run(context).await,
        }
    }
}
