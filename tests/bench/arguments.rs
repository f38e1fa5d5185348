//! The words of the command line go in; what is to be measured comes out.

use std::path::PathBuf;

use anyhow::Context;

/// What is asked for.
pub(crate) struct Arguments {
    pub(crate) node: PathBuf,
    pub(crate) modules: PathBuf,
    pub(crate) rounds: u32,
    pub(crate) million: bool,
}

pub(crate) fn arguments() -> anyhow::Result<Arguments> {
    let mut words = std::env::args().skip(1);
    let mut next = || words.next().context("usage: tests/bench/run [--rounds N] [--million]");
    let (node, modules) = (next()?.into(), next()?.into());
    let mut arguments = Arguments { node, modules, rounds: 3, million: false };
    while let Ok(word) = next() {
        match word.as_str() {
            "--rounds" => arguments.rounds = next()?.parse().context("--rounds takes a number")?,
            "--million" => arguments.million = true,
            _ => anyhow::bail!("usage: tests/bench/run [--rounds N] [--million]"),
        }
    }
    Ok(arguments)
}
