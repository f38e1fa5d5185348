//! Sound and picture go in; a file that plays everywhere comes out, in the container that was asked for.
//!
//! Sound is encoded once, by one process that takes it as it is spoken. A picture is encoded once
//! too, as one I-frame and all-skip P-frames, and repeated under the sound by copying: the price of
//! a video does not grow with its length. The same copy adds chapters and captions. `program` is FFmpeg itself, which voices need too.

#[cfg(feature = "ffmpeg")]
mod captions;
#[cfg(feature = "ffmpeg")]
mod codec;
#[cfg(feature = "ffmpeg")]
mod encoder;
#[cfg(all(test, feature = "ffmpeg"))]
mod fuzz;
#[cfg(feature = "ffmpeg")]
mod hardware;
#[cfg(feature = "ffmpeg")]
mod heads;
#[cfg(feature = "ffmpeg")]
mod live;
#[cfg(feature = "ffmpeg")]
mod mark;
#[cfg(feature = "ffmpeg")]
mod mp4;
#[cfg(feature = "ffmpeg")]
mod mux;
#[cfg(feature = "ffmpeg")]
mod output;
#[cfg(feature = "ffmpeg")]
mod picture;
mod program;
#[cfg(feature = "ffmpeg")]
mod rehearsal;
#[cfg(feature = "ffmpeg")]
mod sound;
#[cfg(feature = "ffmpeg")]
mod tags;
#[cfg(test)]
#[cfg(all(feature = "ffmpeg", feature = "offline"))]
mod tests;

#[cfg(feature = "ffmpeg")]
pub use encoder::{FfmpegEncoder, FfmpegOptions};
pub(crate) use program::{Ffmpeg, usage};

/// The encoder's name in records.
#[cfg(feature = "ffmpeg")]
const PROVIDER: &str = "ffmpeg";
