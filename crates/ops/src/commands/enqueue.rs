//! A text or a request goes in, a job's identifier comes out; with `--wait`, its record.

use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;
use stillcast_enqueue::{Format, Job, JobId, Replication, State, Submission, WebhookUrl};

use super::watch::follow;
use crate::cli_error::CliError;
use crate::context::Context;
use crate::request::{OptionArgs, SourceArgs, traced};
use crate::{connect, input};

#[derive(Args)]
#[command(after_help = "\
Examples:
  stillcast enqueue --text evening.txt --format video --idempotency-key user7-evening9
  stillcast enqueue --conversation 0191d0c4-7a3b-7c52-9e0f-3c6d2f8a1b44 --tenant acme
  echo '{\"source\":{\"text\":\"A long day.\"},\"format\":\"audio\"}' |
    stillcast enqueue --json-request - --wait --json")]
pub(crate) struct EnqueueArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// A whole request as JSON: a file, or - for stdin.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["SourceArgs", "OptionArgs", "JobArgs"])]
    json_request: Option<PathBuf>,
    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    job_args: JobArgs,
    /// Waits until the job has ended; exit 1 when it failed.
    #[arg(long)]
    wait: bool,
}

/// What else a request may hold.
#[derive(Args)]
#[group(multiple = true)]
struct JobArgs {
    /// audio or video; audio when not given.
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// 0 to 9; 9 goes first, 5 when not given.
    #[arg(long, value_name = "NUMBER")]
    priority: Option<u8>,
    /// A second job with this key is the first one again.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Not before this moment, such as 2030-01-01T06:00:00Z.
    #[arg(long, value_name = "TIME")]
    run_at: Option<DateTime<Utc>>,
    /// Not after this moment; 24 h after now or --run-at when not given.
    #[arg(long, value_name = "TIME")]
    deadline: Option<DateTime<Utc>>,
    /// Attempts before the job is dead; 5 when not given.
    #[arg(long, value_name = "NUMBER")]
    max_attempts: Option<u32>,
    /// Where the job's end is told, an https:// or http:// address.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// A string that comes back in the record; may be given often.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
}

/// The same answer as that of `POST /v1/jobs`.
#[derive(Serialize)]
struct Accepted {
    id: JobId,
    state: State,
    duplicate: bool,
    /// Whether replicas are known to have it; only with `PRODUCER_WAIT_REPLICAS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    replicated: Option<bool>,
}

impl EnqueueArgs {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let job = traced(self.job(context)?, &context.config.environment);
        job.validate().map_err(|error| CliError::usage(error.to_string()))?;
        let redis_url = connect::place(&context.config)?.redis_url;
        let producer = connect::producer(&redis_url, &context.config).await?;
        let accepted = Accepted::from(producer.enqueue(&job).await?);
        if !self.wait {
            return context.screen.answer(&accepted, || accepted.to_string());
        }
        let inspector = connect::inspector(&context.config).await?;
        follow(&inspector, accepted.id.as_str(), &context.screen).await
    }

    fn job(&self, context: &Context) -> anyhow::Result<Job> {
        match (&self.json_request, self.source.source(&context.screen)?) {
            (Some(path), _) => {
                let job = Job::from_json(&input::read(path, &context.screen)?);
                job.map_err(|error| CliError::usage(error.to_string()))
            }
            (None, Some(source)) => {
                let format = self.job_args.format.unwrap_or(Format::Audio);
                self.job_args.of(self.options.job(source, format)?)
            }
            (None, None) => {
                Err(CliError::usage("name a --text, a --conversation or a --json-request"))
            }
        }
    }
}

impl JobArgs {
    fn of(&self, job: Job) -> anyhow::Result<Job> {
        let webhook = self.webhook.as_deref().map(WebhookUrl::parse).transpose();
        Ok(Job {
            idempotency_key: self.idempotency_key.clone(),
            priority: self.priority.unwrap_or(job.priority),
            run_at: self.run_at,
            deadline: self.deadline,
            max_attempts: self.max_attempts.unwrap_or(job.max_attempts),
            metadata: self.metadata.iter().cloned().collect(),
            webhook: webhook.map_err(|error| CliError::usage(error.to_string()))?,
            ..job
        })
    }
}

impl From<stillcast_enqueue::Enqueued> for Accepted {
    fn from(enqueued: stillcast_enqueue::Enqueued) -> Self {
        let (state, duplicate) = match enqueued.submission {
            Submission::Created(state) => (state, false),
            Submission::Duplicate(state) => (state, true),
        };
        let replicated = match enqueued.replication {
            Replication::NotAsked => None,
            Replication::Proven => Some(true),
            Replication::Unproven { .. } => Some(false),
        };
        Self { id: enqueued.id, state, duplicate, replicated }
    }
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = if self.duplicate { ", known already" } else { "" };
        let copies = match self.replicated {
            None => "",
            Some(true) => ", on its replicas",
            Some(false) => ", its copies not proven: a fail-over now may lose it",
        };
        write!(f, "{}  {}{known}{copies}", self.id, self.state)
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
    pair.map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| "give KEY=VALUE".into())
}
