//! The queue's verbs against a real Redis: random histories beside a model, and each sentence of the
//! crate's README by itself.

mod accounts;
mod actions;
mod arguments;
mod audit;
mod batches;
mod budgets;
mod bulks;
mod checks;
mod claims;
mod drain;
mod dump;
mod fixture;
mod flights;
mod golden;
mod history;
mod leases;
mod memory;
mod model;
mod operators;
mod ops;
mod probes;
mod property;
mod purchases;
mod reaper;
mod reports;
mod scaling;
mod scripts;
mod server;
mod side_by_side;
mod stalls;
mod suspects;
mod verify;
mod webhooks;
mod why;
mod words;
