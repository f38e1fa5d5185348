//! The words of labels.

use std::borrow::Cow;

/// A word of a closed set.
pub(crate) type Word = Cow<'static, str>;
