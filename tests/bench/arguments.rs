//! The words of the command line go in; what is to be measured comes out.

use std::path::PathBuf;

use anyhow::Context;

use crate::table::Subject;

const USAGE: &str =
    "usage: tests/bench/run [--rounds N] [--million] [--only list|lease|bullmq|queue]…";

/// What is asked for.
pub(crate) struct Arguments {
    pub(crate) node: PathBuf,
    pub(crate) modules: PathBuf,
    pub(crate) rounds: u32,
    pub(crate) million: bool,
    /// The columns; the rows that have but one are left out unless it is all of them.
    pub(crate) subjects: Vec<Subject>,
}

pub(crate) fn arguments() -> anyhow::Result<Arguments> {
    let mut words = std::env::args().skip(1);
    let mut next = || words.next().context(USAGE);
    let (node, modules) = (next()?.into(), next()?.into());
    let mut arguments =
        Arguments { node, modules, rounds: 3, million: false, subjects: Vec::new() };
    while let Ok(word) = next() {
        match word.as_str() {
            "--rounds" => arguments.rounds = next()?.parse().context("--rounds takes a number")?,
            "--million" => arguments.million = true,
            "--only" => arguments.subjects.push(subject(&next()?)?),
            _ => anyhow::bail!(USAGE),
        }
    }
    if arguments.subjects.is_empty() {
        arguments.subjects = Subject::ALL.to_vec();
    }
    Ok(arguments)
}

fn subject(word: &str) -> anyhow::Result<Subject> {
    Subject::ALL.into_iter().find(|subject| subject.word() == word).context(USAGE)
}
