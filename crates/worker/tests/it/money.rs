//! Money on the wire: workers are killed, jobs repeated, caches stopped, and the provider's journal
//! says what was bought how often.

mod crowd;
mod kills;
mod reuse;
mod shop;
