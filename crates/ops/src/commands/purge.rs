//! An ended job goes in; its files go first and its record last, so that a purge cut short can be
//! repeated.

use std::sync::Arc;

use anyhow::Context as _;
use queue::{Inspector, PurgeAnswer};
use stillcast_enqueue::{JobId, State};

use super::job::Answer;
use crate::cli_error::CliError;
use crate::config::Config;
use crate::connect;
use crate::context::Context;
use crate::wiring::{self, Store};

/// The files of all jobs.
pub(super) struct Files(Arc<dyn Store>);

impl Files {
    /// Those of the queue that `config` names.
    pub(super) async fn of(config: &Config) -> anyhow::Result<Self> {
        let url = connect::place(config)?.storage_url.ok_or_else(|| {
            CliError::configuration("a purge removes files: set STORAGE_URL as the workers have it")
        })?;
        Ok(Self(wiring::store(&url, &config.bucket).await?))
    }

    async fn remove(&self, tenant: &str, id: &str) -> anyhow::Result<()> {
        let job = JobId::parse(id).map_err(|error| CliError::usage(error.to_string()))?;
        let removed = self.0.purge(tenant, &job).await;
        removed.with_context(|| format!("the files of {id} stay, and so does its record"))?;
        Ok(())
    }
}

/// Removes an ended job; leaves any other alone. Where the record is gone already, only `tenant`
/// tells where its files are.
pub(super) async fn purge(
    inspector: &Inspector,
    files: &Files,
    id: &str,
    tenant: Option<&str>,
) -> anyhow::Result<PurgeAnswer> {
    let Some(record) = inspector.record(id).await? else {
        let Some(tenant) = tenant else { return Ok(PurgeAnswer::Unknown) };
        files.remove(tenant, id).await?;
        return Ok(PurgeAnswer::Purged);
    };
    if tenant.is_some_and(|tenant| tenant != record.tenant) {
        return Err(CliError::failed(format!("{id} is a job of another tenant")));
    }
    if !record.state.is_terminal() {
        return Ok(PurgeAnswer::NotEnded(record.state));
    }
    files.remove(&record.tenant, id).await?;
    Ok(inspector.purge(id).await?)
}

/// Says what a purge did; anything but `purged` is a failure.
pub(super) fn purged(id: &str, answer: PurgeAnswer, context: &Context) -> anyhow::Result<()> {
    if answer == PurgeAnswer::Unknown {
        return Err(CliError::failed(format!(
            "there is no job {id}; if only its record is gone, `--tenant` finds its files"
        )));
    }
    let (value, refusal) = words(id, answer);
    context.screen.answer(&value, || {
        if refusal.is_none() { format!("{id}  purged") } else { String::new() }
    })?;
    refusal.map_or(Ok(()), |sentence| Err(CliError::failed(sentence)))
}

/// The answer for programs, and the sentence for people when it is a refusal.
pub(super) fn words(id: &str, answer: PurgeAnswer) -> (Answer<'_>, Option<String>) {
    let of = |word, state: Option<State>| Answer { id, word, state, owner: None };
    match answer {
        PurgeAnswer::Purged => (of("purged", None), None),
        PurgeAnswer::NotEnded(state) => {
            let sentence =
                format!("{id} is {state}: cancel it first with `stillcast job cancel {id}`");
            (of("not-ended", Some(state)), Some(sentence))
        }
        PurgeAnswer::Unknown => (of("unknown", None), Some(format!("there is no job {id}"))),
    }
}
