//! What a server refuses goes in; what to ask it for instead comes out, and is remembered.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pipeline::{FailureClass, ProviderError};

use super::PROVIDER;

/// What sound is asked for (`TTS_FORMAT`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SoundFormat {
    /// PCM, and where that is refused whatever the server knows.
    #[default]
    Auto,
    /// Always this one, by its name in `response_format`.
    Only(&'static str),
}

/// Names in `response_format`, in the order in which they are asked for: what loses nothing first.
const FORMATS: [&str; 6] = ["pcm", "wav", "mp3", "flac", "opus", "aac"];
/// The parts of a request that a server may not know.
const FORMAT: &str = "response_format";
const INSTRUCTIONS: &str = "instructions";

impl SoundFormat {
    /// `auto`, or the name of a format.
    pub fn parse(name: &str) -> Option<Self> {
        let known = FORMATS.into_iter().find(|format| *format == name);
        if name == "auto" { Some(Self::Auto) } else { known.map(Self::Only) }
    }

    /// What the first request asks for.
    pub fn first(self) -> &'static str {
        match self {
            Self::Auto => FORMATS[0],
            Self::Only(format) => format,
        }
    }
}

/// One way of asking for speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// The `response_format`.
    pub(super) format: &'static str,
    /// Whether the server is told how the voice shall sound.
    pub(super) instructs: bool,
}

/// What this process knows of one server's ways.
#[derive(Debug)]
pub(super) struct Dialect {
    format: SoundFormat,
    known: Mutex<Known>,
    /// Held by whoever looks for another way; the others wait for what is found.
    pub(super) search: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    wish: Wish,
    /// How often every format was refused.
    exhausted: u64,
}

impl Dialect {
    pub(super) fn new(format: SoundFormat, instructs: bool) -> Self {
        let wish = Wish { format: format.first(), instructs };
        let known = Mutex::new(Known { wish, exhausted: 0 });
        Self { format, known, search: tokio::sync::Mutex::default() }
    }

    /// What to ask for now, and how often every format was refused until now.
    pub(super) fn wish(&self) -> (Wish, u64) {
        let Known { wish, exhausted } = *self.known();
        (wish, exhausted)
    }

    /// What to ask for after `wish` was refused; `None` when `error` is about something else, or
    /// nothing is left.
    pub(super) fn next(&self, wish: Wish, error: &ProviderError) -> Option<Wish> {
        if error.parameter == Some(INSTRUCTIONS) && wish.instructs {
            return Some(Wish { instructs: false, ..wish });
        }
        if !self.is_searched(error) {
            return None;
        }
        let at = FORMATS.iter().position(|format| *format == wish.format)?;
        FORMATS.get(at + 1).map(|format| Wish { format, ..wish })
    }

    /// Whether the refusal is one of the format, for which another may be found.
    pub(super) fn is_searched(&self, error: &ProviderError) -> bool {
        self.format == SoundFormat::Auto && is_of_format(error)
    }

    /// Remembers what was taken; says so once.
    pub(super) fn found(&self, wish: Wish) {
        let before = std::mem::replace(&mut self.known().wish, wish);
        if before.format != wish.format {
            let format = wish.format;
            tracing::info!(
                format,
                "the voice takes no `response_format` {} and is asked for {format}; \
                 TTS_FORMAT={format} asks for it at once",
                before.format
            );
        }
        if before.instructs != wish.instructs {
            tracing::info!("the voice takes no `instructions` and is asked without them");
        }
    }

    /// Remembers that the server took no format at all.
    pub(super) fn exhausted(&self) {
        self.known().exhausted += 1;
    }

    /// The failure of a server whose formats are not ours.
    pub(super) fn refused(&self, error: ProviderError) -> ProviderError {
        if !is_of_format(&error) {
            return error;
        }
        let message = match self.format {
            SoundFormat::Auto => format!(
                "the server refuses every `response_format` of {}; set TTS_FORMAT to one that it \
                 takes, or correct TTS_MODEL or TTS_BASE_URL",
                FORMATS.join(", ")
            ),
            SoundFormat::Only(format) => format!(
                "the server refuses the `response_format` {format}; set TTS_FORMAT to auto, or to \
                 one that it takes"
            ),
        };
        ProviderError { message, failure: FailureClass::Misconfigured, ..error }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_of_format(error: &ProviderError) -> bool {
    debug_assert_eq!(error.provider, PROVIDER);
    error.parameter == Some(FORMAT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_the_names_of_the_wire() {
        assert_eq!(SoundFormat::parse("auto"), Some(SoundFormat::Auto));
        for format in FORMATS {
            assert_eq!(SoundFormat::parse(format).map(SoundFormat::first), Some(format));
        }
        assert_eq!(SoundFormat::parse("ogg"), None);
    }

    #[test]
    fn only_refusals_of_a_part_are_answered_by_another_way() {
        let refused = |parameter| ProviderError {
            parameter,
            ..ProviderError::misconfigured(PROVIDER, "parameter-refused", "no")
        };
        let wish = Wish { format: "pcm", instructs: true };
        for (format, parameter, next) in [
            (SoundFormat::Auto, Some(FORMAT), Some(Wish { format: "wav", ..wish })),
            (SoundFormat::Auto, Some(INSTRUCTIONS), Some(Wish { instructs: false, ..wish })),
            (SoundFormat::Only("pcm"), Some(INSTRUCTIONS), Some(Wish { instructs: false, ..wish })),
            (SoundFormat::Only("pcm"), Some(FORMAT), None),
            (SoundFormat::Auto, Some("voice"), None),
            (SoundFormat::Auto, None, None),
        ] {
            let dialect = Dialect::new(format, true);
            assert_eq!(dialect.next(wish, &refused(parameter)), next, "{format:?} {parameter:?}");
        }
        let (last, dialect) =
            (Wish { format: "aac", ..wish }, Dialect::new(SoundFormat::Auto, true));
        assert_eq!(dialect.next(last, &refused(Some(FORMAT))), None);
    }
}
