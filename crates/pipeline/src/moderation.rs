//! A text goes in; whether anything may be made of it comes out. Nobody is asked where no endpoint is set
//! up.
//!
//! The source is judged before anything is bought, the finished words before the file is delivered. What
//! is refused is refused for good: to ask again would change nothing.

use stillcast_enqueue::StageName;

use crate::attempt::Attempt;
use crate::{Call, ProviderError, StageError, Verdict};

/// Fails unless `text`, which `stage` has brought forth, may be used.
pub(crate) async fn judge(
    attempt: &Attempt<'_>,
    stage: StageName,
    text: &str,
) -> Result<(), StageError> {
    let Some(moderator) = &attempt.run.providers.moderator else { return Ok(()) };
    let provider = moderator.provider();
    // No model writes anything here, so that nothing is counted as its words.
    let call = Call { stage, provider, model: None, operation: "moderate", bought: None };
    let verdict = attempt.call(call, || moderator.judge(text)).await?;
    refusal(&verdict, stage).map_or(Ok(()), |(code, message)| {
        Err(ProviderError::permanent(provider, code, message).at(stage))
    })
}

/// The code of what may not be used, and what an application can do about it.
fn refusal(verdict: &Verdict, stage: StageName) -> Option<(&'static str, String)> {
    let what = if stage == StageName::Collection { "the text" } else { "what was written" };
    match verdict {
        Verdict::Fine => None,
        Verdict::SelfHarm => Some((
            "self-harm",
            format!(
                "{what} speaks of harming oneself, and nothing is made of it; show whoever asked for it \
                 where there is help, such as a crisis line of their country"
            ),
        )),
        Verdict::Flagged(reasons) => Some((
            "content-flagged",
            format!(
                "moderation flags {what} ({}), and nothing is made of it; change the source's text",
                reasons.join(", ")
            ),
        )),
    }
}
