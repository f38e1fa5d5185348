//! A database goes in; the same database with the tables of `migrations/` comes out.

use clap::Args;
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::cli_error::CliError;
use crate::context::Context;
use crate::wiring;

#[derive(Args)]
#[command(after_help = "\
Example:
  DATABASE_URL=postgres://user:password@host/database stillcast migrate")]
pub(crate) struct MigrateArgs {}

#[derive(Serialize)]
struct Migrated {
    applied: Vec<String>,
}

impl MigrateArgs {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let url = context.config.database_url.as_ref().ok_or_else(|| {
            CliError::configuration("set DATABASE_URL to the database that shall be migrated")
        })?;
        let migrated = Migrated { applied: wiring::migrate(url.expose_secret()).await? };
        context.screen.answer(&migrated, || match migrated.applied.as_slice() {
            [] => "nothing to do".to_owned(),
            applied => {
                applied.iter().map(|name| format!("applied  {name}")).collect::<Vec<_>>().join("\n")
            }
        })
    }
}
