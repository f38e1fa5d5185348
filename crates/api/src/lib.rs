//! Requests over HTTP go in; jobs, records, files and numbers of one queue come out.
//!
//! A request travels so: [`serve`] takes its connection, `middleware` names it, finds its [`Tokens`],
//! counts it, and makes a problem of whatever fails; a file in `routes` answers it from the queue or
//! the store. What changes meanwhile is heard once a process, in `hub`, however many wait for it; what
//! is searched by a `filter` lies in the `mirror`.
//!
//! The pages for people lie in `page`: the same queue, the same rights, drawn on the server.
//!
//! No command line, no paid provider and no setting is known here: [`ApiOptions`] bring all of it.

#![warn(missing_docs)]

mod alerts;
mod bulk;
mod caller;
mod cursor;
mod extract;
mod facts;
mod feed;
mod filter;
mod hub;
mod middleware;
mod mirror;
mod numbers;
mod openapi;
mod options;
mod page;
mod preference;
mod problem;
mod rate_limit;
mod routes;
mod server;
mod session;
mod state;
mod store_files;
mod tokens;

pub use alerts::{ALERTS, Alert, Teller};
pub use feed::{FEED_EPISODES, FeedOf, MAX_FEED_EPISODES, feed, is_base};
pub use options::ApiOptions;
pub use problem::codes;
pub use routes::document;
pub use server::{ServeError, check, serve};
pub use tokens::{Tokens, TokensError};
