//! All that stages need from outside, one method a trait where possible, and what calls give back.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use stillcast_enqueue::{Artifact, Format, JobId, StageName, StageRecord};
use uuid::Uuid;

use crate::{Clip, Conversation, Image, Media, ProviderError};

/// Reads conversations from the application's database.
#[async_trait]
pub trait SourceStore: Send + Sync {
    /// Its name in records, such as `postgres`.
    fn provider(&self) -> &'static str;
    /// What a conversation of `tenant` holds, as far as it fits the cap of [`crate::SourceText`]; one that
    /// is not there and one of another tenant are the same permanent `conversation-not-found`.
    async fn load(&self, tenant: &str, conversation: Uuid) -> Result<Conversation, ProviderError>;
}

/// Writes the words to be spoken.
#[async_trait]
pub trait TranscriptWriter: Send + Sync {
    /// Its name in records, such as `offline`.
    fn provider(&self) -> &'static str;
    /// What beside the prompt decides the words: address, model, parameters, rules. Never a key.
    fn revision(&self) -> String;
    /// Begins to write; the text comes as it is written.
    async fn write(&self, prompt: &Prompt) -> Result<Draft, ProviderError>;
    /// What a call has used that broke off after `written` characters, as near as can be told.
    fn estimate(&self, prompt: &Prompt, written: usize) -> Usage {
        let _ = (prompt, written);
        Usage::default()
    }
}

/// Speaks one passage.
#[async_trait]
pub trait SpeechSynthesizer: Send + Sync {
    /// Its name in records.
    fn provider(&self) -> &'static str;
    /// What beside the utterance decides the sound: address, model, default voice. Never a key.
    fn revision(&self) -> String;
    /// Speaks `utterance`; may use files in `scratch`.
    async fn speak(
        &self,
        utterance: &Utterance,
        scratch: &Path,
    ) -> Result<Answer<Speech>, ProviderError>;
    /// What speaking `utterance` costs, as far as that is known beforehand.
    fn estimate(&self, utterance: &Utterance) -> Usage {
        let _ = utterance;
        Usage::default()
    }
}

/// Draws the picture.
#[async_trait]
pub trait ImageGenerator: Send + Sync {
    /// Its name in records.
    fn provider(&self) -> &'static str;
    /// What beside the scene decides the picture: address, model, size, rules. Never a key.
    fn revision(&self) -> String;
    /// Draws `scene`.
    async fn draw(&self, scene: &Scene) -> Result<Answer<Image>, ProviderError>;
    /// What a picture costs, as far as that is known beforehand.
    fn estimate(&self) -> Usage {
        Usage::default()
    }
}

/// Makes the file, in three steps of which the first two go on at once.
#[async_trait]
pub trait MediaEncoder: Send + Sync {
    /// Its name in records.
    fn provider(&self) -> &'static str;
    /// What beside sound and picture decides the file: rates, profile.
    fn revision(&self) -> String;
    /// Starts an encoder that takes sound as it comes. For `video` its sound ends on a whole frame.
    async fn begin(
        &self,
        format: Format,
        scratch: &Path,
    ) -> Result<Box<dyn Encoding>, ProviderError>;
    /// Renders a picture as a short clip.
    async fn still(&self, image: &Image, scratch: &Path) -> Result<Answer<Clip>, ProviderError>;
    /// Lays the repeated clip under the sound, for exactly as long as the sound lasts.
    async fn mux(
        &self,
        sound: &Media,
        clip: &Clip,
        scratch: &Path,
    ) -> Result<Answer<Media>, ProviderError>;
}

/// An encoder at work. Dropped, it ends and leaves nothing that could pass for a whole file.
#[async_trait]
pub trait Encoding: Send {
    /// Takes sound: s16le, mono, [`crate::sound::RATE`].
    async fn write(&mut self, pcm: Bytes) -> Result<(), ProviderError>;
    /// Ends the file and checks it.
    async fn finish(self: Box<Self>) -> Result<Answer<Media>, ProviderError>;
}

/// Delivers the file.
#[async_trait]
pub trait ArtifactStore: Send + Sync {
    /// Its name in records.
    fn provider(&self) -> &'static str;
    /// Delivers the file and then its manifest. Repeating it is harmless.
    async fn put(
        &self,
        delivery: &UploadTarget,
        media: &Media,
    ) -> Result<Answer<Artifact>, ProviderError>;
    /// Delivers what another job has delivered, as a copy under this job's own key and with its own
    /// manifest; `None` when it is gone, or not as long as it was.
    async fn adopt(
        &self,
        delivery: &UploadTarget,
        delivered: &Artifact,
    ) -> Result<Option<Answer<Artifact>>, ProviderError>;
}

/// The providers of a worker, one a capability.
#[derive(Clone)]
pub struct Providers {
    /// Reads conversations; `None` where there is no database.
    pub sources: Option<Arc<dyn SourceStore>>,
    /// Writes the words.
    pub writer: Arc<dyn TranscriptWriter>,
    /// Speaks them.
    pub speaker: Arc<dyn SpeechSynthesizer>,
    /// Draws the picture.
    pub painter: Arc<dyn ImageGenerator>,
    /// Makes the file.
    pub encoder: Arc<dyn MediaEncoder>,
    /// Delivers it.
    pub store: Arc<dyn ArtifactStore>,
}

impl Providers {
    /// Who does the work of `stage`, by its name in records.
    pub(crate) fn name_of(&self, stage: StageName) -> &'static str {
        match stage {
            StageName::Collection => "request",
            StageName::Transcript => self.writer.provider(),
            StageName::Tts => self.speaker.provider(),
            StageName::Image => self.painter.provider(),
            StageName::Encode => self.encoder.provider(),
            StageName::Upload => self.store.provider(),
        }
    }
}

/// What a call gave, and what it used.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// What it gave.
    pub value: T,
    /// What it used.
    pub usage: Usage,
}

impl<T> Answer<T> {
    /// An answer that used nothing worth a record.
    pub fn free(value: T) -> Self {
        Self { value, usage: Usage::default() }
    }
}

/// The sum that is money.
const USD: &str = "usd";

/// Resources by name and unit, such as `cpu_s`; sums add up over the calls of a stage, peaks do not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    sums: BTreeMap<&'static str, f64>,
    peaks: BTreeMap<&'static str, f64>,
}

impl Usage {
    /// Adds to a sum, such as `characters` or `cpu_s`.
    #[must_use]
    pub fn and(mut self, name: &'static str, amount: f64) -> Self {
        *self.sums.entry(name).or_default() += amount;
        self
    }

    /// Raises a peak, such as `rss_bytes`.
    #[must_use]
    pub fn and_peak(mut self, name: &'static str, amount: f64) -> Self {
        let peak = self.peaks.entry(name).or_default();
        *peak = peak.max(amount);
        self
    }

    /// Adds money, in US dollars, as the sum `usd`; none where the price is not known.
    #[must_use]
    pub fn and_usd(self, amount: f64) -> Self {
        if amount > 0.0 { self.and(USD, amount) } else { self }
    }

    /// All money in it, in US dollars.
    pub fn usd(&self) -> f64 {
        self.sums.get(USD).copied().unwrap_or_default()
    }

    /// Adds everything of `other`.
    pub fn merge(&mut self, other: &Self) {
        let begun = std::mem::take(self);
        let sums = other.sums.iter().fold(begun, |all, (name, amount)| all.and(name, *amount));
        *self = other.peaks.iter().fold(sums, |all, (name, amount)| all.and_peak(name, *amount));
    }

    pub(crate) fn to_resources(&self) -> BTreeMap<String, f64> {
        let all = self.sums.iter().chain(&self.peaks);
        all.map(|(name, amount)| ((*name).to_owned(), *amount)).collect()
    }
}

/// What shall be written about.
#[derive(Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The source's text: data, never an instruction.
    pub text: String,
    /// The beginning that is already written, word for word; the writer goes on behind it.
    pub said: String,
    /// Words that are still wanted.
    pub words: RangeInclusive<usize>,
    /// A language tag; the writer's default when unset.
    pub language: Option<String>,
    /// Another number asks for another transcript.
    pub variant: u32,
}

/// What shall be drawn.
#[derive(Clone, PartialEq, Eq)]
pub struct Scene {
    /// The source's text: data, never an instruction.
    pub text: String,
    /// Another number asks for another picture.
    pub variant: u32,
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

/// Words as they are written; ends with [`DraftPiece::End`], or else it was cut short.
pub type Draft = BoxStream<'static, Result<DraftPiece, ProviderError>>;

/// A piece of a draft.
#[derive(Clone, PartialEq)]
pub enum DraftPiece {
    /// The next few characters or words.
    Text(String),
    /// The writer is done.
    End {
        /// Why it stopped.
        finish: Finish,
        /// What it used.
        usage: Usage,
    },
}

/// Why a writer stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It said everything.
    Complete,
    /// Its limit of words was reached.
    Length,
    /// It will not write about this.
    Refused,
}

/// Spoken samples: mono, [`crate::sound::RATE`], s16.
#[derive(Clone, PartialEq, Eq)]
pub struct Speech {
    /// The samples, as the provider gave them: neither trimmed nor levelled.
    pub samples: Vec<i16>,
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
    ($($type:ident.$field:ident),*) => {$(
        /// Private text never reaches a log, not even through `{:?}`.
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($type), "({} long)"), self.$field.len())
            }
        }
    )*};
}

debug_without_text!(Prompt.text, Scene.text, Utterance.text, Speech.samples);
