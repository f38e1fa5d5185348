//! A [`Request`] goes in, a delivered file comes out; every outside thing stands behind a trait.
//!
//! Start with [`produce()`]: the policy table and the flow on one screen. `run` is what happens
//! around every call, `stages` says what each stage turns into what, `provider` what they need
//! from outside, `seam` what they need from the worker. `reuse` is how a result is had without paying
//! for it twice, `memory` what that needs.

mod activity;
mod artifact;
mod cache_key;
mod cache_value;
mod conversation;
mod delivery;
mod error;
mod feed;
mod host;
mod ledger;
mod memory;
mod object;
mod picture;
mod policy;
mod produce;
mod provider;
mod reuse;
mod run;
mod script;
mod slots;
pub mod sound;
mod stages;
#[cfg(test)]
mod tests;

pub use artifact::{Clip, Image, Media, SourceText};
pub use conversation::{Conversation, Excerpt};
pub use error::{Failed, FailureClass, ProviderError, StageError};
pub use host::{Gate, Interrupted, Progress, percent};
pub use memory::{
    Checkpoints, FlightResult, Flights, JoinAnswer, Memory, Put, SharedCache, Sharing,
};
pub use object::{InvalidKey, Listed, ObjectKey, ObjectStore};
pub use picture::{ImageFacts, ImageFault, ImageKind};
pub use policy::{Backoff, Policies, Reuse, StagePolicy};
pub use produce::{produce, standard};
pub use provider::{
    Answer, ArtifactStore, Draft, DraftPiece, Encoding, Finish, ImageGenerator, MediaEncoder,
    Prompt, Providers, Scene, SourceStore, Speech, SpeechSynthesizer, TranscriptWriter,
    UploadTarget, Usage, Utterance,
};
pub use reuse::OtherJob;
pub use run::{Produced, Request, Run};
pub use script::{MAX_PASSAGE, Passage, Script, ScriptFault, WORDS};
pub use slots::Slots;
