//! The command line: what was asked comes out.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  # What would it do with this environment? Every setting with its sentence, secrets hidden.
  stillcast-worker --check

  # Is everything there that it needs? Exit 69 names what is missing.
  stillcast-worker --check --probe --json

  # Work until SIGTERM.
  REDIS_URL=redis://localhost STORAGE_URL=file:///srv/stillcast \\
    LLM_PROVIDER=offline TTS_PROVIDER=offline IMAGE_PROVIDER=offline stillcast-worker

Signals: the first SIGTERM or SIGINT drains, the second ends at once; jobs go back to the queue.
Exit codes: 0 fine, 2 usage, 69 an outside part is missing, 78 configuration.";

/// Makes guided meditations from the jobs of a queue, until SIGTERM.
#[derive(Debug, Parser)]
#[command(name = "stillcast-worker", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// Settings in the form of `deploy/worker.toml`; the environment goes over them
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) inspection: Inspection,
    /// End with 0 once nothing is ready, parked, leased, or delayed and due
    #[arg(long, conflicts_with = "check")]
    pub(crate) until_empty: bool,
    /// What a worker starts for a suspect: works on the one job that stdin names
    #[arg(long, hide = true, conflicts_with_all = ["check", "until_empty"])]
    pub(crate) suspect: bool,
    #[command(flatten)]
    pub(crate) warming: Warming,
    #[command(flatten)]
    pub(crate) description: Description,
}

/// What `stillcast warm` starts this program with.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Warming {
    /// Buys what the requests in a file need, for the jobs of all tenants
    #[arg(long, hide = true, value_name = "FILE", conflicts_with_all = ["check", "until_empty", "suspect"])]
    pub(crate) warm: Option<PathBuf>,
    /// Says what it would cost, and buys nothing
    #[arg(long, hide = true, requires = "warm")]
    pub(crate) price: bool,
    /// US dollars that this file may cost in all
    #[arg(long, hide = true, value_name = "USD", requires = "warm")]
    pub(crate) max_cost: Option<f64>,
}

/// What is told of the program instead of working.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Description {
    /// Print what completes command lines of this program in a shell
    #[arg(long, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<Shell>,
    /// Write the page of the manual into a folder
    #[arg(long, value_name = "FOLDER", exclusive = true, hide = true)]
    pub(crate) manual: Option<PathBuf>,
}

impl Cli {
    /// The arguments by which this worker starts the process of a suspect.
    pub(crate) fn of_suspect(&self) -> Vec<OsString> {
        let config = self.config.iter().flat_map(|file| ["--config".into(), file.into()]);
        std::iter::once("--suspect".into()).chain(config).collect()
    }
}

/// What is looked at instead of working.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Inspection {
    /// Print the configuration, secrets hidden, or all of its faults, and end
    #[arg(long)]
    pub(crate) check: bool,
    /// Also ask every outside part whether it is there and takes our keys; buys nothing
    #[arg(long, requires = "check")]
    pub(crate) probe: bool,
    /// Print JSON
    #[arg(long, requires = "check")]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
