//! A filter's text goes in; which jobs it means comes out. The same text stands in a listing's query,
//! in a bulk action and in the page's address.
//!
//! ```text
//! state:dead code:speech-silent,quota-spent -tenant:acme age>5m priority>=7 meta.show="evening walk"
//! ```
//!
//! All terms must hold, any value of a term may; `-` turns a term round, `*` behind a value takes
//! whatever begins with it.

#[cfg(test)]
mod fuzz;
mod read;
mod span;
mod terms;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use self::read::Fault;
pub(crate) use self::terms::{FIELDS, Filter};

impl Filter {
    /// Reads a filter; an empty text means every job.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        read::read(text)
    }
}
