//! A finished file goes in; a durable copy under a key that names its bytes comes out.
//!
//! `media/<tenant>/<job>/<sha256>.<ext>` is the file, `….json` beside it the manifest, which
//! outlives the queue; captions lie there under keys of the same make. `fs` keeps them in a folder of this host, `s3` in a bucket; `deliver` is what
//! both do alike, and [`open`] tells which of them an address means. Beside deliveries, both keep
//! small objects: `work/` and `cache/`.

mod address;
mod blocking;
mod contract;
mod deliver;
mod digest;
mod error;
#[cfg(feature = "fs")]
mod fs;
mod live;
mod locate;
mod manifest;
mod open;
mod options;
mod proof;
#[cfg(feature = "s3")]
mod s3;
#[cfg(test)]
#[cfg(feature = "fs")]
mod tests;
mod trial;

pub use contract::{Finished, Store};
pub use error::StoreError;
pub use live::{LIVE_LIST_TYPE, LIVE_TYPE, LiveSound};
pub use locate::{Location, locate, read};
pub use open::open;
pub use options::{Credentials, StoreOptions};
pub use trial::{Trial, trial};
