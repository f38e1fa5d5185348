//! What happens to every request before a route sees it, and to every answer behind it.

mod access;
mod render;

pub(crate) use self::access::{Peer, at_this_machine, authenticate, check_site, host};
pub(crate) use self::render::{ForPeople, limit_time, render};
