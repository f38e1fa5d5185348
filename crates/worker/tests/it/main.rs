//! The binary itself, as an operator meets it: environment, file, signals and Redis go in; exit
//! codes, sentences, probes and media files come out.

// This tells clippy that panics are this target's way to report.
#![cfg(test)]

mod apart;
mod asked;
mod borders;
mod bought;
mod budgets;
mod cache;
mod configuration;
mod conversations;
mod drain;
mod harness;
mod janitor;
mod limits;
mod live;
mod moderated;
mod money;
mod numbers;
mod paid_harness;
mod probes;
mod pronounced;
mod refused;
mod scraped;
mod supervised;
mod suspects;
mod traces;
mod warming;
mod webhooks;
mod work;
