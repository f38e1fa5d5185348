//! Real adapters against a provider on real sockets: what each answer means, what it costs, and
//! that neither texts nor keys get into errors.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod adapters;
mod aimock;
mod borders;
mod chat_server;
mod dialects;
mod harness;
mod injections;
mod realtime;
mod refusals;
mod spoilt;
mod streams;
mod webhooks;
mod whole;
