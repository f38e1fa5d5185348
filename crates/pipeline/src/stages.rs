//! The six stages; each file says what it turns into what. Their order is told in `produce`.

pub(crate) mod collection;
pub(crate) mod encode;
pub(crate) mod image;
pub(crate) mod transcript;
pub(crate) mod tts;
pub(crate) mod upload;
