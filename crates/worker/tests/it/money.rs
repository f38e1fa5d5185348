//! Money on the wire: workers are killed, jobs repeated, caches stopped, and the provider's journal
//! says what was bought how often.

mod books;
mod crew;
mod crowd;
mod kills;
mod mix;
mod ordeal;
mod reuse;
