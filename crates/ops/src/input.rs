//! A path goes in, or `-` for stdin; the text or the bytes in it come out.

use std::io::{IsTerminal, Read};
use std::path::Path;

use crate::cli_error::CliError;
use crate::render::Screen;

/// Most bytes that are read: far above any request's limit, and little memory.
const MAX_INPUT: u64 = 1024 * 1024;

/// The text in `path`, or on stdin for `-`; at most one MiB.
pub(crate) fn read_text(path: &Path, screen: &Screen) -> anyhow::Result<String> {
    let bytes = read(path, screen)?;
    String::from_utf8(bytes)
        .map_err(|_| CliError::usage(format!("{} is not UTF-8 text", path.display())))
}

/// The bytes in `path`, or on stdin for `-`; at most one MiB.
pub(crate) fn read(path: &Path, screen: &Screen) -> anyhow::Result<Vec<u8>> {
    let source = open(path, screen)?;
    let mut bytes = Vec::new();
    let read = source.take(MAX_INPUT + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(CliError::usage(format!("{} is larger than 1 MiB", path.display())));
    }
    Ok(bytes)
}

fn open(path: &Path, screen: &Screen) -> anyhow::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        if std::io::stdin().is_terminal() {
            screen.note("reading from the terminal; Ctrl-D ends the text");
        }
        return Ok(Box::new(std::io::stdin()));
    }
    Ok(Box::new(std::fs::File::open(path).map_err(|error| unreadable(path, &error))?))
}

fn unreadable(path: &Path, error: &std::io::Error) -> anyhow::Error {
    CliError::usage(format!("{} cannot be read: {error}", path.display()))
}
