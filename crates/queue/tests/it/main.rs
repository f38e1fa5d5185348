//! The queue's verbs against a real Redis: random histories beside a model, and each sentence of
//! QUEUE.md by itself.

mod drain;
mod dump;
mod fixture;
mod server;
