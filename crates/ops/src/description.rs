//! What somebody wants to know of this program goes in; its completions or its manual come out. Neither
//! needs a setting.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use clap_complete::Shell;

#[derive(Subcommand)]
pub(crate) enum Description {
    /// Prints what completes the command lines of this program in a shell.
    #[command(after_help = "\
Example:
  stillcast completions bash > ~/.local/share/bash-completion/completions/stillcast")]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Writes the pages of the manual into a folder.
    #[command(hide = true)]
    Manual {
        /// Where to; it must be there
        folder: PathBuf,
    },
}

impl Description {
    /// Gives it, of `program`.
    pub(crate) fn give(&self, mut program: clap::Command) -> anyhow::Result<()> {
        match self {
            Self::Completions { shell } => {
                let (name, mut page) = (program.get_name().to_owned(), Vec::new());
                clap_complete::generate(*shell, &mut program, name, &mut page);
                io::stdout().write_all(&page).context("stdout")
            }
            Self::Manual { folder } => manual(program, folder),
        }
    }
}

/// A page for the program, and one for each of its commands.
fn manual(program: clap::Command, folder: &Path) -> anyhow::Result<()> {
    let written = clap_mangen::generate_to(program.disable_help_subcommand(true), folder);
    written.with_context(|| format!("{} cannot be written", folder.display()))
}
