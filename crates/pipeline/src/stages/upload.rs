//! File → artifact: delivers it under a key that names its bytes.

use stillcast_enqueue::{Artifact, StageName, StageRecord};

use crate::attempt::Attempt;
use crate::{Call, Media, Request, StageError, UploadTarget};

const STAGE: StageName = StageName::Upload;

pub(crate) async fn deliver(attempt: &Attempt<'_>, media: Media) -> Result<Artifact, StageError> {
    let store = attempt.run.providers.store.as_ref();
    let target = target(&attempt.run.request, attempt.ledger.records());
    let call = call(attempt, "put");
    let put = attempt.call(call, || store.put(&target, &media));
    attempt.stage(STAGE, put).await
}

/// The call of the store's method `operation`.
pub(crate) fn call(attempt: &Attempt<'_>, operation: &'static str) -> Call<'static> {
    let provider = attempt.run.providers.store.provider();
    Call { stage: STAGE, provider, model: None, operation, bought: None }
}

/// For whom the file is, and what its stages did until now.
pub(crate) fn target(request: &Request, stages: Vec<StageRecord>) -> UploadTarget {
    let Request { job, tenant, format, .. } = request;
    UploadTarget { tenant: tenant.clone(), job: job.clone(), format: *format, stages }
}
