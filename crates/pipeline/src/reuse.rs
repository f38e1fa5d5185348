//! Around every reusable result: own checkpoint, shared cache, flight, and only then the price.
//!
//! The first writer of a shared value wins, and who comes second takes theirs. Only what was handed
//! on while it was made is used as made: others may already be speaking it. Either way the job pins
//! the digest that it used, and its later attempts use no other.

use std::time::Duration;

use bytes::Bytes;
use stillcast_enqueue::{ErrorReport, StageName};
use tokio::time::{sleep, timeout};

use crate::parcel::{MOST_INLINE, Parcel, digest};
use crate::recipe::{Item, Kept};
use crate::run::Attempt;
use crate::{
    Boarding, Failure, Interrupted, Landing, ObjectKey, ProviderError, Put, Reuse, Sharing,
    StageError,
};

/// A branch that waits for another job looks again after so long, spread so that a herd does not.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));
/// Longest wait for one object of the store; the largest, a whole track, is some 20 MB.
const STORE_PATIENCE: Duration = Duration::from_mins(1);
/// The code of an attempt that only waits for other jobs.
const WAITS: &str = "waits-for-flight";
/// The code of an attempt whose input has failed in another job for good.
const ELSEWHERE: &str = "failed-elsewhere";

/// What another job has to do with the end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// Other jobs pay for all that is missing: park until these flights have landed.
    Flights(Vec<String>),
    /// Another job has met this permanent failure of the same input.
    Failed(ErrorReport),
}

/// A result that may be had without paying for it.
pub(crate) trait Reusable {
    /// What the stage wants.
    type Value;
    /// Whether the stored value replaces one's own when somebody was faster.
    const ADOPTS: bool;
    /// Whether nothing else can go on while another job makes it.
    const ALONE: bool;

    fn item(&self) -> &Item;

    /// Takes a value that was made before; `None` when it is of no use any more.
    async fn accept(&self, bytes: Bytes) -> Result<Option<Self::Value>, StageError>;

    /// Makes it, and packs it for others.
    async fn pay(&self) -> Result<(Self::Value, Bytes), StageError>;
}

/// What a look at the shared cache and the flight has shown.
enum Look<T> {
    Found(T),
    Owned,
    Waiting,
    Alone,
}

impl Attempt<'_> {
    /// The result, from whoever has it; paid for only when nobody has, and nobody is paying.
    pub(crate) async fn reuse<R: Reusable>(&self, wanted: &R) -> Result<R::Value, StageError> {
        if let Some(value) = self.recall(wanted).await? {
            return Ok(value);
        }
        match self.sharing(wanted.item()) {
            Some(sharing) => self.reuse_shared(sharing, wanted).await,
            None => self.pay_alone(wanted).await,
        }
    }

    async fn reuse_shared<R: Reusable>(
        &self,
        sharing: &Sharing,
        wanted: &R,
    ) -> Result<R::Value, StageError> {
        let item = wanted.item();
        let mut waiting = None;
        loop {
            match self.look(sharing, wanted).await? {
                Look::Found(value) => return Ok(value),
                Look::Owned => return self.pay_and_share(sharing, wanted).await,
                Look::Alone => return self.pay_alone(wanted).await,
                Look::Waiting => {
                    waiting.get_or_insert_with(|| self.activity.wait_for(&item.key));
                    self.wait(item.stage, R::ALONE).await?;
                }
            }
        }
    }

    /// Recall, join, and when the flight is ours recall again: its last owner may have landed in
    /// between.
    async fn look<R: Reusable>(
        &self,
        sharing: &Sharing,
        wanted: &R,
    ) -> Result<Look<R::Value>, StageError> {
        let _looking = self.activity.look();
        let item = wanted.item();
        if let Some(value) = self.recall_shared(sharing, wanted).await? {
            return Ok(Look::Found(value));
        }
        match self.join(item).await? {
            Boarding::Waiting => return Ok(Look::Waiting),
            Boarding::Unshared => return Ok(Look::Alone),
            Boarding::Permanent(report) => return Err(self.failed_elsewhere(item.stage, report)),
            Boarding::Owned => {}
        }
        let Some(value) = self.recall_shared(sharing, wanted).await? else {
            return Ok(Look::Owned);
        };
        self.land(item, Landing::Stored).await?;
        Ok(Look::Found(value))
    }

    /// The job's own checkpoint.
    async fn recall<R: Reusable>(&self, wanted: &R) -> Result<Option<R::Value>, StageError> {
        let item = wanted.item();
        let Some(bytes) = self.recall_bytes(item).await? else { return Ok(None) };
        let value = wanted.accept(bytes).await?;
        if value.is_some() {
            self.recalled(item.stage, 0.0);
        }
        Ok(value)
    }

    async fn recall_shared<R: Reusable>(
        &self,
        sharing: &Sharing,
        wanted: &R,
    ) -> Result<Option<R::Value>, StageError> {
        let item = wanted.item();
        let Some((bytes, usd)) = self.shared_value(sharing, item).await else { return Ok(None) };
        let Some(value) = wanted.accept(bytes.clone()).await? else {
            sharing.cache.delete(&item.key).await;
            return Ok(None);
        };
        self.keep(item, &bytes).await;
        self.recalled(item.stage, usd);
        Ok(Some(value))
    }

    /// A value of the shared cache and its price; one that is damaged or gone is forgotten.
    async fn shared_value(&self, sharing: &Sharing, item: &Item) -> Option<(Bytes, f64)> {
        let packed = sharing.cache.get(&item.key).await?;
        if let Some(parcel) = Parcel::unpack(&packed)
            && let Some(bytes) = self.open(item, &parcel).await
        {
            return Some((bytes, parcel.usd));
        }
        sharing.cache.delete(&item.key).await;
        None
    }

    /// A part of a result that has no flight of its own: the job's own checkpoint, or another's.
    pub(crate) async fn recall_part(&self, item: &Item) -> Result<Option<Bytes>, StageError> {
        if let Some(bytes) = self.recall_bytes(item).await? {
            self.recalled(item.stage, 0.0);
            return Ok(Some(bytes));
        }
        let Some(sharing) = self.sharing(item) else { return Ok(None) };
        let Some((bytes, usd)) = self.shared_value(sharing, item).await else { return Ok(None) };
        self.keep(item, &bytes).await;
        self.recalled(item.stage, usd);
        Ok(Some(bytes))
    }

    /// Keeps a part that was paid for, and shares it: the whole may never come about here.
    pub(crate) async fn keep_part(&self, item: &Item, bytes: &Bytes, usd: f64) {
        self.keep(item, bytes).await;
        if let Some(sharing) = self.sharing(item) {
            self.share(sharing, item, bytes, usd).await;
        }
    }

    /// A parcel's value, from the store when it is large.
    async fn open(&self, item: &Item, parcel: &Parcel) -> Option<Bytes> {
        if let Some(value) = &parcel.value {
            return Some(value.clone());
        }
        let place = self.shared_place(item, &parcel.digest)?;
        let found = self.within(self.run.memory.objects.get(&place)).await;
        let found = found.inspect_err(|error| warn(item, "a shared value was not read", error));
        found.ok().flatten().filter(|bytes| digest(bytes) == parcel.digest)
    }

    async fn pay_alone<R: Reusable>(&self, wanted: &R) -> Result<R::Value, StageError> {
        let (value, bytes) = wanted.pay().await?;
        self.keep(wanted.item(), &bytes).await;
        Ok(value)
    }

    async fn pay_and_share<R: Reusable>(
        &self,
        sharing: &Sharing,
        wanted: &R,
    ) -> Result<R::Value, StageError> {
        let item = wanted.item();
        let (value, bytes) = match wanted.pay().await {
            Ok(made) => made,
            Err(error) => return Err(self.land_failure(item, error).await),
        };
        let _busy = self.activity.work();
        self.store(item, &bytes, &digest(&bytes)).await;
        let put = self.share(sharing, item, &bytes, self.price_of(item)).await;
        if R::ADOPTS
            && let Put::Present(theirs) = &put
            && let Some(parcel) = Parcel::unpack(theirs)
            && let Some(bytes) = self.open(item, &parcel).await
            && let Some(value) = wanted.accept(bytes.clone()).await?
        {
            self.keep(item, &bytes).await;
            self.land(item, Landing::Stored).await?;
            return Ok(value);
        }
        self.pin(item, &bytes, &digest(&bytes)).await;
        let landing = if put == Put::Refused { Landing::Unshared } else { Landing::Stored };
        self.land(item, landing).await?;
        Ok(value)
    }

    /// Ends the flight of a result that was handed on while it was made.
    pub(crate) async fn end_flight(
        &self,
        item: &Item,
        flight: &Boarding,
        made: Result<Bytes, StageError>,
    ) -> Result<(), StageError> {
        let sharing = self.sharing(item).filter(|_| *flight == Boarding::Owned);
        let (bytes, sharing) = match (made, sharing) {
            (Ok(bytes), Some(sharing)) => (bytes, sharing),
            (Ok(bytes), None) => {
                self.keep(item, &bytes).await;
                return Ok(());
            }
            (Err(error), Some(_)) => return Err(self.land_failure(item, error).await),
            (Err(error), None) => return Err(error),
        };
        let _busy = self.activity.work();
        self.store(item, &bytes, &digest(&bytes)).await;
        let put = self.share(sharing, item, &bytes, self.price_of(item)).await;
        self.pin(item, &bytes, &digest(&bytes)).await;
        let landing = if put == Put::Refused { Landing::Unshared } else { Landing::Stored };
        self.land(item, landing).await
    }

    /// Into the flight of a result that is already being made.
    pub(crate) async fn board(&self, item: &Item) -> Result<Boarding, StageError> {
        if self.sharing(item).is_none() {
            return Ok(Boarding::Unshared);
        }
        self.join(item).await
    }

    /// Puts a value where other jobs find it. What is paid for is shared even while the worker
    /// leaves; only a lost lease or a cancelled job shares nothing.
    async fn share(&self, sharing: &Sharing, item: &Item, bytes: &Bytes, usd: f64) -> Put {
        if self.run.gate.check_finish().is_err() {
            return Put::Refused;
        }
        let parcel = Parcel::of(bytes, usd);
        if bytes.len() > MOST_INLINE && !self.lay_out(item, &parcel.digest).await {
            return Put::Refused;
        }
        sharing.cache.put_if_absent(&item.key, parcel.pack()).await
    }

    /// Copies a large value from the job's own folder to where all find it.
    async fn lay_out(&self, item: &Item, digest: &str) -> bool {
        let (Some(own), Some(shared)) = (self.own_place(digest), self.shared_place(item, digest))
        else {
            return false;
        };
        let copied = self.within(self.run.memory.objects.copy(&own, &shared)).await;
        let copied = copied.inspect_err(|error| warn(item, "a value was not shared", error));
        copied.unwrap_or(false)
    }

    async fn join(&self, item: &Item) -> Result<Boarding, StageError> {
        self.check(item.stage)?;
        let Some(sharing) = self.sharing(item) else { return Ok(Boarding::Unshared) };
        let joined = sharing.flights.join(&item.key).await;
        joined.map_err(|why| interrupted(item.stage, why))
    }

    async fn land(&self, item: &Item, landing: Landing) -> Result<(), StageError> {
        let Some(sharing) = self.sharing(item) else { return Ok(()) };
        let landed = sharing.flights.land(&item.key, &landing).await;
        landed.map_err(|why| interrupted(item.stage, why))
    }

    /// A permanent failure of the input is everybody's; any other ends with the job's report, which
    /// passes the flight on.
    async fn land_failure(&self, item: &Item, error: StageError) -> StageError {
        let is_of_the_input = error.failure == Failure::Permanent
            && error.stage != StageName::Upload
            && error.code != ELSEWHERE;
        if is_of_the_input {
            let landed = self.land(item, Landing::Permanent(error.report())).await;
            // The lease is lost, and with it the flight.
            let _ = landed;
        }
        error
    }

    /// Sleeps until the next look; parks the job when all of it does nothing but wait.
    async fn wait(&self, stage: StageName, alone: bool) -> Result<(), StageError> {
        if alone {
            return Err(self.only_waits(stage));
        }
        let mark = self.activity.mark();
        let (least, most) = LOOK_AGAIN;
        let pause = least + most.saturating_sub(least).mul_f64(fastrand::f64());
        self.unless_halted(stage, sleep(pause)).await?;
        if self.activity.is_still_since(mark) {
            return Err(self.only_waits(stage));
        }
        self.check(stage)
    }

    fn only_waits(&self, stage: StageName) -> StageError {
        self.note_elsewhere(WAITS, Elsewhere::Flights(self.activity.awaited()));
        let message = "other jobs already pay for all that this one needs";
        StageError::new(stage, Failure::Interrupted, WAITS, message)
    }

    fn failed_elsewhere(&self, stage: StageName, report: ErrorReport) -> StageError {
        let message = format!("another job has failed on the same input: {}", report.message);
        self.note_elsewhere(ELSEWHERE, Elsewhere::Failed(report));
        StageError::new(stage, Failure::Permanent, ELSEWHERE, message)
    }

    /// Keeps a result for this job's later attempts.
    pub(crate) async fn keep(&self, item: &Item, bytes: &Bytes) {
        let _busy = self.activity.work();
        let digest = digest(bytes);
        self.store(item, bytes, &digest).await;
        self.pin(item, bytes, &digest).await;
    }

    /// The bytes of the job's own checkpoint. A store that cannot be read is a failure: paying again
    /// would be the dearer answer.
    pub(crate) async fn recall_bytes(&self, item: &Item) -> Result<Option<Bytes>, StageError> {
        let checkpoints = &self.run.memory.checkpoints;
        let Some(pinned) = checkpoints.recall(&item.name) else { return Ok(None) };
        let found = match item.kept {
            Kept::Nothing => return Ok(None),
            Kept::Words => {
                let words = checkpoints.words().await;
                words.map_err(|why| interrupted(item.stage, why))?.map(Bytes::from)
            }
            Kept::Object => {
                let Some(place) = self.own_place(&pinned) else { return Ok(None) };
                let found = self.within(self.run.memory.objects.get(&place)).await;
                found.map_err(|error| error.at(item.stage))?
            }
        };
        let found = found.filter(|bytes| digest(bytes) == pinned);
        if found.is_none() {
            tracing::warn!(stage = %item.stage, "the checkpoint {} is gone, and made anew", item.name);
        }
        Ok(found)
    }

    /// The words that earlier attempts have said.
    pub(crate) async fn words_said(&self, stage: StageName) -> Result<Option<String>, StageError> {
        let words = self.run.memory.checkpoints.words().await;
        words.map_err(|why| interrupted(stage, why))
    }

    /// Lays a value into the job's own folder. Without it a later attempt would only be dearer.
    async fn store(&self, item: &Item, bytes: &Bytes, digest: &str) {
        let (Kept::Object, Some(place)) = (item.kept, self.own_place(digest)) else { return };
        let put = self.within(self.run.memory.objects.put_if_absent(&place, bytes.clone())).await;
        if let Err(error) = put {
            warn(item, "a finished call is not kept", &error);
        }
    }

    async fn pin(&self, item: &Item, bytes: &Bytes, digest: &str) {
        let checkpoints = &self.run.memory.checkpoints;
        match item.kept {
            Kept::Nothing => return,
            Kept::Words => checkpoints.say(&String::from_utf8_lossy(bytes)),
            Kept::Object => {}
        }
        if let Err(why) = checkpoints.remember(&item.name, digest).await {
            tracing::debug!(stage = %item.stage, "{} was not pinned: {why}", item.name);
        }
    }

    /// What the job may share of this result; the policy table has the last word.
    fn sharing(&self, item: &Item) -> Option<&Sharing> {
        let is_shared = item.kept == Kept::Nothing || self.row(item.stage).reuse == Reuse::Shared;
        self.run.memory.sharing.as_ref().filter(|_| is_shared)
    }

    fn own_place(&self, digest: &str) -> Option<ObjectKey> {
        let request = &self.run.request;
        ObjectKey::work(&request.tenant, &request.job).and_then(|work| work.join(digest)).ok()
    }

    fn shared_place(&self, item: &Item, digest: &str) -> Option<ObjectKey> {
        ObjectKey::cache(&self.run.request.tenant, item.stage, digest).ok()
    }

    async fn within<T>(
        &self,
        errand: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ProviderError> {
        let Ok(answer) = timeout(STORE_PATIENCE, errand).await else {
            let store = self.run.providers.store.provider();
            let message = format!("no answer within {STORE_PATIENCE:?}");
            return Err(ProviderError::transient(store, "store-timeout", message));
        };
        answer
    }
}

fn warn(item: &Item, what: &str, error: &ProviderError) {
    tracing::warn!(stage = %item.stage, code = error.code, "{what}: {error}");
}

fn interrupted(stage: StageName, why: Interrupted) -> StageError {
    StageError::new(stage, Failure::Interrupted, why.reason, why.to_string())
}
