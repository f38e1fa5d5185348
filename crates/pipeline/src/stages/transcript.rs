//! Source text → passages: has the words written, checks them, and hands on each passage as soon
//! as it is whole.

use futures::StreamExt;
use stillcast_enqueue::{Identifier, StageName};

use crate::feed::Feed;
use crate::run::{Attempt, Halted};
use crate::{
    Answer, DraftPiece, Finish, Passage, Prompt, ProviderError, Script, ScriptFault, SourceText,
    TranscriptWriter,
};

pub(crate) async fn write(
    attempt: &Attempt<'_>,
    source: &SourceText,
    passages: Feed<Passage>,
) -> Result<(), Halted> {
    let stage = StageName::Transcript;
    let writer = attempt.run.providers.writer.as_ref();
    let options = &attempt.run.request.options;
    let prompt = Prompt {
        text: source.text.clone(),
        language: options.language.as_ref().map(Identifier::to_string),
        variant: options.variant,
    };
    attempt
        .stage(stage, async {
            let call = || write_once(writer, &prompt, &passages);
            attempt.call(stage, writer.provider(), call).await?;
            passages.finish();
            Ok(())
        })
        .await
}

async fn write_once(
    writer: &dyn TranscriptWriter,
    prompt: &Prompt,
    passages: &Feed<Passage>,
) -> Result<Answer<()>, ProviderError> {
    let mut said = Said { provider: writer.provider(), passages, count: 0 };
    let mut script = Script::new();
    let mut draft = writer.write(prompt).await?;
    while let Some(piece) = draft.next().await {
        match piece? {
            DraftPiece::Text(text) => said.all(script.push(&text))?,
            DraftPiece::End { finish, usage } => {
                said.complete(finish)?;
                let usage = usage.and_peak("words", script.words() as f64);
                return said.all(script.finish()).map(|()| Answer { value: (), usage });
            }
        }
    }
    Err(said.transient("transcript-cut", "the writer's stream ended in the middle"))
}

/// What this try has said, against what an earlier one has already handed on.
struct Said<'feed> {
    provider: &'static str,
    passages: &'feed Feed<Passage>,
    count: usize,
}

impl Said<'_> {
    fn all(&mut self, passages: Result<Vec<Passage>, ScriptFault>) -> Result<(), ProviderError> {
        let passages =
            passages.map_err(|fault| self.transient(fault.code(), &fault.to_string()))?;
        passages.into_iter().try_for_each(|passage| self.one(passage))
    }

    /// Hands on what is new. A try that words it otherwise cannot join what is already spoken.
    fn one(&mut self, passage: Passage) -> Result<(), ProviderError> {
        match self.passages.get(self.count) {
            None => self.passages.push(passage),
            Some(earlier) if earlier == passage => {}
            Some(_) => {
                let message = "after a fault the writer worded it otherwise";
                return Err(self.transient("transcript-diverged", message));
            }
        }
        self.count += 1;
        Ok(())
    }

    fn complete(&self, finish: Finish) -> Result<(), ProviderError> {
        match finish {
            Finish::Complete => Ok(()),
            Finish::Length => {
                Err(self.transient("transcript-too-long", "the writer ran into its limit"))
            }
            Finish::Refused => Err(ProviderError::permanent(
                self.provider,
                "content-refused",
                "the writer will not write about this source",
            )),
        }
    }

    fn transient(&self, code: &'static str, message: &str) -> ProviderError {
        ProviderError::transient(self.provider, code, message)
    }
}
