//! Source text → passages: has the words written, checks them, and hands on each passage as soon
//! as it is whole.
//!
//! What was handed on is being spoken and stays. A draft that breaks off, runs too long or holds
//! what nobody can speak loses only its unspoken rest; the next try, or the job's next attempt, goes
//! on behind what was said.

mod draft;

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use stillcast_enqueue::{Identifier, Options, StageName};
use tokio::time::Instant;

use draft::OpenDraft;

use super::tts::{Words, Written};
use crate::attempt::Attempt;
use crate::cache_key::{CacheKey, CheckpointKind, digest_of};
use crate::feed::{Feed, feed};
use crate::moderation;
use crate::reuse::{
    Checkpoint, OnConflict, Reusable, WhileWaiting, digest, look_up, recall_or_make,
};
use crate::{
    Answer, Bought, Call, DraftPiece, FailureClass, Finish, Part, Passage, Prompt, ProviderError,
    Providers, Quote, Script, ScriptFault, ScriptLength, SourceText, StageError, TranscriptWriter,
};

const STAGE: StageName = StageName::Transcript;
/// Changes with whatever this file, `script` and `pace` do to a draft.
const REVISION: &str = "transcript-2";
/// Changes with how the length of words follows from that of the file.
const LONG_REVISION: &str = "duration-1";

/// Characters of a word with whatever stands behind it.
const WORD: usize = 7;

pub(crate) async fn write(
    attempt: &Attempt<'_>,
    source: &SourceText,
    passages: Feed<Passage>,
    written: Feed<Written>,
) -> Result<(), StageError> {
    let manuscript = Manuscript::new(attempt, source, passages, written);
    attempt.stage(STAGE, recall_or_make(attempt, &manuscript)).await
}

/// What the words cost, where nobody has written them, and the words themselves where somebody has.
pub(crate) async fn quote(attempt: &Attempt<'_>, source: &SourceText, quote: &mut Quote) -> Words {
    let ((passages, _), (written, _)) = (feed(), feed());
    let manuscript = Manuscript::new(attempt, source, passages, written);
    let Manuscript { key, length, .. } = &manuscript;
    let found = look_up(attempt.run, key).await;
    let text = found.as_deref().and_then(|words| std::str::from_utf8(words).ok());
    let read = text.and_then(|text| Script::read(text, length.clone()).ok());
    if let (Some(words), Some(passages)) = (&found, read) {
        return Words::Known { digest: digest(words), passages };
    }
    quote.add(&*key.shared, manuscript.price());
    Words::Unknown { name: key.shared.clone(), characters: length.words.end() * WORD }
}

/// All that decides the words, besides the source.
pub(crate) fn settings(options: &Options, providers: &Providers) -> String {
    settings_of(options, &prompt(options, ""), providers)
}

/// What the first draft is asked for.
fn prompt(options: &Options, source: &str) -> Prompt {
    let Options {
        voice: _,
        language,
        variant,
        duration: _,
        bed: _,
        bed_level: _,
        bells: _,
        tail: _,
        stems: _,
        container: _,
        aspect: _,
        motion: _,
        lexicon: _,
        live: _,
    } = options;
    let length = ScriptLength::asked(options);
    let (index, words) = length.next_part(0);
    Prompt {
        text: source.to_owned(),
        said: String::new(),
        words,
        part: Part { index, of: length.parts() },
        whole: length.words,
        language: language.as_ref().map(Identifier::to_string),
        variant: *variant,
    }
}

fn settings_of(options: &Options, prompt: &Prompt, providers: &Providers) -> String {
    // What was said before is a part of the result; how many words are wanted, and in which parts,
    // follows from the duration, and without one from the revision.
    let Prompt { text: _, said: _, words: _, part: _, whole: _, language, variant } = prompt;
    let (language, variant) = (language.as_deref().unwrap_or_default(), variant.to_string());
    let writer = providers.writer.as_ref();
    let (provider, revision) = (writer.provider(), writer.revision());
    // Words that were judged are others than those that nobody has judged.
    let moderator = providers.moderator.as_ref();
    let moderator = moderator.map(|one| format!("{} {}", one.provider(), one.revision()));
    let duration = options.duration.map(|seconds| format!("{LONG_REVISION} {seconds}"));
    let parts = [REVISION, provider, &revision, language, &variant].into_iter();
    let parts = parts.chain(duration.as_deref()).chain(moderator.as_deref());
    digest_of(&parts.collect::<Vec<_>>())
}

/// The transcript while it is written.
struct Manuscript<'run> {
    attempt: &'run Attempt<'run>,
    writer: &'run dyn TranscriptWriter,
    /// What the first draft is asked for.
    prompt: Prompt,
    length: ScriptLength,
    passages: Feed<Passage>,
    written: Feed<Written>,
    script: Mutex<Script>,
    /// When the last draft was at its end.
    arrived: Mutex<Option<Instant>>,
    key: CacheKey,
}

impl Reusable for Manuscript<'_> {
    type Value = ();
    // What is handed on is being spoken.
    const ON_CONFLICT: OnConflict = OnConflict::KeepOwn;
    const WHILE_WAITING: WhileWaiting = WhileWaiting::OthersGoOn;

    fn key(&self) -> &CacheKey {
        &self.key
    }

    fn arrived(&self) -> Option<Instant> {
        *self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn accept(&self, words: Bytes) -> Result<Option<()>, StageError> {
        let text = std::str::from_utf8(&words).ok();
        let read = text.and_then(|text| Script::read(text, self.length.clone()).ok());
        let Some(passages) = read else { return Ok(None) };
        self.written.push(Written::before(digest(&words)));
        for passage in passages {
            self.passages.push(passage);
        }
        self.passages.finish();
        Ok(Some(()))
    }

    async fn make(&self) -> Result<((), Bytes), StageError> {
        self.resume().await?;
        // A draft for each part, and as many repairs, which can only append: their own excess is
        // trimmed, not repaired.
        for _ in 0..2 * self.length.parts() {
            let part = self.next_prompt().part;
            let finish = self.go_on().await?;
            if part.is_last() && !self.wants_more(finish) {
                break;
            }
        }
        let words = self.script().said().to_owned();
        moderation::judge(self.attempt, STAGE, &words).await?;
        self.finish().await.map(|words| ((), words))
    }
}

impl<'run> Manuscript<'run> {
    fn new(
        attempt: &'run Attempt<'run>,
        source: &SourceText,
        passages: Feed<Passage>,
        written: Feed<Written>,
    ) -> Self {
        let request = &attempt.run.request;
        let writer = attempt.run.providers.writer.as_ref();
        let prompt = prompt(&request.options, &source.text);
        let length = ScriptLength::asked(&request.options);
        let settings = settings_of(&request.options, &prompt, &attempt.run.providers);
        let digest = digest_of(&[&settings, &source.text]);
        let name = (request.tenant.as_str(), "transcript");
        let key = CacheKey::new(STAGE, CheckpointKind::Transcript, name, &digest);
        let script = Mutex::new(Script::of(length.clone()));
        let arrived = Mutex::default();
        Self { attempt, writer, prompt, length, passages, written, script, arrived, key }
    }

    /// What all drafts cost at most, if none fails, in US dollars: each is told what was said before.
    fn price(&self) -> f64 {
        let (mut said, mut usd) = (0, 0.0);
        for _ in 0..self.length.parts() {
            let (index, words) = self.length.next_part(said);
            let words = words.start().saturating_sub(said)..=words.end().saturating_sub(said);
            let (part, more) = (Part { index, of: self.length.parts() }, *words.end());
            let prompt =
                Prompt { said: "x".repeat(said * WORD), words, part, ..self.prompt.clone() };
            usd += self.writer.estimate(&prompt, more * WORD).usd();
            said += more;
        }
        usd
    }

    /// Says again what an earlier attempt had said: it is spoken and paid for.
    async fn resume(&self) -> Result<(), StageError> {
        let said = Checkpoint::of(self.attempt.run).partial_transcript(STAGE).await?;
        let resumed = said.and_then(|words| Script::resume(&words, self.length.clone()).ok());
        if let Some((script, passages)) = resumed {
            let mut begun = self.script();
            *begun = script;
            self.hand_on(&begun, passages);
        }
        Ok(())
    }

    async fn go_on(&self) -> Result<Finish, StageError> {
        let (provider, model) = (self.writer.provider(), self.writer.model());
        let prompt = self.next_prompt();
        let usd = self.writer.estimate(&prompt, prompt.words.end() * WORD).usd();
        let bought = Some(Bought { tokens: self.writer.tokens(&prompt), usd });
        let call = Call { stage: STAGE, provider, model, operation: "write", bought };
        self.attempt.call(call, || self.draft()).await
    }

    /// One draft, from what was said to its end or to its fault.
    async fn draft(&self) -> Result<Answer<Finish>, ProviderError> {
        let prompt = self.next_prompt();
        let mut open = OpenDraft::new(self.attempt, self.writer, &prompt);
        let value = self.read(&mut open).await?;
        *self.arrived.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let usage = open.settle().and_peak("words", self.script().words() as f64);
        Ok(Answer { value, usage })
    }

    fn next_prompt(&self) -> Prompt {
        let mut script = self.script();
        // Whatever an earlier draft left unsaid, this one says it anew.
        script.trim();
        let left = |bound: &usize| bound.saturating_sub(script.words());
        let (index, words) = self.length.next_part(script.words());
        Prompt {
            said: script.said().to_owned(),
            words: left(words.start())..=left(words.end()),
            part: Part { index, of: self.length.parts() },
            ..self.prompt.clone()
        }
    }

    async fn read(&self, open: &mut OpenDraft<'_>) -> Result<Finish, ProviderError> {
        let mut draft = self.writer.write(open.prompt).await?;
        while let Some(piece) = draft.next().await {
            match piece? {
                DraftPiece::Text(text) => match self.take(&text, open) {
                    // Whoever writes takes the account and the question: nobody need wait for the end.
                    Ok(()) => self.attempt.run.slots.let_in(STAGE),
                    Err(ScriptFault::TooLong) => return Ok(Finish::Length),
                    Err(fault) => return Err(self.faulty(fault, open)),
                },
                DraftPiece::Retract => self.retract(open)?,
                DraftPiece::End { finish, usage } => {
                    open.usage = Some(usage);
                    return self.end(finish, open);
                }
            }
        }
        Err(self.cut("the writer's stream ended in the middle"))
    }

    /// Hands on every passage that is whole.
    fn take(&self, text: &str, open: &mut OpenDraft<'_>) -> Result<(), ScriptFault> {
        open.note(text);
        let mut script = self.script();
        script.push(text);
        while let Some(passages) = script.step()? {
            open.passages += passages.len();
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

    /// Takes back what a draft has said, as long as nobody speaks it. What is being spoken cannot be
    /// taken out of this attempt any more; the next one begins where the draft began.
    fn retract(&self, open: &mut OpenDraft<'_>) -> Result<(), ProviderError> {
        if open.passages == 0 {
            self.script().trim();
            return Ok(());
        }
        self.attempt.run.memory.checkpoints.save_partial_transcript(&open.prompt.said);
        let message = "the model's thought came as its words, and nothing marked where it began; \
                       from now on words wait for a thought to end, which makes files later: have \
                       the server take thoughts out, or change LLM_MODEL";
        Err(ProviderError::misconfigured(self.writer.provider(), "thought-unmarked", message))
    }

    /// A draft that ends by itself ends with a paragraph; one that ran into its limit, in the
    /// middle of one. Where nobody says which it was, the text's own end does.
    fn end(&self, finish: Finish, open: &mut OpenDraft<'_>) -> Result<Finish, ProviderError> {
        let closed = match finish {
            Finish::Unstated if !open.ends_a_sentence() => {
                let message = "the stream ended in the middle of a sentence, without a \
                               `finish_reason`";
                return Err(self.cut(message));
            }
            Finish::Complete | Finish::Unstated => self.script().close(),
            Finish::Length => return Ok(finish),
            Finish::Refused => return Err(self.refused()),
        };
        match closed {
            Ok(passages) => {
                open.passages += passages.len();
                let script = self.script();
                self.hand_on(&script, passages);
                if script.has_unread() {
                    return Ok(Finish::Length);
                }
            }
            Err(ScriptFault::TooLong) => return Ok(Finish::Length),
            Err(fault) => return Err(self.faulty(fault, open)),
        }
        Ok(finish)
    }

    /// Too few words, or an end in the middle.
    fn wants_more(&self, finish: Finish) -> bool {
        finish == Finish::Length || self.script().words() < *self.length.words.start()
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
        self.written.push(Written::just_now(self.attempt, digest(&words)).await);
        self.passages.finish();
        Ok(words)
    }

    fn cut(&self, message: &str) -> ProviderError {
        ProviderError::transient(self.writer.provider(), "transcript-cut", message)
    }

    /// A draft of which nobody can speak a word, such as JSON, is an accident once; the second is the
    /// input's fault, as a second picture is that does not decode.
    fn faulty(&self, fault: ScriptFault, open: &OpenDraft<'_>) -> ProviderError {
        if fault == ScriptFault::Refusal {
            return self.refused();
        }
        let error =
            ProviderError::transient(self.writer.provider(), fault.code(), fault.to_string());
        if open.passages == 0 { error.again(FailureClass::Permanent) } else { error }
    }

    fn refused(&self) -> ProviderError {
        let message = "the writer will not write about this source; change the source's text";
        ProviderError::permanent(self.writer.provider(), "content-refused", message)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
