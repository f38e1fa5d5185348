//! Request → source text: gathers what the meditation is about, capped.

use stillcast_enqueue::{Source, StageName};
use uuid::Uuid;

use crate::attempt::Attempt;
use crate::moderation;
use crate::{Answer, Call, ProviderError, Providers, Request, SourceText, StageError, Usage};

/// Who is at fault when no store was asked.
const PROVIDER: &str = "request";

pub(crate) async fn collect(attempt: &Attempt<'_>) -> Result<SourceText, StageError> {
    let stage = StageName::Collection;
    let (request, providers) = (&attempt.run.request, &attempt.run.providers);
    let provider = match (&request.source, &providers.sources) {
        (Source::Conversation(_), Some(sources)) => sources.provider(),
        _ => PROVIDER,
    };
    let reading = async || {
        fits(request)?;
        read(request, providers).await
    };
    let call = Call { stage, provider, model: None, operation: "load", bought: None };
    let collected = async {
        let source = attempt.call(call, reading).await?;
        moderation::judge(attempt, stage, &source.text).await?;
        Ok(source)
    };
    attempt.stage(stage, collected).await
}

/// What the border refuses, and comes in beside it.
fn fits(request: &Request) -> Result<(), ProviderError> {
    let Request { options, format, .. } = request;
    let container = options.container(*format);
    if container.format() == *format {
        return Ok(());
    }
    let message = format!("`options.container` is `{container}`, which holds no {format}");
    Err(ProviderError::permanent(PROVIDER, "container-unfit", message))
}

async fn read(
    request: &Request,
    providers: &Providers,
) -> Result<Answer<SourceText>, ProviderError> {
    match &request.source {
        Source::Text(text) => {
            let usage = Usage::default().and("characters", text.chars().count() as f64);
            let text = SourceText::cap(text).ok_or_else(|| {
                let message = "`source.text` is empty: there is nothing in it that can be seen";
                ProviderError::permanent(PROVIDER, "text-empty", message)
            })?;
            Ok(answer(text, usage))
        }
        Source::Conversation(id) => load(&request.tenant, *id, providers).await,
        _ => {
            let message = "this worker does not know the job's kind of source; upgrade it";
            Err(ProviderError::unequipped(PROVIDER, "source-unknown", message))
        }
    }
}

async fn load(
    tenant: &str,
    id: Uuid,
    providers: &Providers,
) -> Result<Answer<SourceText>, ProviderError> {
    let sources = providers.sources.as_ref().ok_or_else(|| {
        let message = "the job names a conversation, and this worker has no database; set \
                       DATABASE_URL, or leave the job to a worker that has one";
        ProviderError::unequipped(PROVIDER, "database-missing", message)
    })?;
    let conversation = sources.load(tenant, id).await?;
    let text = conversation.text().ok_or_else(|| {
        let message = format!("conversation {id} holds no text to make a meditation of");
        ProviderError::permanent(sources.provider(), "conversation-empty", message)
    })?;
    let usage = Usage::default()
        .and("characters", (text.text.chars().count() + text.cut) as f64)
        .and("messages", conversation.messages.len() as f64)
        .and("sources", conversation.sources.len() as f64)
        .and("empty_rows", conversation.empty_rows as f64);
    Ok(answer(text, usage))
}

fn answer(text: SourceText, usage: Usage) -> Answer<SourceText> {
    let usage =
        usage.and("cut_characters", text.cut as f64).and("dropped_characters", text.dropped as f64);
    Answer { value: text, usage }
}
