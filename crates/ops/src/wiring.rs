//! Addresses go in, the store and the database behind them come out: the one place that names
//! concrete providers.

#[cfg(feature = "postgres")]
mod database;
#[cfg(not(feature = "postgres"))]
#[path = "wiring/no_database.rs"]
mod database;
#[cfg(feature = "http")]
mod http;
#[cfg(not(feature = "http"))]
#[path = "wiring/no_http.rs"]
mod http;
mod store;
#[cfg(not(feature = "top"))]
#[path = "wiring/no_top.rs"]
mod top;
#[cfg(feature = "top")]
mod top;

pub(crate) use self::database::{CheckUp, Lookup, check_up, migrate};
pub(crate) use self::http::{Server, feed, log};
pub(crate) use self::store::{Trial, store, try_store};
pub(crate) use self::top::Terminal;
pub(crate) use providers::store::Store;
