//! All that stages need from outside, one method a trait where possible.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use stillcast_enqueue::{Artifact, Aspect, Container, Format, Options, StageName};
use tokio::sync::mpsc::Receiver;
use uuid::Uuid;

use crate::{
    Answer, Captions, Clip, Conversation, Draft, Fragment, Image, Media, Prompt, ProviderError,
    Recording, Scene, Speech, UploadTarget, Usage, Utterance, Verdict,
};

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
    /// The model that is asked, where there is one.
    fn model(&self) -> Option<&str> {
        None
    }
    /// Begins to write; the text comes as it is written.
    async fn write(&self, prompt: &Prompt) -> Result<Draft, ProviderError>;
    /// Tokens that such a call uses at most, as its provider's limits count them.
    fn tokens(&self, prompt: &Prompt) -> u64 {
        let _ = prompt;
        0
    }
    /// What a call has used that broke off after `written` characters, as near as can be told.
    fn estimate(&self, prompt: &Prompt, written: usize) -> Usage {
        let _ = (prompt, written);
        Usage::default()
    }
}

/// Judges what a meditation is about, and its words.
#[async_trait]
pub trait Moderator: Send + Sync {
    /// Its name in records.
    fn provider(&self) -> &'static str;
    /// What decides its judgement: address and model. Never a key.
    fn revision(&self) -> String;
    /// What it says of `text`.
    async fn judge(&self, text: &str) -> Result<Answer<Verdict>, ProviderError>;
}

/// Speaks one passage.
#[async_trait]
pub trait SpeechSynthesizer: Send + Sync {
    /// Its name in records.
    fn provider(&self) -> &'static str;
    /// What beside the utterance decides the sound: address, model, default voice. Never a key.
    fn revision(&self) -> String;
    /// The model that is asked, where there is one.
    fn model(&self) -> Option<&str> {
        None
    }
    /// Has `utterance` spoken, and answers what came as it came, with what it has used; may use files in
    /// `scratch`.
    async fn record(
        &self,
        utterance: &Utterance,
        scratch: &Path,
    ) -> Result<Answer<Recording>, ProviderError>;
    /// Reads what [`SpeechSynthesizer::record`] has answered. The answer, or the waste of the failure,
    /// includes what that has used.
    async fn hear(
        &self,
        recorded: &Answer<Recording>,
        scratch: &Path,
    ) -> Result<Answer<Speech>, ProviderError>;
    /// Speaks `utterance`: the two together.
    async fn speak(
        &self,
        utterance: &Utterance,
        scratch: &Path,
    ) -> Result<Answer<Speech>, ProviderError> {
        let recorded = self.record(utterance, scratch).await?;
        self.hear(&recorded, scratch).await
    }
    /// Tokens that speaking `utterance` uses, as its provider's limits count them.
    fn tokens(&self, utterance: &Utterance) -> u64 {
        let _ = utterance;
        0
    }
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
    /// The model that is asked, where there is one.
    fn model(&self) -> Option<&str> {
        None
    }
    /// Draws `scene`.
    async fn draw(&self, scene: &Scene) -> Result<Answer<Image>, ProviderError>;
    /// What a picture costs, as far as that is known beforehand.
    fn estimate(&self) -> Usage {
        Usage::default()
    }
}

/// Makes the file, in three steps of which the first two go on at once; a file of sound needs the first
/// and the last.
#[async_trait]
pub trait MediaEncoder: Send + Sync {
    /// Its name in records.
    fn provider(&self) -> &'static str;
    /// What beside sound and picture decides the file: rates, profile.
    fn revision(&self) -> String;
    /// Whether it can make files in `container`; asked before anything is bought for one.
    fn takes(&self, container: Container) -> Result<(), ProviderError> {
        let _ = container;
        Ok(())
    }
    /// Starts an encoder that takes sound as it comes. For a video its sound ends on a whole frame.
    async fn begin(
        &self,
        track: SoundTrack,
        scratch: &Path,
    ) -> Result<Box<dyn Encoding>, ProviderError>;
    /// Renders a picture as a short clip, with what shows it beside the file.
    async fn still(
        &self,
        image: &Image,
        shape: Shape,
        scratch: &Path,
    ) -> Result<Answer<Clip>, ProviderError>;
    /// Puts the file together: the sound with its chapters; for a video, the repeated clip under it for
    /// exactly as long as the sound lasts, and its captions. Captions and chapters lie beside it, too.
    async fn mux(
        &self,
        sound: &Media,
        clip: Option<&Clip>,
        captions: &Captions,
        shape: Shape,
        scratch: &Path,
    ) -> Result<Answer<Media>, ProviderError>;
}

/// How a file is made, besides what is heard and seen in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What it is packed as.
    pub container: Container,
    /// How wide its picture is beside its height.
    pub aspect: Aspect,
    /// Whether its picture moves.
    pub motion: bool,
}

impl Shape {
    /// Sound in `container`.
    pub fn sound(container: Container) -> Self {
        Self { container, aspect: Aspect::default(), motion: false }
    }

    /// What a request asks for.
    pub(crate) fn of(format: Format, options: &Options) -> Self {
        let Options { aspect, motion, .. } = options;
        Self { container: options.container(format), aspect: *aspect, motion: *motion }
    }
}

/// A track of sound that is encoded.
#[derive(Clone, Copy, Debug)]
pub struct SoundTrack {
    /// What it is called in the scratch folder.
    pub name: &'static str,
    /// One or two.
    pub channels: u16,
    /// The file that it is for.
    pub shape: Shape,
    /// Whether what is encoded is given out meanwhile, too.
    pub live: bool,
}

/// An encoder at work. Dropped, it ends and leaves nothing that could pass for a whole file.
#[async_trait]
pub trait Encoding: Send {
    /// Takes sound: s16le, its track's channels, [`crate::sound::RATE`].
    async fn write(&mut self, pcm: Bytes) -> Result<(), ProviderError>;
    /// What a live track gives out while it works, once; it ends when everything has come.
    fn fragments(&mut self) -> Option<Receiver<Fragment>> {
        None
    }
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
        target: &UploadTarget,
        media: &Media,
    ) -> Result<Answer<Artifact>, ProviderError>;
    /// Delivers what another job has delivered, as a copy under this job's own key and with its own
    /// manifest; `None` when it is gone, or not as long as it was.
    async fn adopt(
        &self,
        target: &UploadTarget,
        delivered: &Artifact,
    ) -> Result<Option<Answer<Artifact>>, ProviderError>;
}

/// Keeps what waits for the encoder and is too much for the memory, in the attempt's scratch folder.
#[async_trait]
pub trait Disk: Send + Sync {
    /// Writes a new file. `scratch-unwritable`, transient, where that cannot be done.
    async fn write(&self, path: &Path, bytes: Bytes) -> Result<(), ProviderError>;
    /// Reads a file that it has written. `scratch-unreadable`, transient, where that cannot be done.
    async fn read(&self, path: &Path) -> Result<Bytes, ProviderError>;
}

/// The providers of a worker, one a capability.
#[derive(Clone)]
pub struct Providers {
    /// Reads conversations; `None` where there is no database.
    pub sources: Option<Arc<dyn SourceStore>>,
    /// Judges them and what they are about; `None` where nobody is set up to.
    pub moderator: Option<Arc<dyn Moderator>>,
    /// Writes the words.
    pub writer: Arc<dyn TranscriptWriter>,
    /// Speaks them.
    pub speaker: Arc<dyn SpeechSynthesizer>,
    /// Draws the picture.
    pub painter: Arc<dyn ImageGenerator>,
    /// Makes the file.
    pub encoder: Arc<dyn MediaEncoder>,
    /// Holds sound that waits for the encoder.
    pub disk: Arc<dyn Disk>,
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
