//! Checkpoint, shared values and flight, each by itself: no attempt, no stage, no clock.

use std::sync::Arc;

use bytes::Bytes;
use stillcast_enqueue::{ErrorReport, JobId, StageName};

use super::cache_value::{MAX_INLINE, digest};
use super::checkpoint::Checkpoint;
use super::flight::Flight;
use super::objects::Objects;
use super::shared::SharedValues;
use crate::cache_key::{CacheKey, CheckpointKind};
use crate::tests::shared_state::SharedState;
use crate::{
    FailureClass, FlightResult, Gate, Interrupted, JoinAnswer, Memory, ObjectKey, OtherJob, Put,
    StageError,
};

/// A gate that is open, or closed for good.
struct Door(bool);

impl Gate for Door {
    fn check(&self) -> Result<(), Interrupted> {
        if self.0 { Ok(()) } else { Err(Interrupted { reason: "lease-lost" }) }
    }

    fn check_finish(&self) -> Result<(), Interrupted> {
        self.check()
    }
}

fn memory(shared: &Arc<SharedState>, job: &str) -> Memory {
    shared.memory(job, true)
}

fn objects<'run>(memory: &'run Memory, job: &str) -> Objects<'run> {
    let folder = ObjectKey::work("acme", &JobId::parse(job).unwrap()).ok();
    Objects { store: memory.objects.as_ref(), provider: "fake", tenant: "acme", folder }
}

fn checkpoint<'run>(memory: &'run Memory, job: &str) -> Checkpoint<'run> {
    let objects = objects(memory, job);
    Checkpoint { checkpoints: memory.checkpoints.as_ref(), objects }
}

fn values<'run>(memory: &'run Memory, job: &str, gate: &'run Door) -> SharedValues<'run> {
    let cache = memory.sharing.as_ref().unwrap().cache.as_ref();
    SharedValues { cache, gate, objects: objects(memory, job) }
}

fn key(kind: CheckpointKind) -> CacheKey {
    CacheKey::new(StageName::Image, kind, ("acme", "image"), "0f")
}

async fn keep(own: &Checkpoint<'_>, key: &CacheKey, bytes: &Bytes) {
    own.store(key, bytes, &digest(bytes)).await;
    own.pin(key, bytes, &digest(bytes)).await;
}

#[tokio::test]
async fn a_checkpoint_gives_back_what_was_kept_of_each_kind() {
    let kinds = [CheckpointKind::Transcript, CheckpointKind::Object, CheckpointKind::FinishedFile];
    for kind in kinds {
        let shared = Arc::new(SharedState::default());
        let memory = memory(&shared, "job-1");
        let own = checkpoint(&memory, "job-1");
        let (key, bytes) = (key(kind), Bytes::from_static(b"once"));
        assert_eq!(own.recall(&key).await.unwrap(), None);
        keep(&own, &key, &bytes).await;
        assert_eq!(own.recall(&key).await.unwrap(), Some(bytes), "{kind:?}");
        let is_object = kind == CheckpointKind::Object;
        assert_eq!(shared.objects("work/acme/job-1/"), usize::from(is_object), "{kind:?}");
    }
}

#[tokio::test]
async fn the_first_value_stays_and_an_unreadable_store_is_no_miss() {
    let shared = Arc::new(SharedState::default());
    let memory = memory(&shared, "job-1");
    let (own, key) = (checkpoint(&memory, "job-1"), key(CheckpointKind::Object));
    let first = Bytes::from_static(b"first");
    keep(&own, &key, &first).await;
    keep(&own, &key, &Bytes::from_static(b"second")).await;
    assert_eq!(own.recall(&key).await.unwrap(), Some(first));
    shared.store_down(true);
    assert_eq!(own.recall(&key).await.unwrap_err().code, "store-failed");
}

#[tokio::test]
async fn shared_values_are_found_by_other_jobs_small_and_large() {
    for length in [5, MAX_INLINE + 1] {
        let shared = Arc::new(SharedState::default());
        let (mine, theirs) = (memory(&shared, "job-1"), memory(&shared, "job-2"));
        let (key, bytes) = (key(CheckpointKind::Object), Bytes::from(vec![7; length]));
        checkpoint(&mine, "job-1").store(&key, &bytes, &digest(&bytes)).await;
        let put =
            values(&mine, "job-1", &Door(true)).put(&key, (&bytes, &digest(&bytes)), 0.5).await;
        assert_eq!(put, Put::Stored);
        let found = values(&theirs, "job-2", &Door(true)).recall(&key).await;
        assert_eq!(found, Some((bytes, 0.5)), "{length}");
        shared.sweep();
        let found = values(&theirs, "job-2", &Door(true)).recall(&key).await;
        assert_eq!(found.is_some(), length <= MAX_INLINE, "a large one lies in the store");
        assert_eq!(shared.keys().is_empty(), length > MAX_INLINE, "what is gone is forgotten");
    }
}

#[tokio::test]
async fn nothing_is_shared_behind_a_closed_gate() {
    let shared = Arc::new(SharedState::default());
    let memory = memory(&shared, "job-1");
    let (key, bytes) = (key(CheckpointKind::Object), Bytes::from_static(b"late"));
    let put =
        values(&memory, "job-1", &Door(false)).put(&key, (&bytes, &digest(&bytes)), 0.0).await;
    assert_eq!((put, shared.keys().len()), (Put::Refused, 0));
}

#[tokio::test]
async fn only_a_permanent_failure_of_the_input_ends_a_flight_for_all() {
    let of = |stage, failure| StageError::new(stage, failure, "fake", "as scripted");
    let report = ErrorReport::new("theirs", "another's");
    let image = StageName::Image;
    let cases = [
        (of(image, FailureClass::Permanent), true),
        (of(image, FailureClass::Misconfigured), false),
        (of(StageName::Upload, FailureClass::Permanent), false),
        (of(image, FailureClass::Permanent).of_other_job(OtherJob::Failed(report)), false),
    ];
    for (error, ends) in cases {
        let shared = Arc::new(SharedState::default());
        let (mine, theirs) = (memory(&shared, "job-1"), memory(&shared, "job-2"));
        let flight = |memory: &Memory| Arc::clone(&memory.sharing.as_ref().unwrap().flights);
        let (own, other) = (flight(&mine), flight(&theirs));
        let (own, other) = (Flight { flights: &*own }, Flight { flights: &*other });
        let key = key(CheckpointKind::Object);
        assert_eq!(own.join(&key).await.unwrap(), JoinAnswer::Owned);
        assert_eq!(other.join(&key).await.unwrap(), JoinAnswer::Waiting);
        let report = error.report();
        own.fail(&key, error).await;
        let seen = other.join(&key).await.unwrap();
        let expected = if ends { JoinAnswer::Permanent(report) } else { JoinAnswer::Waiting };
        assert_eq!(seen, expected);
        own.land(&key, FlightResult::Unshared).await.unwrap();
    }
}
