//! `stillcast-worker`: jobs of a queue go in, files come out, until SIGTERM.

mod account_limits;
mod check;
mod cli;
mod config;
mod description;
mod health;
mod janitor;
mod job_handler;
mod metrics_observer;
mod models;
mod notes;
mod probe;
mod shutdown_dates;
mod signals;
mod start_error;
mod suspects;
mod tenant_budget;
mod warming;
mod wiring;
mod work;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use systemd::Supervisor;

use cli::Cli;
use config::{Config, Sources};
use start_error::StartError;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(&cli)),
        Err(error) => Err(StartError::Missing(error.into())),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            // Nobody is left to tell when stderr is closed.
            let _ = writeln!(io::stderr(), "stillcast-worker: {stop}");
            stop.code()
        }
    }
}

async fn run(cli: &Cli) -> Result<(), StartError> {
    if description::give(&cli.description).map_err(StartError::Missing)? {
        return Ok(());
    }
    let sources = Sources::of_process(cli.config.clone());
    let loaded = Config::load(&sources);
    if cli.inspection.check {
        return Box::pin(check::print(cli.inspection, loaded)).await;
    }
    let config = loaded?;
    let _telemetry =
        telemetry::start(&config.logging).context("logging").map_err(StartError::Missing)?;
    if cli.suspect {
        return suspects::work(&config).await;
    }
    if cli.warming.warm.is_some() {
        return Box::pin(warming::work(&config, &cli.warming)).await;
    }
    let supervisor = Supervisor::new(|name| sources.environment.get(name).map(Into::into))?;
    work::work(&config, cli, supervisor).await
}
