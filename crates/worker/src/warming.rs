//! A file of requests goes in; what their words, speech and pictures cost comes out, or they are bought, for the
//! jobs of all tenants (`stillcast warm`). One line of JSON says what became of each request, and one of all.

mod capped_budget;
mod requests;
mod round;
mod stop;
mod tally;

use std::io::{self, Write};
use std::sync::Arc;

use anyhow::Context;
use queue::{Endpoint, SpendingCap, Tally as QueueTally};
use secrecy::ExposeSecret;
use serde::Serialize;
use telemetry::{Metrics, Traces};

use crate::cli::Warming;
use crate::config::{Config, unpriced};
use crate::job_handler::{JobHandler, Watched};
use crate::start_error::StartError;
use crate::wiring;
use capped_budget::CappedBudget;
use requests::Requests;
use round::Round;
use stop::Stop;
use tally::{Counts, Price};

/// The name under which the store knows this process.
const WRITER: &str = "warm";

/// Says what is missing of the requests, or buys it.
pub(crate) async fn work(config: &Config, asked: &Warming) -> Result<(), StartError> {
    let Some(file) = &asked.warm else { return Ok(()) };
    let requests = Requests::read(file).map_err(StartError::Usage)?;
    if !config.caching.shares {
        let why = "USE_CACHING is false, so that nothing would find what is warm; set it to true";
        return Err(StartError::Setting(why.to_owned()));
    }
    priced(config)?;
    let cap = cap(config, &requests).map_err(StartError::Missing)?;
    let handler = handler(config).await.map_err(StartError::Missing)?;
    if asked.price {
        return price(handler, &requests, &cap).await.map_err(StartError::Missing);
    }
    let budget = Arc::new(CappedBudget::new(cap, asked.max_cost));
    let counts = buy(handler, requests, Arc::clone(&budget)).await.map_err(StartError::Missing)?;
    let spent_usd = budget.spent().await.context("what was spent").map_err(StartError::Missing)?;
    say(&counts.summary(spent_usd)).map_err(StartError::Missing)?;
    counts.end().map_or(Ok(()), |why| Err(StartError::Failed(why)))
}

/// What is bought without a price cannot be bounded by one.
fn priced(config: &Config) -> Result<(), StartError> {
    let names = unpriced(&config.providers);
    if names.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = names.iter().map(|name| name.to_uppercase()).collect();
    let names = names.join(", ");
    Err(StartError::Setting(format!(
        "{names}: not set; what warming costs is counted by it, and what costs nothing has a price such as \
         0.000001"
    )))
}

fn cap(config: &Config, requests: &Requests) -> anyhow::Result<SpendingCap> {
    let queue = &config.queue;
    let endpoint = Endpoint::new(queue.redis_url.expose_secret(), &queue.name)?;
    Ok(SpendingCap::new(&endpoint, requests.errand()))
}

async fn handler(config: &Config) -> anyhow::Result<JobHandler> {
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"), &config.queue.name, config.queue.slots);
    let (traces, tally) = (Traces::off(), QueueTally::default());
    let watched = Watched { metrics: Arc::new(metrics), traces, tally };
    wiring::warmer(config, WRITER, watched).await
}

async fn price(handler: JobHandler, requests: &Requests, cap: &SpendingCap) -> anyhow::Result<()> {
    let round = Round::new(handler, None, Stop::never())?;
    let (warm, quote) = round.price(requests).await?;
    let spent = cap.spent().await.context("REDIS_URL")?;
    let (requests, usd) = (requests.count(), quote.usd());
    say(&Price { requests, warm, usd, spent_usd: capped_budget::dollars(spent) })
}

async fn buy(
    handler: JobHandler,
    requests: Requests,
    budget: Arc<CappedBudget>,
) -> anyhow::Result<Counts> {
    let (stop, _signals) = Stop::at_signals()?;
    Round::new(handler, Some(budget), stop)?.buy(requests, say).await
}

fn say(line: &impl Serialize) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(line)?;
    line.push(b'\n');
    let mut stdout = io::stdout();
    stdout.write_all(&line).and_then(|()| stdout.flush()).context("stdout")
}
