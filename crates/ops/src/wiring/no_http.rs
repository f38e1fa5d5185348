//! A build without the API: whoever asks for it is told.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::net::SocketAddr;

use crate::cli_error::CliError;
use crate::config::{Config, HttpConfig};

/// No server can be had.
pub(crate) struct Server(Infallible);

/// Says that this build leaves it out.
pub(crate) fn feed(_: &Config, _: (&str, Option<&str>), _: usize) -> Ready<anyhow::Result<String>> {
    ready(Err(CliError::left_out("http")))
}

/// Nothing is logged.
pub(crate) struct Guard;

/// There will be nothing to log.
pub(crate) fn log(_: &HttpConfig) -> anyhow::Result<Guard> {
    Err(CliError::left_out("http"))
}

impl Server {
    /// Says that this build leaves it out.
    pub(crate) fn start(_: &Config) -> Ready<anyhow::Result<Self>> {
        ready(Err(CliError::left_out("http")))
    }

    /// There is none.
    pub(crate) fn start_if_built(_: &Config) -> Ready<anyhow::Result<Option<Self>>> {
        ready(Ok(None))
    }

    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        match self.0 {}
    }

    pub(crate) fn run(self, _: impl Future<Output = ()>) -> Ready<anyhow::Result<()>> {
        match self.0 {}
    }
}
