//! The walls of the house as tests: the source tree and the dependency graph go in; a broken wall
//! comes out by name. `crates/README.md` says why each wall stands.

// `cfg(test)` tells clippy that panics are this target's way to report.
#[cfg(test)]
mod alerts;
#[cfg(test)]
mod circles;
#[cfg(test)]
mod dashboard;
#[cfg(test)]
mod files;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod specification;
#[cfg(test)]
mod stages;
#[cfg(test)]
mod tree;
