//! Source text → passages: has the words written, checks them, and hands on each passage as soon
//! as it is whole.
//!
//! What was handed on is being spoken and stays. A draft that breaks off, runs too long or holds
//! what nobody can speak loses only its unspoken rest; the next try, or the job's next attempt, goes
//! on behind what was said.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use stillcast_enqueue::{Identifier, StageName};

use super::tts::Written;
use crate::cache_key::CacheKey;
use crate::cache_value::digest;
use crate::feed::Feed;
use crate::reuse::Reusable;
use crate::run::{Attempt, Halted};
use crate::{
    Answer, DraftPiece, Finish, JoinAnswer, Passage, Prompt, ProviderError, Script, ScriptFault,
    SourceText, StageError, TranscriptWriter, Usage, WORDS,
};

const STAGE: StageName = StageName::Transcript;
/// Changes with whatever this file and `script` do to a draft.
pub(crate) const REVISION: &str = "transcript-1";

pub(crate) async fn write(
    attempt: &Attempt<'_>,
    source: &SourceText,
    passages: Feed<Passage>,
    written: Feed<Written>,
) -> Result<(), Halted> {
    let manuscript = Manuscript::new(attempt, source, passages, written);
    attempt.stage(STAGE, attempt.reuse(&manuscript)).await
}

/// The transcript while it is written.
struct Manuscript<'run> {
    attempt: &'run Attempt<'run>,
    writer: &'run dyn TranscriptWriter,
    source: &'run SourceText,
    passages: Feed<Passage>,
    written: Feed<Written>,
    script: Mutex<Script>,
    item: CacheKey,
}

/// What came of one draft. Dropped unsettled, however that comes, it books the draft's price: lost
/// only when nothing of it was handed on.
struct Taken<'draft> {
    attempt: &'draft Attempt<'draft>,
    writer: &'draft dyn TranscriptWriter,
    prompt: &'draft Prompt,
    characters: usize,
    passages: usize,
    /// What it has used, once the writer has said so.
    usage: Option<Usage>,
    is_settled: bool,
}

impl Taken<'_> {
    fn usage(&mut self) -> Usage {
        let estimate = || self.writer.estimate(self.prompt, self.characters);
        self.usage.take().unwrap_or_else(estimate)
    }

    /// The draft's usage, to be booked with its answer.
    fn settle(mut self) -> Usage {
        self.is_settled = true;
        self.usage()
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.is_settled || (self.characters == 0 && self.usage.is_none()) {
            return;
        }
        let usage = self.usage();
        if self.passages == 0 {
            self.attempt.wasted(STAGE, &usage);
        } else {
            self.attempt.used(STAGE, &usage);
        }
    }
}

impl Reusable for Manuscript<'_> {
    type Value = ();
    // What is handed on is being spoken.
    const ADOPTS: bool = false;
    const ALONE: bool = false;

    fn item(&self) -> &CacheKey {
        &self.item
    }

    async fn accept(&self, words: Bytes) -> Result<Option<()>, StageError> {
        let read = std::str::from_utf8(&words).ok().and_then(|text| Script::read(text).ok());
        let Some(passages) = read else { return Ok(None) };
        self.written.push(Written { digest: digest(&words), flight: None });
        for passage in passages {
            self.passages.push(passage);
        }
        self.passages.finish();
        Ok(Some(()))
    }

    async fn pay(&self) -> Result<((), Bytes), StageError> {
        self.resume().await?;
        let finish = self.go_on().await?;
        if self.wants_more(finish) {
            // One repair, which can only append: its own excess is trimmed, not repaired.
            self.go_on().await?;
        }
        self.finish().await.map(|words| ((), words))
    }
}

impl<'run> Manuscript<'run> {
    fn new(
        attempt: &'run Attempt<'run>,
        source: &'run SourceText,
        passages: Feed<Passage>,
        written: Feed<Written>,
    ) -> Self {
        let writer = attempt.run.providers.writer.as_ref();
        let item = attempt.recipe().transcript(source);
        Self { attempt, writer, source, passages, written, script: Mutex::default(), item }
    }

    /// Says again what an earlier attempt had said: it is spoken and paid for.
    async fn resume(&self) -> Result<(), StageError> {
        let said = self.attempt.words_said(STAGE).await?;
        let resumed = said.and_then(|words| Script::resume(&words).ok());
        if let Some((script, passages)) = resumed {
            let mut begun = self.script();
            *begun = script;
            self.hand_on(&begun, passages);
        }
        Ok(())
    }

    async fn go_on(&self) -> Result<Finish, StageError> {
        self.attempt.call(STAGE, self.writer.provider(), || self.draft()).await
    }

    /// One draft, from what was said to its end or to its fault.
    async fn draft(&self) -> Result<Answer<Finish>, ProviderError> {
        let prompt = self.prompt();
        let mut taken = self.taken(&prompt);
        let value = self.read(&mut taken).await?;
        let usage = taken.settle().and_peak("words", self.script().words() as f64);
        Ok(Answer { value, usage })
    }

    fn taken<'draft>(&'draft self, prompt: &'draft Prompt) -> Taken<'draft> {
        let Self { attempt, writer, .. } = *self;
        let (characters, passages, usage, is_settled) = (0, 0, None, false);
        Taken { attempt, writer, prompt, characters, passages, usage, is_settled }
    }

    fn prompt(&self) -> Prompt {
        let options = &self.attempt.run.request.options;
        let mut script = self.script();
        // Whatever an earlier draft left unsaid, this one says it anew.
        script.trim();
        let left = |bound: &usize| bound.saturating_sub(script.words());
        Prompt {
            text: self.source.text.clone(),
            said: script.said().to_owned(),
            words: left(WORDS.start())..=left(WORDS.end()),
            language: options.language.as_ref().map(Identifier::to_string),
            variant: options.variant,
        }
    }

    async fn read(&self, taken: &mut Taken<'_>) -> Result<Finish, ProviderError> {
        let mut draft = self.writer.write(taken.prompt).await?;
        while let Some(piece) = draft.next().await {
            match piece? {
                DraftPiece::Text(text) => match self.take(&text, taken) {
                    Ok(()) => {}
                    Err(ScriptFault::TooLong) => return Ok(Finish::Length),
                    Err(fault) => return Err(self.faulty(fault)),
                },
                DraftPiece::End { finish, usage } => {
                    taken.usage = Some(usage);
                    return self.end(finish, taken);
                }
            }
        }
        let message = "the writer's stream ended in the middle";
        Err(ProviderError::transient(self.writer.provider(), "transcript-cut", message))
    }

    /// Hands on every passage that is whole.
    fn take(&self, text: &str, taken: &mut Taken<'_>) -> Result<(), ScriptFault> {
        taken.characters += text.chars().count();
        let mut script = self.script();
        script.push(text);
        while let Some(passages) = script.step()? {
            taken.passages += passages.len();
            self.hand_on(&script, passages);
        }
        Ok(())
    }

    fn hand_on(&self, script: &Script, passages: Vec<Passage>) {
        self.attempt.run.memory.checkpoints.save_partial_transcript(script.said());
        for passage in passages {
            self.passages.push(passage);
        }
    }

    /// A draft that ends by itself ends with a paragraph; one that ran into its limit, in the
    /// middle of one.
    fn end(&self, finish: Finish, taken: &mut Taken<'_>) -> Result<Finish, ProviderError> {
        let closed = match finish {
            Finish::Complete => self.script().close(),
            Finish::Length => return Ok(finish),
            Finish::Refused => return Err(self.refused()),
        };
        match closed {
            Ok(passages) => {
                taken.passages += passages.len();
                self.hand_on(&self.script(), passages);
            }
            Err(ScriptFault::TooLong) => return Ok(Finish::Length),
            Err(fault) => return Err(self.faulty(fault)),
        }
        Ok(finish)
    }

    /// Too few words, or an end in the middle.
    fn wants_more(&self, finish: Finish) -> bool {
        finish != Finish::Complete || self.script().words() < *WORDS.start()
    }

    /// The whole transcript. The flight of its sound is joined before anybody else can know it.
    async fn finish(&self) -> Result<Bytes, StageError> {
        let script = std::mem::take(&mut *self.script());
        let words = Bytes::from(script.said().to_owned());
        let provider = self.writer.provider();
        let last = script.finish().map_err(|fault| {
            ProviderError::transient(provider, fault.code(), fault.to_string()).at(STAGE)
        })?;
        for passage in last {
            self.passages.push(passage);
        }
        let digest = digest(&words);
        // A halted attempt joins nothing any more, and yet its finished words are kept.
        let boarding = self.attempt.board(&self.attempt.recipe().track(&digest)).await;
        let flight = Some(boarding.unwrap_or(JoinAnswer::Unshared));
        self.written.push(Written { digest, flight });
        self.passages.finish();
        Ok(words)
    }

    fn faulty(&self, fault: ScriptFault) -> ProviderError {
        ProviderError::transient(self.writer.provider(), fault.code(), fault.to_string())
    }

    fn refused(&self) -> ProviderError {
        let message = "the writer will not write about this source; change the source's text";
        ProviderError::permanent(self.writer.provider(), "content-refused", message)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
