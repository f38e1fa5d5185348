//! The binary itself, as an operator meets it: environment, file, signals and Redis go in; exit
//! codes, sentences, probes and media files come out.

// `cfg(test)` tells clippy that panics are this target's way to report.
#[cfg(test)]
mod apart;
#[cfg(test)]
mod asked;
#[cfg(test)]
mod borders;
#[cfg(test)]
mod bought;
#[cfg(test)]
mod cache;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod conversations;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod money;
#[cfg(test)]
mod paid_harness;
#[cfg(test)]
mod probes;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod work;
