//! The neighbours and this machine are asked how they do; a line each comes out, and what to do.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli_error::CliError;
use crate::context::Context;
use crate::doctor::{self, Finding, Severity, bundle};

#[derive(Args)]
#[command(after_help = "\
Examples:
  stillcast doctor
  stillcast doctor --json | jq -r '.findings[] | select(.severity == \"error\") | .cure'
  stillcast doctor --bundle incident.tar.gz

Ask where workers run, with their environment: it then asks a worker's providers and FFmpeg, too.
Nothing is bought, and what is put into the store is taken away again. Exit 1 when a line is an error.")]
pub(crate) struct DoctorArgs {
    /// Also packs findings, versions, settings without secrets, numbers of the queue and the codes of
    /// dead jobs into a file for whoever helps; without private text.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
}

/// All that was found, for programs.
#[derive(Serialize)]
struct Found<'found> {
    /// Whether none is an error.
    ok: bool,
    findings: &'found [Finding],
}

impl DoctorArgs {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let findings = doctor::examine(&context.config).await;
        let errors = findings.iter().filter(|one| one.severity == Severity::Error).count();
        let found = Found { ok: errors == 0, findings: &findings };
        context.screen.answer(&found, || lines(&findings))?;
        if let Some(file) = &self.bundle {
            bundle::write(file, &context.config, &findings).await?;
            context.screen.note(&format!("packed into {}", file.display()));
        }
        match errors {
            0 => Ok(()),
            1 => Err(CliError::failed("1 line is an error, and says what to do")),
            many => Err(CliError::failed(format!("{many} lines are errors, and say what to do"))),
        }
    }
}

fn lines(findings: &[Finding]) -> String {
    let width = findings.iter().map(|one| one.about.len()).max().unwrap_or_default();
    let line = |Finding { severity, about, found, cure }: &Finding| {
        let cure = cure.as_ref().map(|cure| format!(" → {cure}")).unwrap_or_default();
        format!("{severity:<7}  {about:<width$}  {found}{cure}")
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}
