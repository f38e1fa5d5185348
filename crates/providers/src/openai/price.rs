//! What a call has used goes in; what it costs comes out. A price of zero means: not known.

use pipeline::Usage;

/// US dollars for a million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TokenPrice {
    /// Of the prompt.
    pub input: f64,
    /// Of the answer.
    pub output: f64,
}

/// US dollars for a million characters of text to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SpeechPrice(pub f64);

/// US dollars for a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ImagePrice(pub f64);

const MILLION: f64 = 1e6;
/// Characters of a token, where nobody counts.
const TOKEN: usize = 4;

/// The tokens of so many characters, as near as can be told.
pub(super) fn tokens_of(characters: usize) -> u64 {
    u64::try_from(characters.div_ceil(TOKEN)).unwrap_or(u64::MAX)
}

impl TokenPrice {
    pub(super) fn usage(self, input: u64, output: u64) -> Usage {
        let (input, output) = (input as f64, output as f64);
        Usage::default()
            .and("input_tokens", input)
            .and("output_tokens", output)
            .and_usd((input * self.input + output * self.output) / MILLION)
    }
}

impl SpeechPrice {
    pub(super) fn usage(self, characters: usize) -> Usage {
        Usage::default().and_usd(characters as f64 * self.0 / MILLION)
    }
}

impl ImagePrice {
    pub(super) fn usage(self) -> Usage {
        Usage::default().and("pictures", 1.0).and_usd(self.0)
    }
}
