//! Answers go to stdout, everything else to stderr; all that a person or a program reads passes here.

use std::io::{IsTerminal, Write};

use serde::Serialize;

/// Where answers go, and whether as JSON or as text.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    json: bool,
    live: bool,
}

/// Back to the start of the line, and wipes it.
const WIPE: &str = "\r\x1b[2K";

impl Screen {
    /// Progress is shown on a terminal only, and stderr may be one while stdout is a pipe.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, live: std::io::stderr().is_terminal() }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// The answer of a command: `value` as JSON for programs, `text` for people.
    pub(crate) fn answer<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string(value)? } else { text() };
        if !text.is_empty() {
            print(&mut std::io::stdout(), &format!("{text}\n"))?;
        }
        Ok(())
    }

    /// A sentence beside the answer.
    pub(crate) fn note(&self, sentence: &str) {
        let wipe = if self.live { WIPE } else { "" };
        print_aside(&format!("{wipe}{sentence}\n"));
    }

    /// A line that stays, on a terminal only.
    pub(crate) fn live_line(&self, line: &str) {
        if self.live {
            print_aside(&format!("{WIPE}{line}\n"));
        }
    }

    /// The line that changes, on a terminal only.
    pub(crate) fn live_status(&self, line: &str) {
        if self.live {
            print_aside(&format!("{WIPE}{line}"));
        }
    }
}

/// A reader that closes the pipe early is no failure: `stillcast jobs | head -1`.
fn print(to: &mut impl Write, text: &str) -> std::io::Result<()> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A failure to write to stderr is ignored: there is nowhere left to report it.
fn print_aside(text: &str) {
    let _ = print(&mut std::io::stderr(), text);
}
