//! Source text → artifact, once: what another job has delivered is delivered again as a copy, and
//! only where there is none it is made.

use bytes::Bytes;
use stillcast_enqueue::{Artifact, Format, StageName, StageRecord};

use crate::attempt::Attempt;
use crate::cache_key::{CacheKey, CheckpointKind, digest_of};
use crate::reuse::{OnConflict, Reusable, WhileWaiting, recall_or_make};
use crate::stages::{encode, image, transcript, tts, upload};
use crate::{Answer, FailureClass, Request, Run, SourceText, StageError};

const STAGE: StageName = StageName::Upload;

/// The finished file about `source`; `make` makes it.
pub(crate) async fn deliver<F, Fut>(
    attempt: &Attempt<'_>,
    source: &SourceText,
    make: F,
) -> Result<Artifact, StageError>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Artifact, StageError>>,
{
    if attempt.run.request.options.live {
        // Its listeners want what lies beside the file, and wait for nobody else's.
        return Box::pin(make()).await;
    }
    recall_or_make(attempt, &FinishedFile { attempt, key: key(attempt.run, source), make }).await
}

/// All that decides the file: what decides each of its parts, and the source.
fn key(run: &Run, source: &SourceText) -> CacheKey {
    let Run { request, providers, loudness, .. } = run;
    let Request { options, format, tenant, .. } = request;
    let words = transcript::settings(options, providers);
    let speech = tts::settings(run);
    let picture = match format {
        Format::Audio => String::new(),
        Format::Video => image::settings(options, providers),
    };
    let encoding = encode::settings(options, *format, *loudness, providers);
    let digest = digest_of(&[&words, &speech, &picture, &encoding, &source.text]);
    CacheKey::new(STAGE, CheckpointKind::FinishedFile, (tenant, "delivery"), &digest)
}

/// A file that one job of the fleet makes.
struct FinishedFile<'run, F> {
    attempt: &'run Attempt<'run>,
    key: CacheKey,
    make: F,
}

impl<F, Fut> Reusable for FinishedFile<'_, F>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Artifact, StageError>>,
{
    type Value = Artifact;
    // The file made lies under this job's own key already.
    const ON_CONFLICT: OnConflict = OnConflict::KeepOwn;
    const WHILE_WAITING: WhileWaiting = WhileWaiting::Park;

    fn key(&self) -> &CacheKey {
        &self.key
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

    async fn make(&self) -> Result<(Artifact, Bytes), StageError> {
        let artifact = Box::pin((self.make)()).await?;
        let facts = serde_json::to_vec(&artifact);
        let facts = facts.expect("an artifact is plain data and always serializes");
        Ok((artifact, facts.into()))
    }
}

impl<F> FinishedFile<'_, F> {
    async fn copy(&self, delivered: &Artifact) -> Result<Option<Artifact>, StageError> {
        let Run { request, providers, .. } = self.attempt.run;
        let skipped = self
            .skipped()
            .map(|stage| StageRecord::cached(stage, Some(providers.name_of(stage).to_owned())));
        let stages = self.attempt.ledger.records().into_iter().chain(skipped).collect();
        let target = upload::target(request, stages);
        let limit = self.attempt.limits.row(STAGE).timeout;
        let adopting = async {
            let adopted = providers.store.adopt(&target, delivered).await?;
            Ok(Answer::free(adopted.map(|answer| answer.value)))
        };
        let observed = Some((upload::call(self.attempt, "adopt"), 1));
        self.attempt.work(STAGE, observed, limit, adopting).await
    }

    /// The stages that a job of this format would have gone through.
    fn skipped(&self) -> impl Iterator<Item = StageName> + use<F> {
        let format = self.attempt.limits.format;
        StageName::ALL.into_iter().filter(move |stage| is_skipped_by_copy(*stage, format))
    }
}

/// Whether a copy of a finished file of `format` makes `stage` needless.
fn is_skipped_by_copy(stage: StageName, format: Format) -> bool {
    match stage {
        StageName::Collection => false,
        StageName::Image => format == Format::Video,
        StageName::Transcript | StageName::Tts | StageName::Encode | StageName::Upload => true,
    }
}
