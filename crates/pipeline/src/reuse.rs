//! Around every reusable result: own checkpoint, shared cache, flight, and only then the price.
//!
//! The first writer of a shared value wins, and who comes second takes theirs. Only what was handed
//! on while it was made is used as made: others may already be speaking it. Either way the job pins
//! the digest that it used, and its later attempts use no other.

mod flight;
mod keeping;
mod shared;

use bytes::Bytes;
use stillcast_enqueue::{ErrorReport, StageName};

use crate::cache_key::CacheKey;
use crate::cache_value::{CacheValue, digest};
use crate::run::Attempt;
use crate::{
    FailureClass, FlightResult, Interrupted, JoinAnswer, ProviderError, Put, Sharing, StageError,
};

/// What another job has to do with the end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherJob {
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

    fn item(&self) -> &CacheKey;

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
            JoinAnswer::Waiting => return Ok(Look::Waiting),
            JoinAnswer::Unshared => return Ok(Look::Alone),
            JoinAnswer::Permanent(report) => return Err(self.failed_elsewhere(item.stage, report)),
            JoinAnswer::Owned => {}
        }
        let Some(value) = self.recall_shared(sharing, wanted).await? else {
            return Ok(Look::Owned);
        };
        self.land(item, FlightResult::Stored).await?;
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
        // What the job has paid or was spared for parts of it, it is not spared once more.
        self.recalled(item.stage, (usd - self.price_of(item)).max(0.0));
        self.keep(item, &bytes).await;
        Ok(Some(value))
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
            && let Some(cached) = CacheValue::unpack(theirs)
            && let Some(bytes) = self.open(item, &cached).await
            && let Some(value) = wanted.accept(bytes.clone()).await?
        {
            self.keep(item, &bytes).await;
            self.land(item, FlightResult::Stored).await?;
            return Ok(value);
        }
        self.pin(item, &bytes, &digest(&bytes)).await;
        let landing =
            if put == Put::Refused { FlightResult::Unshared } else { FlightResult::Stored };
        self.land(item, landing).await?;
        Ok(value)
    }
}

fn warn(item: &CacheKey, what: &str, error: &ProviderError) {
    tracing::warn!(stage = %item.stage, code = error.code, "{what}: {error}");
}

fn interrupted(stage: StageName, why: Interrupted) -> StageError {
    StageError::new(stage, FailureClass::Interrupted, why.reason, why.to_string())
}
