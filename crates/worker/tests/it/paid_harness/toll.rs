//! What the provider has sent and the checkpoints of all jobs go in; what deaths and cancels have cost comes
//! out, told apart by how far each call had come.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use stillcast_enqueue::JobId;
use tests::simulator::{Endpoint, Sent};
use tokio::sync::mpsc::UnboundedReceiver;

use super::PaidHarness;

/// Everything that goes to the store. Words go to Redis alone, with each checkpoint as far as they are said.
pub(crate) const PARTS: [Endpoint; 2] = [Endpoint::Speech, Endpoint::Image];

/// Calls of one endpoint that were paid for and are of no use to whoever paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Toll {
    /// Cut off while the provider was at them.
    pub(crate) under_way: usize,
    /// Sent to their last byte, and not accepted as a checkpoint: they were on their way there.
    pub(crate) on_their_way: usize,
    /// Kept by the job that paid, and bought by another one: it had not been shared yet.
    pub(crate) unshared: usize,
}

/// What the provider has sold.
pub(crate) struct Sold {
    told: UnboundedReceiver<Sent>,
    /// How often each thing was, by the digest that its checkpoint would have.
    counts: BTreeMap<(Endpoint, String), usize>,
}

impl Sold {
    pub(crate) fn heard(told: UnboundedReceiver<Sent>) -> Mutex<Self> {
        Mutex::new(Self { told, counts: BTreeMap::new() })
    }

    /// How often each digest was sold by `endpoint` until now.
    fn of(&mut self, endpoint: Endpoint) -> Vec<(String, usize)> {
        while let Ok(sent) = self.told.try_recv() {
            if !sent.spoilt
                && let Some((_, digest)) = sent.kept()
            {
                *self.counts.entry((sent.endpoint, digest)).or_default() += 1;
            }
        }
        let of = self.counts.iter().filter(|((of, _), _)| *of == endpoint);
        of.map(|((_, digest), count)| (digest.clone(), *count)).collect()
    }
}

impl PaidHarness {
    /// What the deaths and cancels until now have cost of `endpoint`, one of [`PARTS`], while nothing of
    /// `ids` runs: these are all the jobs that there were.
    pub(crate) async fn toll(&self, endpoint: Endpoint, ids: &[JobId]) -> Toll {
        let kept = self.kept(endpoint, ids).await;
        let sold = self.sold.lock().unwrap_or_else(PoisonError::into_inner).of(endpoint);
        let lost = |(digest, sold): (String, usize)| {
            sold.saturating_sub(kept.get(&digest).copied().unwrap_or_default())
        };
        let on_their_way = sold.into_iter().map(lost).sum();
        let again: usize = self.good(endpoint).values().map(|count| count - 1).sum();
        Toll {
            under_way: self.purchases(endpoint, "left").len(),
            on_their_way,
            unshared: again.saturating_sub(on_their_way),
        }
    }

    /// How many jobs have kept each digest as it came.
    async fn kept(&self, endpoint: Endpoint, ids: &[JobId]) -> HashMap<String, usize> {
        let begin =
            if endpoint == Endpoint::Image { "checkpoint:image." } else { "checkpoint:passage-" };
        let mut kept = HashMap::new();
        for id in ids {
            for (name, digest) in self.hash(id.as_str()).await {
                // Without a number it is what came of it, or what others have made.
                if name.starts_with(begin) && name.contains('.') {
                    *kept.entry(digest).or_default() += 1;
                }
            }
        }
        kept
    }
}
