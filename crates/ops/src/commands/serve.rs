//! Nothing goes in; the API of the queue is served, until Ctrl-C or SIGTERM.

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use systemd::Supervisor;

use crate::cli_error::CliError;
use crate::context::Context;
use crate::signals::Signals;
use crate::wiring::{Server, log};

/// How long the end takes at most: requests under way have ten seconds.
const END: Duration = Duration::from_secs(15);

#[derive(Args)]
#[command(after_help = "\
Examples:
  stillcast serve &
  curl http://127.0.0.1:8090/v1/jobs --json '{\"source\":{\"text\":\"A long day.\"},\"format\":\"audio\"}'
  HTTP_ADDR=0.0.0.0:8090 API_TOKENS_FILE=/run/secrets/tokens stillcast serve")]
pub(crate) struct ServeArgs {}

/// Where the API answers.
#[derive(Serialize)]
struct Serving {
    url: String,
}

impl ServeArgs {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let mut signals = Signals::new()?;
        let _logging = log(&context.config.http)?;
        let environment = &context.config.environment;
        let supervisor = Supervisor::new(|name| environment.get(name).map(Into::into))
            .map_err(|error| CliError::configuration(error.to_string()))?;
        let server = Server::start(&context.config).await?;
        let serving = Serving { url: format!("http://{}", server.address()?) };
        context.screen.answer(&serving, || format!("{}  until Ctrl-C", serving.url))?;
        let _watch = supervisor.watch(|| true);
        supervisor.ready(&format!("answers at {}", serving.url)).await;
        server
            .run(async {
                signals.next().await;
                supervisor.stopping(END).await;
            })
            .await
    }
}
