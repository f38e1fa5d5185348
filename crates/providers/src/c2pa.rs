//! A finished file goes in; the same file comes out with a manifest in it, as C2PA has them: who has made it
//! and that a machine has, signed, so that whoever reads it knows that nobody has changed it since.
//!
//! `certificate` is what a certificate says of itself, `signer` signs one file, `encoder` is any encoder
//! whose files are signed before anybody gets them, `fault` is why one is not.

mod certificate;
mod encoder;
mod fault;
mod signer;
#[cfg(test)]
mod tests;

pub use encoder::SigningEncoder;
pub use fault::SigningFault;
pub use signer::{Signer, SigningOptions};
