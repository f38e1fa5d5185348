//! What somebody wants to know of this program goes in; its completions or its manual come out. Neither
//! needs a setting.

use std::io::{self, Write};

use anyhow::Context;
use clap::CommandFactory;

use crate::cli::{Cli, Description};

/// Gives it; whether anything was asked for.
pub(crate) fn give(asked: &Description) -> anyhow::Result<bool> {
    let mut program = Cli::command();
    if let Some(shell) = asked.completions {
        let (name, mut page) = (program.get_name().to_owned(), Vec::new());
        clap_complete::generate(shell, &mut program, name, &mut page);
        io::stdout().write_all(&page).context("stdout")?;
        return Ok(true);
    }
    let Some(folder) = &asked.manual else { return Ok(false) };
    let written = clap_mangen::generate_to(program, folder);
    written.with_context(|| format!("{} cannot be written", folder.display()))?;
    Ok(true)
}
