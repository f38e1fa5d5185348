//! One job on one worker after another: each is killed at a moment of the test's choice, and what its
//! death has cost is counted.

use std::collections::BTreeSet;

use stillcast_enqueue::{Format, JobId, JobRecord};
use tests::simulator::{Endpoint, Latency, Options, Voice};

use crate::harness::{Worker, WorkerHarness};
use crate::paid_harness::{ENDPOINTS, PARTS, PaidHarness, job};

/// What deaths of the worker have cost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cut {
    /// Speech and pictures that were finished, and never reached a checkpoint.
    pub(super) parts: usize,
    /// Deaths before the words had reached theirs.
    pub(super) words: usize,
}

/// Workers that share nothing: what is not bought again, a checkpoint has given.
pub(super) fn unshared(paid: &PaidHarness) -> WorkerHarness {
    paid.harness().set("LEASE_TTL", "3").set("USE_CACHING", "false")
}

/// One job, on one worker after another.
pub(super) struct KillSequence {
    pub(super) paid: PaidHarness,
    pub(super) harness: WorkerHarness,
    pub(super) id: JobId,
    pub(super) cut: Cut,
    pub(super) kills: usize,
}

impl KillSequence {
    pub(super) async fn begin(latency: Latency) -> Self {
        let voice = Voice::Hurried;
        let paid = PaidHarness::open_with(|options| Options { latency, voice, ..options }).await;
        // Of one slot, the order of calls is the order of passages.
        let harness = unshared(&paid).set("TTS_SLOTS", "1");
        let id = paid.enqueue(&[job(Format::Video)]).await.remove(0);
        Self { paid, harness, id, cut: Cut::default(), kills: 0 }
    }

    /// Everything that was bought to the end.
    pub(super) fn finished(&self) -> BTreeSet<String> {
        ENDPOINTS.iter().flat_map(|endpoint| self.paid.bought(*endpoint).into_keys()).collect()
    }

    /// The checkpoints of parts.
    pub(super) async fn kept(&self) -> usize {
        let passages = self.paid.pinned(self.id.as_str(), "passage-").await;
        passages + self.paid.pinned(self.id.as_str(), "image.").await
    }

    /// Calls for parts that were finished, repeated ones too.
    pub(super) fn parts(&self) -> usize {
        self.paid.count(Endpoint::Speech) + self.paid.count(Endpoint::Image)
    }

    pub(super) async fn kill(&mut self, worker: Worker) {
        worker.kill().await;
        let parts = self.parts() - self.kept().await;
        // Of one slot for speech, and one picture.
        assert!(parts <= self.cut.parts + 2, "{parts} parts are lost, before {:?}", self.cut);
        let words = 1 - self.paid.pinned(self.id.as_str(), "transcript").await;
        self.cut = Cut { parts, words: self.cut.words + words };
        self.kills += 1;
    }

    /// The job ends on a last worker, having bought again what was cut, and nothing else.
    pub(super) async fn end(&self) -> JobRecord {
        let _worker = self.harness.start(&[]).await;
        let record = self.paid.done(std::slice::from_ref(&self.id)).await.remove(0);
        let repeats = |endpoint| self.paid.count(endpoint) - self.paid.bought(endpoint).len();
        let parts = repeats(Endpoint::Speech) + repeats(Endpoint::Image);
        assert_eq!(parts, self.cut.parts, "calls repeated, calls cut off from their checkpoint");
        let mut on_their_way = 0;
        for endpoint in PARTS {
            let toll = self.paid.toll(endpoint, std::slice::from_ref(&self.id)).await;
            assert_eq!(toll.unshared, 0, "{endpoint:?}: nobody else buys: {toll:?}");
            on_their_way += toll.on_their_way;
        }
        assert_eq!(on_their_way, self.cut.parts, "seen at each death, and counted in the end");
        let drafts = self.paid.count(Endpoint::Chat);
        assert!((1..=1 + self.cut.words).contains(&drafts), "{drafts} drafts: {:?}", self.cut);
        assert!(self.paid.bought(Endpoint::Speech).len() > 9, "{record:?}");
        record
    }
}
