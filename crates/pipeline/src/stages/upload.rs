//! File → artifact: delivers it under a key that names its bytes.

use stillcast_enqueue::{Artifact, StageName};

use crate::run::{Attempt, Halted};
use crate::{Media, UploadTarget};

pub(crate) async fn deliver(attempt: &Attempt<'_>, media: Media) -> Result<Artifact, Halted> {
    let stage = StageName::Upload;
    let request = &attempt.run.request;
    let store = attempt.run.providers.store.as_ref();
    let delivery = UploadTarget {
        tenant: request.tenant.clone(),
        job: request.job.clone(),
        format: request.format,
        stages: attempt.records(),
    };
    attempt
        .stage(stage, attempt.call(stage, store.provider(), || store.put(&delivery, &media)))
        .await
}
