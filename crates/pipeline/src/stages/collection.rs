//! Request → source text: gathers what the meditation is about, capped.

use stillcast_enqueue::{Source, StageName};

use crate::run::{Attempt, Halted};
use crate::{Answer, ProviderError, SourceText, Usage};

const PROVIDER: &str = "request";

pub(crate) async fn collect(attempt: &Attempt<'_>) -> Result<SourceText, Halted> {
    let stage = StageName::Collection;
    let source = &attempt.run.request.source;
    attempt.stage(stage, attempt.call(stage, PROVIDER, async || read(source))).await
}

fn read(source: &Source) -> Result<Answer<SourceText>, ProviderError> {
    let Source::Text(text) = source else {
        let message = "this worker does not know the job's kind of source; upgrade it";
        return Err(ProviderError::misconfigured(PROVIDER, "source-unknown", message));
    };
    let source = SourceText::cap(text);
    let usage = Usage::default()
        .and("characters", source.text.chars().count() as f64)
        .and("cut_characters", source.cut as f64);
    Ok(Answer { value: source, usage })
}
