//! Money on the wire: workers are killed, jobs repeated, caches stopped, and the provider's journal
//! says what was bought how often.

mod books;
mod crowd;
mod kept;
mod kill_sequence;
mod kills;
mod mix;
mod reuse;
mod workers;
