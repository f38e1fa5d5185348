//! A build without the terminal's pictures: whoever asks for them is told.

use std::convert::Infallible;
use std::future::Ready;

use crate::cli_error::CliError;
use crate::overview::Overview;

/// No picture can be had.
pub(crate) struct Terminal(Infallible);

impl Terminal {
    /// Says that this build leaves it out.
    pub(crate) fn open() -> anyhow::Result<Self> {
        Err(CliError::left_out("top"))
    }

    pub(crate) fn draw(&mut self, _: &Overview) -> anyhow::Result<()> {
        match self.0 {}
    }

    pub(crate) fn left(&mut self) -> Ready<anyhow::Result<()>> {
        match self.0 {}
    }
}
