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
#[cfg(all(feature = "http", not(feature = "postgres")))]
#[path = "wiring/no_relay.rs"]
mod relay;
#[cfg(all(feature = "http", feature = "postgres"))]
mod relay;
mod store;
#[cfg(not(feature = "top"))]
#[path = "wiring/no_top.rs"]
mod top;
#[cfg(feature = "top")]
mod top;

pub(crate) use self::database::{
    CheckUp, Lookup, OutboxCount, check_up, migrate, outbox_count, outbox_resend,
};
pub(crate) use self::http::{Server, feed, log};
pub(crate) use self::store::{Trial, store, try_store};
pub(crate) use self::top::Terminal;
pub(crate) use providers::store::Store;
