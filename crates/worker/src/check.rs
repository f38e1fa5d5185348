//! A configuration, or its faults, go in; a page for people or programs comes out.

use std::io::{self, Write};

use anyhow::Context;
use serde_json::json;

use crate::cli::Inspection;
use crate::config::{Config, Faults};
use crate::probe::{self, Finding};
use crate::start_error::StartError;

/// Prints what was asked for; fails where something is at fault or missing.
pub(crate) async fn print(
    asked: Inspection,
    loaded: Result<Config, Faults>,
) -> Result<(), StartError> {
    let findings = match &loaded {
        Ok(config) if asked.probe => Box::pin(probe::all(config)).await,
        _ => Vec::new(),
    };
    let page = page(&loaded, &findings, asked.json);
    io::stdout().write_all(page.as_bytes()).context("stdout").map_err(StartError::Missing)?;
    loaded?;
    if findings.iter().all(|finding| finding.ok) { Ok(()) } else { Err(StartError::Probed) }
}

/// What `--check` prints.
fn page(loaded: &Result<Config, Faults>, findings: &[Finding], as_json: bool) -> String {
    match (loaded, as_json) {
        (Ok(config), false) => for_people(config, findings),
        (Ok(config), true) => {
            let ok = findings.iter().all(|finding| finding.ok);
            let page = json!({
                "ok": ok,
                "configuration": config.settled.to_json(),
                "notes": config.settled.notes(),
                "faults": [],
                "probes": findings,
            });
            format!("{page:#}\n")
        }
        (Err(faults), true) => {
            let page = json!({
                "ok": false,
                "configuration": null,
                "notes": [],
                "faults": faults,
                "probes": [],
            });
            format!("{page:#}\n")
        }
        // People read the faults on stderr, as at any start.
        (Err(_), false) => String::new(),
    }
}

/// The configuration as a file; all else as comments, so that the page stays one.
fn for_people(config: &Config, findings: &[Finding]) -> String {
    let notes = config.settled.notes().iter().map(|note| format!("# note: {note}\n"));
    let findings = findings.iter().map(|finding| {
        let mark = if finding.ok { "ok" } else { "MISSING" };
        format!("# {}: {mark}: {}\n", finding.part, finding.message)
    });
    let said: String = notes.chain(findings).collect();
    let gap = if said.is_empty() { "" } else { "\n" };
    format!("{}{gap}{said}", config.settled.to_toml())
}
