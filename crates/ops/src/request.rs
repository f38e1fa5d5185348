//! A file or stdin goes in, the text or request in it comes out.

use std::io::{IsTerminal, Read};
use std::path::Path;

use stillcast_enqueue::{Identifier, Options, Source};

use crate::failure::Failure;
use crate::render::Screen;

/// Far above any request's limit, far below what hurts.
const MAX_INPUT: u64 = 1024 * 1024;

/// The text in `path`, or on stdin for `-`.
pub(crate) fn read_text(path: &Path, screen: &Screen) -> anyhow::Result<String> {
    let bytes = read(path, screen)?;
    String::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("{} is not UTF-8 text", path.display())))
}

/// The bytes in `path`, or on stdin for `-`; at most one MiB.
pub(crate) fn read(path: &Path, screen: &Screen) -> anyhow::Result<Vec<u8>> {
    let source: Box<dyn Read> = if path == Path::new("-") {
        if std::io::stdin().is_terminal() {
            screen.note("reading from the terminal; Ctrl-D ends the text");
        }
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(|error| unreadable(path, &error))?)
    };
    let mut bytes = Vec::new();
    let read = source.take(MAX_INPUT + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(Failure::usage(format!("{} is larger than 1 MiB", path.display())));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> anyhow::Error {
    Failure::usage(format!("{} cannot be read: {error}", path.display()))
}

/// A source of this text.
pub(crate) fn source(path: &Path, screen: &Screen) -> anyhow::Result<Source> {
    Ok(Source::Text(read_text(path, screen)?))
}

/// Options with this voice and variant.
pub(crate) fn options(voice: Option<&str>, variant: u32) -> anyhow::Result<Options> {
    let voice = voice.map(|voice| Identifier::parse("voice", voice)).transpose();
    let voice = voice.map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Options { voice, variant, ..Options::default() })
}
