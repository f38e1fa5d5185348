//! The words of the command line go in; what is to be done comes out.

use std::path::PathBuf;

use anyhow::{Context, ensure};

pub(crate) struct Arguments {
    /// Where everything is kept.
    pub(crate) folder: PathBuf,
    pub(crate) jobs: u32,
}

pub(crate) fn arguments() -> anyhow::Result<Arguments> {
    let mut arguments = Arguments { folder: PathBuf::new(), jobs: 1_000_000 };
    let mut words = std::env::args().skip(1);
    while let Some(name) = words.next() {
        let word = words.next().context("a word is missing")?;
        match name.as_str() {
            "--folder" => arguments.folder = std::path::absolute(word)?,
            "--jobs" => arguments.jobs = word.parse()?,
            _ => anyhow::bail!("{name}"),
        }
    }
    ensure!(arguments.folder.is_absolute() && arguments.jobs >= 1_000, "too few");
    Ok(arguments)
}
