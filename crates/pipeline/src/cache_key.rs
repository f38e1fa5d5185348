//! The parts that decide a result go in; the name under which it is found comes out: equal names,
//! equal results. Which parts count is said by each stage.

use sha2::{Digest, Sha256};
use stillcast_enqueue::StageName;

/// The tenant of a run that fills the cache for all tenants. No job can be of this one: it is no identifier.
pub const EVERYBODY: &str = "*";

/// The name of a result that may be had without paying for it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CacheKey {
    /// The stage that makes it.
    pub(crate) stage: StageName,
    /// Its name among the job's own checkpoints.
    pub(crate) checkpoint: String,
    /// Its name in cache and flights: `<tenant>/<stage, passage or delivery>/<digest>`.
    pub(crate) shared: String,
    /// What the job keeps of it.
    pub(crate) kind: CheckpointKind,
}

/// What a job keeps of a result for its later attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckpointKind {
    /// The words, in the job's record.
    Transcript,
    /// An object below `work/`.
    Object,
    /// The facts of the finished file, some hundred bytes, in place of a digest.
    FinishedFile,
}

impl CacheKey {
    /// The key of what `tenant` has as `name`, decided by what is in `digest`.
    pub(crate) fn new(
        stage: StageName,
        kind: CheckpointKind,
        (tenant, name): (&str, &str),
        digest: &str,
    ) -> Self {
        let shared = format!("{tenant}/{name}/{digest}");
        Self { stage, checkpoint: name.to_owned(), shared, kind }
    }

    /// Where it lies when it was bought for all tenants before anybody asked; nowhere for a finished file, which
    /// is one job's.
    pub(crate) fn warmed(&self) -> Option<String> {
        let (_, named) = self.shared.split_once('/').filter(|_| !self.is_of_finished_file())?;
        Some(format!("{EVERYBODY}/{named}"))
    }

    /// Whether it names the finished file, and not a part of it.
    pub(crate) fn is_of_finished_file(&self) -> bool {
        self.kind == CheckpointKind::FinishedFile
    }
}

/// The digest of parts; where one ends and the next begins counts.
pub(crate) fn digest_of(parts: &[&str]) -> String {
    let hash = parts.iter().fold(Sha256::new(), |hash, part| {
        hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
    });
    hex::encode(hash.finalize())
}
