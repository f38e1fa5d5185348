//! Nothing goes in; a private Redis and worker, and the HTTP API with its page on them, come out, until Ctrl-C.

use clap::Args;
use serde::Serialize;

use crate::cli_error::CliError;
use crate::context::Context;
use crate::embedded::{Home, Stack};
use crate::render::pairs;
use crate::signals::Signals;
use crate::wiring::Server;

#[derive(Args)]
#[command(after_help = "\
Example:
  stillcast dev &
  stillcast enqueue --text evening.txt --wait")]
pub(crate) struct DevArgs {}

/// Where the queue, the files and the log are.
#[derive(Serialize)]
struct Locations {
    /// Where the API answers; null in a build without it.
    url: Option<String>,
    redis_url: String,
    storage_url: String,
    home: String,
    worker_log: String,
}

impl DevArgs {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let mut signals = Signals::new()?;
        let mut stack = tokio::select! {
            started = Stack::start(context) => started?,
            () = signals.next() => return Ok(()),
        };
        let server = Server::start_if_built(&context.config).await?;
        let locations = Locations::of(stack.home(), server.as_ref())?;
        context.screen.answer(&locations, || locations.table())?;
        let fault = tokio::select! {
            fault = stack.supervise() => fault.map(|never| match never {}),
            served = run(server) => served,
            () = signals.next() => Ok(()),
        };
        context.screen.note("ending: running jobs are given back to the queue, which keeps them");
        tokio::select! {
            stopped = stack.stop() => fault.and(stopped),
            () = signals.next() => Err(CliError::failed("killed before everything had ended")),
        }
    }
}

/// Answers until it is dropped.
async fn run(server: Option<Server>) -> anyhow::Result<()> {
    match server {
        Some(server) => server.run(std::future::pending()).await,
        None => std::future::pending().await,
    }
}

impl Locations {
    fn of(home: &Home, server: Option<&Server>) -> anyhow::Result<Self> {
        let address = server.map(Server::address).transpose()?;
        Ok(Self {
            url: address.map(|address| format!("http://{address}")),
            redis_url: home.redis_url(),
            storage_url: home.storage_url(),
            home: home.path().display().to_string(),
            worker_log: home.worker_log().display().to_string(),
        })
    }

    fn table(&self) -> String {
        pairs(&[
            ("page", self.url.clone()),
            ("api", self.url.as_ref().map(|url| format!("{url}/v1/jobs"))),
            ("queue", Some(self.redis_url.clone())),
            ("files", Some(self.storage_url.clone())),
            ("log", Some(self.worker_log.clone())),
            ("enqueue", Some("stillcast enqueue --text FILE --wait".to_owned())),
            ("end", Some("Ctrl-C; waiting jobs are kept".to_owned())),
        ])
    }
}
