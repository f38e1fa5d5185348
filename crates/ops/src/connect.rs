//! The configuration goes in; the queue that every command but `make` and `dev` works on comes out.

use std::time::Duration;

use anyhow::Context as _;
use queue::{Endpoint, Inspector};
use stillcast_enqueue::{Producer, ProducerOptions};

use crate::cli_error::CliError;
use crate::config::Config;
use crate::embedded::Home;

/// Where the queue is, and where its workers put files.
pub(crate) struct Place {
    pub(crate) redis_url: String,
    /// `None` when nobody has said.
    pub(crate) storage_url: Option<String>,
}

/// `REDIS_URL` if set, else the socket of a running embedded stack.
pub(crate) fn place(config: &Config) -> anyhow::Result<Place> {
    if let Some(redis_url) = config.reachable_redis()? {
        let redis_url = redis_url.to_owned();
        return Ok(Place { redis_url, storage_url: config.storage_url.clone() });
    }
    let home = Home::at(&config.home);
    if !home.is_running() {
        return Err(CliError::missing(format!(
            "REDIS_URL is not set and nothing runs in {}: set it, or start `stillcast dev`",
            config.home.display()
        )));
    }
    Ok(Place { redis_url: home.redis_url(), storage_url: Some(home.storage_url()) })
}

/// The queue, looked at.
pub(crate) async fn inspector(config: &Config) -> anyhow::Result<Inspector> {
    Inspector::connect(endpoint(&place(config)?, config)?).await.context(UNREACHABLE)
}

/// The same for whoever wants to learn how slow it is: a late answer is one too.
pub(crate) async fn patient_inspector(config: &Config) -> anyhow::Result<Inspector> {
    let endpoint = endpoint(&place(config)?, config)?;
    Inspector::connect_within(endpoint, PATIENCE).await.context(UNREACHABLE)
}

/// The queue at a place; connects to nothing yet.
pub(crate) fn endpoint(place: &Place, config: &Config) -> anyhow::Result<Endpoint> {
    Ok(Endpoint::new(&place.redis_url, &config.queue_name)?)
}

/// The door into the queue.
pub(crate) async fn producer(redis_url: &str, config: &Config) -> anyhow::Result<Producer> {
    let options = ProducerOptions { queue_name: config.queue_name.clone(), ..Default::default() };
    let producer = Producer::connect_with(redis_url, options).await.context(UNREACHABLE)?;
    let (replicas, limit) = config.copies;
    Ok(producer.wait_for_replicas(replicas, limit))
}

/// Longest wait for the slowest connection; half of it for an answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(12);
const UNREACHABLE: &str = "the queue cannot be reached (REDIS_URL, or a running `stillcast dev`)";
