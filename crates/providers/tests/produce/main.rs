//! A text goes in, a delivered file comes out, with real FFmpeg and without any network: what
//! players and ears would notice is measured on the file itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod beds;
mod captions;
mod containers;
mod duration;
mod films;
mod live;
mod loudness;
mod media;
mod signed;
