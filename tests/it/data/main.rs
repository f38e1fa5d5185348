//! Content from a real Postgres, and deliveries into stores that speak S3: s3s-fs in this process,
//! moto beside it.

// `cfg(test)` tells clippy that panics are this target's way to report.
#[cfg(test)]
mod conversations;
#[cfg(test)]
mod deliveries;
#[cfg(test)]
mod gallery;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod outbox_commands;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod pool;
#[cfg(test)]
mod pooler;
#[cfg(test)]
mod proofs;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod support;
