//! When something is likely to be over.

use serde::{Deserialize, Serialize};

/// An interval in seconds from now that is likely to hold the truth: nine times in ten, by how long
/// jobs took lately.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Eta {
    /// Not before.
    pub from_s: f64,
    /// Not after.
    pub to_s: f64,
}

impl Eta {
    /// Its middle.
    pub fn middle_s(&self) -> f64 {
        self.from_s.midpoint(self.to_s)
    }
}
