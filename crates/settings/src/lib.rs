//! A program's defaults, a file and the environment go in, each over the one before; typed values
//! come out, or every fault at once.
//!
//! The defaults are a commented TOML text, which each program compiles in: it names every setting
//! there is. [`Knobs`] holds it, [`Sources`] say what goes over it, and a [`Reader`] hands out each
//! setting once, by its name:
//!
//! ```
//! use settings::{Knobs, Reader, Sources};
//!
//! const KNOBS: Knobs = Knobs {
//!     owner: "the kettle",
//!     defaults: "# Where the water comes from.\nwater_url = \"\"\n# Cups at once.\ncups = 2\n",
//!     neighbours: "",
//!     not_yet: &[],
//!     split: &[],
//! };
//!
//! let environment = [("CUP", "3"), ("EDITOR", "vi")].into_iter().collect();
//! let mut reader = Reader::new(KNOBS, &Sources { file: None, environment });
//! let water = reader.required("water_url", "it names the well", |text| Ok(text.to_owned()));
//! let cups = reader.count("cups", 1..=8);
//! let kettle = water.zip(cups).map(|kettle| |_settled| kettle);
//!
//! let faults = reader.finish(kettle).unwrap_err();
//! let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
//! assert_eq!(said, [
//!     "CUP: is no setting; did you mean CUPS?",
//!     "WATER_URL: is not set; it names the well",
//! ]);
//! ```
//!
//! Three rules hold for every program:
//!
//! - **An empty text is no setting:** what lies below it stays.
//! - **A setting with a twin in `_file` is a secret.** The twin names a file that holds it, and it is
//!   never shown: of an address (`…_url`) the place alone, of all others that they are set.
//! - **A name within two letters of a setting's is refused,** unless it is a setting of a neighbour:
//!   most likely somebody believes that it was set. All other names are somebody else's.

#![warn(missing_docs)]

pub mod address;
mod bucket;
mod environment;
mod fault;
mod home;
mod knobs;
mod layers;
mod left_out;
mod outbox;
mod queries;
mod reader;
mod redact;
mod settled;
#[cfg(test)]
mod tests;
mod value;
mod webhooks;

pub use bucket::{BucketConfig, BucketKey};
pub use environment::{Environment, Sources};
pub use fault::{Fault, Faults};
pub use home::home;
pub use knobs::Knobs;
pub use left_out::left_out;
pub use outbox::OutboxConfig;
pub use queries::QueriesConfig;
pub use reader::Reader;
pub use settled::Settled;
pub use webhooks::{AlertConfig, WebhookConfig};
