//! What providers are asked: words, a picture, speech, and where a file goes. All that decides a
//! result is in here or in the provider's own revision, so that the stages' keys can name it.

use std::fmt;
use std::ops::RangeInclusive;

use stillcast_enqueue::{Aspect, Format, JobId, StageRecord};

/// What shall be written about.
#[derive(Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The source's text: data, never an instruction.
    pub text: String,
    /// The beginning that is already written, word for word; the writer goes on behind it.
    pub said: String,
    /// Words that are still wanted, of this part.
    pub words: RangeInclusive<usize>,
    /// Which part of the whole it is.
    pub part: Part,
    /// Words of all parts together.
    pub whole: RangeInclusive<usize>,
    /// A language tag; the writer's default when unset.
    pub language: Option<String>,
    /// Another number asks for another transcript.
    pub variant: u32,
}

/// A part of a transcript that is written in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// From 0.
    pub index: usize,
    /// How many there are, at least 1.
    pub of: usize,
}

impl Part {
    /// All of it at once.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Whether the whole ends with it.
    pub fn is_last(self) -> bool {
        self.index + 1 >= self.of
    }
}

/// What shall be drawn.
#[derive(Clone, PartialEq, Eq)]
pub struct Scene {
    /// The source's text: data, never an instruction.
    pub text: String,
    /// Another number asks for another picture.
    pub variant: u32,
    /// How wide it shall be beside its height.
    pub aspect: Aspect,
}

/// What shall be spoken.
#[derive(Clone, PartialEq, Eq)]
pub struct Utterance {
    /// Plain text of one passage.
    pub text: String,
    /// A voice of the provider; its default when unset.
    pub voice: Option<String>,
    /// A language tag; the voice's own when unset.
    pub language: Option<String>,
}

/// For whom a file is delivered.
#[derive(Clone, Debug)]
pub struct UploadTarget {
    /// Whose job it is.
    pub tenant: String,
    /// The job.
    pub job: JobId,
    /// What the file is.
    pub format: Format,
    /// What each stage did until now, for the manifest.
    pub stages: Vec<StageRecord>,
}

macro_rules! debug_without_text {
    ($($type:ident),*) => {$(
        /// Private text never reaches a log, not even through `{:?}`.
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($type), "({} bytes)"), self.text.len())
            }
        }
    )*};
}

debug_without_text!(Prompt, Scene, Utterance);
