//! What every command is given: the settings, the screen, and who has called it.

use std::sync::Arc;

use clap::Args;
use queue::{Actor, Interface};

use crate::cli_error::CliError;
use crate::config::Config;
use crate::render::Screen;

/// The settings, the screen and the caller of this run.
pub(crate) struct Context {
    pub(crate) config: Arc<Config>,
    pub(crate) screen: Screen,
    /// The user of the machine, for the queue's audit.
    pub(crate) user: String,
}

/// What whoever changes a queue may say of it.
#[derive(Args)]
pub(crate) struct Reason {
    /// Why, for the audit: one line, without private text.
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
}

impl Context {
    /// Who changes the queue, and why.
    pub(crate) fn actor(&self, reason: &Reason) -> anyhow::Result<Actor> {
        let actor = Actor::new(Interface::Cli, &self.user).because(reason.why.as_deref());
        actor.map_err(|fault| CliError::usage(format!("--why {}", fault.problem)))
    }
}
