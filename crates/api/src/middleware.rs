//! What happens to every request before a route sees it, and to every answer behind it.

mod access;
mod render;

pub(crate) use self::access::{Peer, authenticate};
pub(crate) use self::render::{limit_time, render};
