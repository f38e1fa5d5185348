//! What is owed for the ends of jobs goes in; what contradicts itself comes out.

use super::{Look, PAGE, Text};
use crate::QueueError;

impl Look<'_> {
    /// Each delivery is owed, or belongs to a job whose end it told.
    pub(super) async fn webhooks(&mut self, ids: &[&str]) -> Result<(), QueueError> {
        let keys = self.scripts.keys();
        let mut pipeline = redis::pipe();
        for id in ids {
            pipeline.cmd("HGET").arg(keys.job(id)).arg("delivery");
            pipeline.cmd("ZSCORE").arg(keys.named("webhooks")).arg(id);
            pipeline.cmd("HGET").arg(keys.webhook(id)).arg("delivery");
            pipeline.cmd("PTTL").arg(keys.webhook(id));
        }
        let answers: Vec<redis::Value> = self.send(&pipeline).await?;
        for (id, answer) in ids.iter().zip(answers.chunks_exact(4)) {
            let text = |at: usize| -> redis::RedisResult<Option<Text>> {
                Ok(redis::from_redis_value(answer[at].clone())?)
            };
            let (shown, score, stands) = (text(0)?, text(1)?, text(2)?);
            let left: i64 =
                redis::from_redis_value(answer[3].clone()).map_err(redis::RedisError::from)?;
            // Settled and gone since the page was read.
            if left == -2 {
                continue;
            }
            let owed = stands.as_ref().is_some_and(|word| ["due", "no-secret"].contains(&&**word));
            if shown.is_none() && score.is_none() {
                self.blame("stray", &format!("webhook:{id}"), "no job and no debt keeps it");
            }
            if owed != score.is_some() {
                let detail = if owed { "is owed and not among" } else { "is not owed and among" };
                self.blame("webhook", id, format!("its webhook {detail} the `webhooks`"));
            }
            if shown.is_some_and(|shown| stands.is_none_or(|stands| *stands != *shown)) {
                self.blame("webhook", id, "its record and its webhook disagree");
            }
            if left >= 0 {
                self.blame("ttl", &format!("webhook:{id}"), "it has a time to live");
            }
        }
        Ok(())
    }

    /// What is owed can be sent.
    pub(super) async fn owed_are_there(&mut self) -> Result<(), QueueError> {
        let key = self.key("webhooks");
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("ZSCAN");
            scan.arg(&key).arg(cursor).arg("COUNT").arg(PAGE);
            let (next, page): (u64, Vec<(Text, f64)>) = scan.query_async(self.connection).await?;
            let mut pipeline = redis::pipe();
            for (id, _) in &page {
                pipeline.exists(self.scripts.keys().webhook(id));
            }
            let found: Vec<bool> = self.send(&pipeline).await?;
            for ((id, _), _) in page.iter().zip(found).filter(|(_, found)| !found) {
                self.blame("webhook", id, "`webhooks` names it, but nothing says what is owed");
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }
}
