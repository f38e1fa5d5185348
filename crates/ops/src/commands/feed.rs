//! A tenant goes in; a podcast of its finished jobs comes out.

use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::wiring::feed;

#[derive(Args)]
#[command(after_help = "\
Examples:
  stillcast feed --tenant acme --url https://api.example.org > acme.xml
  stillcast feed --limit 500 | xmllint --noout -")]
pub(crate) struct FeedArgs {
    /// Whose jobs; default when not given.
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    /// Where podcast apps reach `stillcast serve`; its own address when not given.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// At most so many episodes, from the newest.
    #[arg(long, value_name = "NUMBER", default_value_t = 100,
          value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
}

/// The feed, for programs.
#[derive(Serialize)]
struct Written {
    feed: String,
}

impl FeedArgs {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let Self { tenant, url, limit } = self;
        let feed = feed(&context.config, (&tenant, url.as_deref()), usize::from(limit)).await?;
        let written = Written { feed };
        context.screen.answer(&written, || written.feed.clone())
    }
}
