//! Nothing goes in; a private Redis and worker come out, until Ctrl-C.

use clap::Args;
use serde::Serialize;

use crate::cli_error::CliError;
use crate::context::Context;
use crate::embedded::{Home, Stack};
use crate::render::pairs;
use crate::signals::Signals;

#[derive(Args)]
#[command(after_help = "\
Example:
  stillcast dev &
  stillcast enqueue --text evening.txt --wait")]
pub(crate) struct DevArgs {}

/// Where the queue, the files and the log are.
#[derive(Serialize)]
struct Locations {
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
        let locations = Locations::of(stack.home());
        context.screen.answer(&locations, || locations.table())?;
        let fault = tokio::select! {
            fault = stack.supervise() => fault.map(|never| match never {}),
            () = signals.next() => Ok(()),
        };
        context.screen.note("ending: running jobs are given back to the queue, which keeps them");
        tokio::select! {
            stopped = stack.stop() => fault.and(stopped),
            () = signals.next() => Err(CliError::failed("killed before everything had ended")),
        }
    }
}

impl Locations {
    fn of(home: &Home) -> Self {
        Self {
            redis_url: home.redis_url(),
            storage_url: home.storage_url(),
            home: home.path().display().to_string(),
            worker_log: home.worker_log().display().to_string(),
        }
    }

    fn table(&self) -> String {
        pairs(&[
            ("queue", Some(self.redis_url.clone())),
            ("files", Some(self.storage_url.clone())),
            ("log", Some(self.worker_log.clone())),
            ("enqueue", Some("stillcast enqueue --text FILE --wait".to_owned())),
            ("end", Some("Ctrl-C; waiting jobs are kept".to_owned())),
        ])
    }
}
