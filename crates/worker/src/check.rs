//! A configuration, or its faults, go in; a page for people or programs comes out.

use serde_json::json;

use crate::config::{Config, Faults};
use crate::probe::Finding;

/// What `--check` prints.
pub(crate) fn page(loaded: &Result<Config, Faults>, findings: &[Finding], as_json: bool) -> String {
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
