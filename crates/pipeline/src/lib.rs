//! A [`Request`] goes in, a delivered file comes out; every outside thing stands behind a trait.
//!
//! Start with [`produce()`]: the policy table and the flow on one screen. `attempt` is what happens
//! around every call, `stages` says what each stage turns into what, `provider` what they need
//! from outside, `host` what they need from the worker, `observer` what it hears of them, `rate_limit` what holds their calls back. `reuse` is how a result is had without paying
//! for it twice, `memory` what that needs; each stage says itself what decides its result.

mod arithmetic;
mod artifact;
mod attempt;
mod budget;
mod cache_key;
mod captions;
mod conversation;
mod delivery;
mod draft;
mod error;
mod feed;
mod host;
mod live;
mod memory;
mod moderation;
mod object;
mod observer;
pub mod pace;
mod picture;
mod policy;
mod produce;
mod prompt;
mod provider;
mod quote;
mod rate_limit;
mod request;
mod reuse;
mod script;
mod slots;
pub mod sound;
mod source_text;
mod spoken;
mod spool;
mod stages;
#[cfg(test)]
mod tests;
mod usage;
mod verdict;
mod warming;

pub use arithmetic::{GivenUp, arithmetic};
pub use artifact::{Beside, Clip, Extra, Image, Media, Recording, Speech};
pub use attempt::{ACCOUNT_LIMIT, BUDGET_SPENT, BUDGET_UNKNOWN};
pub use budget::{Budget, Expense, Funds};
pub use cache_key::EVERYBODY;
pub use captions::{Captions, Chapter, clock};
pub use conversation::{Conversation, Excerpt};
pub use draft::{Draft, DraftPiece, Finish};
pub use error::{Failed, FailureClass, OtherJob, ProviderError, StageError};
pub use host::{Gate, Interrupted, Progress, percent};
pub use live::{Fragment, LIVE_LIST, LIVE_SAMPLES, LiveList, LivePart, live_folder};
pub use memory::{
    Checkpoints, FlightResult, Flights, JoinAnswer, Memory, Put, SharedCache, Sharing,
};
pub use object::{InvalidKey, Listed, NamedBytes, ObjectKey, ObjectStore};
pub use observer::{Bought, Call, CallObserver, OpenCall, Unobserved};
pub use pace::WORDS;
pub use picture::{ImageFacts, ImageFault, ImageKind};
pub use policy::{Backoff, Policies, Reuse, StagePolicy};
pub use produce::{produce, standard};
pub use prompt::{Part, Prompt, Scene, UploadTarget, Utterance};
pub use provider::{
    ArtifactStore, Disk, Encoding, ImageGenerator, MediaEncoder, Moderator, Providers, Shape,
    SoundTrack, SourceStore, SpeechSynthesizer, TranscriptWriter,
};
pub use quote::Quote;
pub use rate_limit::{Admission, Permit, RateLimiter};
pub use request::{Produced, Request, Run};
pub use script::{MAX_PASSAGE, Passage, Script, ScriptFault, ScriptLength};
pub use slots::Slots;
pub use source_text::SourceText;
pub use spoken::{IpaForm, Pronunciation};
pub use usage::{Answer, Usage};
pub use verdict::Verdict;
pub use warming::{Warmed, quote, warm};
