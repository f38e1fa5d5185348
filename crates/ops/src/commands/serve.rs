//! Nothing goes in; the API of the queue is served, until Ctrl-C or SIGTERM.

use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::signals::Signals;
use crate::wiring::{Server, log};

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
        let server = Server::start(&context.config).await?;
        let serving = Serving { url: format!("http://{}", server.address()?) };
        context.screen.answer(&serving, || format!("{}  until Ctrl-C", serving.url))?;
        server.run(async { signals.next().await }).await
    }
}
