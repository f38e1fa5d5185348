//! Source text → artifact, once: what another job has delivered is delivered again as a copy, and
//! only where there is none the stages make it.

use bytes::Bytes;
use stillcast_enqueue::{Artifact, Format, StageName, StageRecord};

use crate::cache_key::CacheKey;
use crate::produce::make;
use crate::reuse::Reusable;
use crate::run::{Attempt, Halted};
use crate::{FailureClass, SourceText, StageError, UploadTarget};

const STAGE: StageName = StageName::Upload;
/// The stages that a copy skips.
const SKIPPED: [StageName; 5] =
    [StageName::Transcript, StageName::Tts, StageName::Image, StageName::Encode, StageName::Upload];

pub(crate) async fn deliver(
    attempt: &Attempt<'_>,
    source: &SourceText,
) -> Result<Artifact, Halted> {
    let file = FinishedFile { attempt, source, item: attempt.recipe().delivery(source) };
    attempt.reuse(&file).await.map_err(|error| attempt.halt(error))
}

/// A file that one job of the fleet makes.
struct FinishedFile<'run> {
    attempt: &'run Attempt<'run>,
    source: &'run SourceText,
    item: CacheKey,
}

impl Reusable for FinishedFile<'_> {
    type Value = Artifact;
    // The file made lies under this job's own key already.
    const ADOPTS: bool = false;
    const ALONE: bool = true;

    fn item(&self) -> &CacheKey {
        &self.item
    }

    /// A store that fails here is as good as a file that is gone: it is made anew.
    async fn accept(&self, facts: Bytes) -> Result<Option<Artifact>, StageError> {
        let Ok(delivered) = serde_json::from_slice::<Artifact>(&facts) else { return Ok(None) };
        let copied = match self.copy(&delivered).await {
            Err(error) if error.failure == FailureClass::Interrupted => return Err(error),
            Err(error) => {
                tracing::warn!(code = error.code, "a delivered file was not copied: {error}");
                None
            }
            Ok(copied) => copied,
        };
        if copied.is_some() {
            self.skipped().for_each(|stage| self.attempt.recalled(stage, 0.0));
        }
        Ok(copied)
    }

    async fn pay(&self) -> Result<(Artifact, Bytes), StageError> {
        let made = Box::pin(make(self.attempt, self.source)).await;
        let artifact = made
            .map_err(|Halted| self.attempt.cause().unwrap_or_else(|| StageError::halted(STAGE)))?;
        let facts = serde_json::to_vec(&artifact);
        let facts = facts.expect("an artifact is plain data and always serializes");
        Ok((artifact, facts.into()))
    }
}

impl FinishedFile<'_> {
    async fn copy(&self, delivered: &Artifact) -> Result<Option<Artifact>, StageError> {
        let (request, store) = (&self.attempt.run.request, &self.attempt.run.providers.store);
        let skipped = self.skipped().map(|stage| self.record(stage));
        let delivery = UploadTarget {
            tenant: request.tenant.clone(),
            job: request.job.clone(),
            format: request.format,
            stages: self.attempt.records().into_iter().chain(skipped).collect(),
        };
        let limit = self.attempt.row(STAGE).timeout;
        let adopting = async {
            let adopted = store.adopt(&delivery, delivered).await?;
            Ok(crate::Answer::free(adopted.map(|answer| answer.value)))
        };
        self.attempt.work(STAGE, limit, adopting).await
    }

    /// The stages that a job of this format would have gone through.
    fn skipped(&self) -> impl Iterator<Item = StageName> + use<> {
        let format = self.attempt.run.request.format;
        let is_gone_through =
            move |stage: &StageName| *stage != StageName::Image || format == Format::Video;
        SKIPPED.into_iter().filter(is_gone_through)
    }

    fn record(&self, stage: StageName) -> StageRecord {
        StageRecord {
            stage,
            wait_s: 0.0,
            run_s: 0.0,
            tries: 0,
            cached: true,
            provider: Some(self.attempt.run.providers.name_of(stage).to_owned()),
            resources: std::collections::BTreeMap::new(),
        }
    }
}
