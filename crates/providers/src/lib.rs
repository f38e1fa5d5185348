//! The traits of `pipeline`, kept: one outside technology a file, each behind a feature.
//!
//! `ffmpeg` makes the file, `c2pa` signs it, `offline` writes, speaks and paints without any network, `openai` buys
//! all three over the wire, by way of `http`, which all vendors share, `command` has a program of this machine speak, `postgres` reads
//! conversations, `fs` and `s3` deliver into a folder of this host and into a bucket, `redis` shares small
//! values between jobs. Only a binary's wiring names what is in here.
//!
//! A provider's `revision()` takes its settings apart field by field, without `..`: a new setting
//! does not compile until somebody has said whether it decides the result. What is forgotten there
//! would let two different results share one key.

#[cfg(feature = "c2pa")]
pub mod c2pa;
#[cfg(feature = "redis")]
pub mod cache;
#[cfg(any(feature = "command", feature = "ffmpeg", feature = "offline", feature = "openai"))]
pub mod ffmpeg;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "offline")]
pub mod offline;
#[cfg(feature = "openai")]
pub mod openai;
#[cfg(any(feature = "command", feature = "offline", feature = "openai"))]
mod pcm;
#[cfg(feature = "openai")]
mod picture;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "command", feature = "openai"))]
mod recording;
#[cfg(feature = "http")]
mod retry_after;
#[cfg(feature = "fs")]
pub mod scratch;
#[cfg(feature = "command")]
pub mod speech_command;
#[cfg(any(feature = "fs", feature = "s3"))]
pub mod store;

#[cfg(feature = "http")]
pub use retry_after::retry_after;
