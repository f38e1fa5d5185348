//! What an attempt has paid for goes out under its lease; what it or an earlier one has kept comes
//! back.

use super::Lease;
use super::written::Unconfirmed;
use crate::Interrupted;
use crate::scripts::lease_calls::LeaseCalls;

impl Lease {
    /// The digest that this attempt or an earlier one stored under `name`.
    pub fn recall(&self, name: &str) -> Option<String> {
        let earlier = self.field(&format!("checkpoint:{name}")).map(str::to_owned);
        earlier.or_else(|| self.job.written.digest(name))
    }

    /// Remembers finished paid calls as `(name, digest)`. Repeats until Redis has answered, or the
    /// lease is over; what Redis has not confirmed by then goes out with the report.
    pub async fn checkpoint(&self, digests: &[(&str, &str)]) -> Result<(), Interrupted> {
        self.job.written.add(digests);
        // What comes while a call is on its way goes out together, by the next one.
        let _turn = self.job.turn.acquire().await;
        self.confirm_checkpoints().await?;
        // Another's call may have carried it out, and have learned that the lease is over.
        self.still_current(true)
    }

    /// The same of what nobody has paid for under this job: it goes out with the next checkpoint, or the
    /// report, and costs no call of its own.
    pub fn checkpoint_later(&self, digests: &[(&str, &str)]) {
        self.job.written.add(digests);
    }

    /// The words said by this attempt and earlier ones, as far as they were remembered. Repeats
    /// until Redis has answered; the caller is dropped when the lease ends.
    pub async fn partial_transcript(&self) -> Option<String> {
        if let Some(words) = self.job.written.words() {
            return Some(words);
        }
        self.repeat(LeaseCalls::transcript).await
    }

    /// Replaces the words said until now; they go out with the next checkpoint, or the report.
    pub fn save_partial_transcript(&self, words: impl Into<String>) {
        self.job.written.replace_words(words.into());
    }

    /// Writes what is unconfirmed, until Redis answers.
    pub(crate) async fn confirm_checkpoints(&self) -> Result<(), Interrupted> {
        let Some(sent) = self.job.written.unconfirmed() else { return Ok(()) };
        let is_current = self.send(&sent).await;
        self.job.written.confirm(&sent);
        self.still_current(is_current)
    }

    /// False when the token is stale.
    async fn send(&self, unconfirmed: &Unconfirmed) -> bool {
        let Unconfirmed { digests, words } = unconfirmed;
        let words = words.as_deref().unwrap_or_default();
        let cost = self.state.cost.total();
        self.repeat(|calls| calls.checkpoint(words, cost, digests)).await
    }
}
