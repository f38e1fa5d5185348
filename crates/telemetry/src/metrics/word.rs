//! What labels are made of: words of closed sets, known here or told by another process.

use std::borrow::Cow;

/// A word of a closed set.
pub(crate) type Word = Cow<'static, str>;
