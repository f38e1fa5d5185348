//! What the encoder gives out while it works goes in; it lies in the store for those who listen already.
//!
//! Parts are named by their places, and each attempt of a job makes the same ones: what lies there stays.
//! Only a making anew with other words or options has another folder.

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use stillcast_enqueue::{LIVE_CHECKPOINT, StageName};
use tokio::sync::mpsc::Receiver;

use crate::attempt::Attempt;
use crate::live::{Fragment, LIVE_LIST, LIVE_SAMPLES, LiveList, LivePart, live_folder};
use crate::stages::upload;
use crate::{Answer, FailureClass, InvalidKey, ObjectKey, StageError};

const STAGE: StageName = StageName::Upload;
/// Parts on their way at once, where a whole sound comes from the cache.
const ABREAST: usize = 4;

/// Where the parts of one making lie.
pub(super) struct Listeners<'attempt> {
    attempt: &'attempt Attempt<'attempt>,
    folder: ObjectKey,
}

/// What is put when the sound is known to be whole.
pub(super) struct Ending {
    wholes: u32,
    last: (u32, Bytes),
}

impl<'attempt> Listeners<'attempt> {
    /// Those of this job; `None` where nobody listens.
    pub(super) async fn of(
        attempt: &'attempt Attempt<'attempt>,
    ) -> Result<Option<Self>, StageError> {
        let request = &attempt.run.request;
        if !request.options.live {
            return Ok(None);
        }
        let making = making(attempt).await?;
        let folder = live_folder(&request.tenant, &request.job);
        let folder = folder.and_then(|folder| folder.join(&making)).map_err(invalid)?;
        Ok(Some(Self { attempt, folder }))
    }

    /// Puts each part as it comes; what ends the sound is answered and not yet put.
    pub(super) async fn publish(
        &self,
        fragments: Option<Receiver<Fragment>>,
    ) -> Result<Ending, StageError> {
        let fragments = fragments.ok_or_else(mute)?;
        let put = numbered(fragments).map(|(part, bytes)| self.put_at_once(part, bytes));
        let put = put.buffered(ABREAST);
        futures::pin_mut!(put);
        let mut ending = Ending { wholes: 0, last: (0, Bytes::new()) };
        while let Some(done) = put.next().await {
            match done? {
                (LivePart::Head, _) => {}
                (LivePart::Whole(place), _) => ending.wholes = place + 1,
                (LivePart::Last(_, samples), bytes) => ending.last = (samples, bytes),
            }
        }
        Ok(ending)
    }

    /// Puts a part, unless it is the last one.
    async fn put_at_once(
        &self,
        part: LivePart,
        bytes: Bytes,
    ) -> Result<(LivePart, Bytes), StageError> {
        if !matches!(part, LivePart::Last(..)) {
            self.put(&part.name(), bytes.clone()).await?;
        }
        Ok((part, bytes))
    }

    /// The sound is whole: its last part, and the list for those who have the store alone.
    pub(super) async fn end(&self, ending: Ending) -> Result<(), StageError> {
        let Ending { wholes, last: (samples, bytes) } = ending;
        let last = LivePart::Last(wholes, samples);
        self.put(&last.name(), bytes).await?;
        let parts = (0..wholes).map(LivePart::Whole).chain([LivePart::Head, last]);
        let list = LiveList::of(parts).unwrap_or_default().render("", true);
        self.put(LIVE_LIST, list.into()).await
    }

    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), StageError> {
        let attempt = self.attempt;
        let key = self.folder.join(name).map_err(invalid)?;
        let call = upload::call(attempt, "put");
        let limit = attempt.limits.row(STAGE).timeout;
        let objects = &attempt.run.memory.objects;
        let put = || {
            let putting = objects.put_if_absent(&key, bytes.clone());
            attempt.work(STAGE, Some((call, 1)), limit, async { putting.await.map(Answer::free) })
        };
        attempt.retry(STAGE, put).await.map(drop)
    }
}

/// Each fragment as the part that it is.
fn numbered(fragments: Receiver<Fragment>) -> impl Stream<Item = (LivePart, Bytes)> {
    stream::unfold((fragments, 0), |(mut fragments, next)| async move {
        let (part, bytes) = match fragments.recv().await? {
            Fragment::Head(bytes) => (LivePart::Head, bytes),
            Fragment::Sound { bytes, samples: LIVE_SAMPLES } => (LivePart::Whole(next), bytes),
            Fragment::Sound { bytes, samples } => (LivePart::Last(next, samples), bytes),
        };
        let next = next + u32::from(matches!(part, LivePart::Whole(_)));
        Some(((part, bytes), (fragments, next)))
    })
}

/// The name of this making, which a later attempt finds again.
async fn making(attempt: &Attempt<'_>) -> Result<String, StageError> {
    let checkpoints = attempt.run.memory.checkpoints.as_ref();
    if let Some(known) = checkpoints.recall(LIVE_CHECKPOINT) {
        return Ok(known);
    }
    let name = format!("{:016x}", fastrand::u64(..));
    let remembered = checkpoints.remember(LIVE_CHECKPOINT, &name).await;
    remembered.map_err(|why| StageError::interrupted(STAGE, why))?;
    Ok(name)
}

fn mute() -> StageError {
    let message = "this worker's encoder gives nothing out while it works";
    StageError::new(StageName::Encode, FailureClass::Unequipped, "live-unknown", message)
}

#[expect(clippy::needless_pass_by_value, reason = "as a result hands it")]
fn invalid(fault: InvalidKey) -> StageError {
    StageError::new(STAGE, FailureClass::Permanent, "delivery-invalid", fault.to_string())
}
