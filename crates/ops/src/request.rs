//! A file or stdin goes in, the text or request in it comes out.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

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

/// The text of a file, or a conversation by its identifier.
#[derive(clap::Args)]
#[group(multiple = false)]
pub(crate) struct Subject {
    /// The text, at most 16 KiB: a file, or - for stdin.
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// A conversation in the workers' `DATABASE_URL`, by its UUID.
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,
}

impl Subject {
    /// What a request is about; `None` when neither was named.
    pub(crate) fn source(&self, screen: &Screen) -> anyhow::Result<Option<Source>> {
        match (&self.text, &self.conversation) {
            (Some(path), _) => Ok(Some(Source::Text(read_text(path, screen)?))),
            (None, Some(id)) => {
                let named = Source::conversation(id);
                named.map(Some).map_err(|error| Failure::usage(error.to_string()))
            }
            (None, None) => Ok(None),
        }
    }
}

/// Options with this voice and variant.
pub(crate) fn options(voice: Option<&str>, variant: u32) -> anyhow::Result<Options> {
    let voice = voice.map(|voice| Identifier::parse("voice", voice)).transpose();
    let voice = voice.map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Options { voice, variant, ..Options::default() })
}
