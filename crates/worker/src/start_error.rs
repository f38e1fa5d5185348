//! Why a worker ends before or instead of its work, and the exit code that says so.

use std::process::ExitCode;

use crate::config::Faults;

/// An end that is no success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The configuration is at fault.
    #[error(transparent)]
    Configuration(#[from] Faults),
    /// The place where probes should be answered is taken, or not ours.
    #[error("WORKER_ADDR: {0:#}")]
    Address(anyhow::Error),
    /// The environment names a service manager that there is not.
    #[error(transparent)]
    Supervisor(#[from] systemd::SystemdError),
    /// An outside part is missing; the message says which, and what to do.
    #[error("{0:#}")]
    Missing(anyhow::Error),
    /// What was asked for cannot be read.
    #[error("{0}")]
    Usage(String),
    /// A setting does not allow what was asked for.
    #[error("{0}")]
    Setting(String),
    /// What was asked for was not done, or not all of it.
    #[error("{0}")]
    Failed(String),
    /// Probes found something missing and have said so.
    #[error("an outside part is missing; see above")]
    Probed,
}

impl StartError {
    /// 1 for what failed, 2 for usage, 69 for outside parts, 78 for the configuration.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Configuration(_) | Self::Address(_) | Self::Supervisor(_) | Self::Setting(_) => {
                78
            }
            Self::Missing(_) | Self::Probed => 69,
        })
    }
}
