//! One draft while it is read: what came of it goes in, what it has cost is booked, however it ends.

use super::STAGE;
use crate::attempt::Attempt;
use crate::script::may_end_sentence;
use crate::{Prompt, TranscriptWriter, Usage};

/// What came of one draft. Dropped unsettled, however that comes, it books the draft's price: lost
/// only when nothing of it was handed on.
pub(super) struct OpenDraft<'draft> {
    attempt: &'draft Attempt<'draft>,
    writer: &'draft dyn TranscriptWriter,
    pub(super) prompt: &'draft Prompt,
    /// Characters that were read.
    characters: usize,
    /// The last of them that is no blank.
    last: Option<char>,
    /// Passages that were handed on.
    pub(super) passages: usize,
    /// What it has used, once the writer has said so.
    pub(super) usage: Option<Usage>,
    is_settled: bool,
}

impl<'draft> OpenDraft<'draft> {
    pub(super) fn new(
        attempt: &'draft Attempt<'draft>,
        writer: &'draft dyn TranscriptWriter,
        prompt: &'draft Prompt,
    ) -> Self {
        let (characters, last, passages, usage, is_settled) = (0, None, 0, None, false);
        Self { attempt, writer, prompt, characters, last, passages, usage, is_settled }
    }

    /// Notes a piece that was read.
    pub(super) fn note(&mut self, text: &str) {
        self.characters += text.chars().count();
        self.last = text.trim_end().chars().next_back().or(self.last);
    }

    /// Whether the text stops where a sentence may.
    pub(super) fn ends_a_sentence(&self) -> bool {
        self.last.is_some_and(may_end_sentence)
    }

    fn usage(&mut self) -> Usage {
        let estimate = || self.writer.estimate(self.prompt, self.characters);
        self.usage.take().unwrap_or_else(estimate)
    }

    /// The draft's usage, to be booked with its answer.
    pub(super) fn settle(mut self) -> Usage {
        self.is_settled = true;
        self.usage()
    }
}

impl Drop for OpenDraft<'_> {
    fn drop(&mut self) {
        if self.is_settled || (self.characters == 0 && self.usage.is_none()) {
            return;
        }
        let usage = self.usage();
        if self.passages == 0 {
            self.attempt.ledger.wasted(STAGE, &usage);
        } else {
            self.attempt.ledger.used(STAGE, &usage);
        }
    }
}
