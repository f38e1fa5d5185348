//! What a job would buy goes in, and what it has wasted; whether it may go on buying comes out.

use stillcast_enqueue::{Format, StageName};

use crate::{FailureClass, Part, Prompt, Run, ScriptLength, StageError, Utterance};

/// Characters of a word with whatever stands behind it, and a fifth for what is too much.
const WORD: f64 = 7.2;

/// How much a job may waste over all its attempts (`JOB_WASTE_LIMIT`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Ceiling {
    /// US dollars; none where nobody knows a price.
    usd: Option<f64>,
    limit: f64,
}

impl Ceiling {
    /// `JOB_WASTE_LIMIT` times what the job costs whose providers estimate it.
    pub(super) fn of(run: &Run) -> Self {
        let limit = run.policies.waste_limit;
        let price = price(run);
        Self { usd: (price > 0.0).then_some(price * limit), limit }
    }

    /// Refuses to buy more for a job that has wasted `usd`. Another worker may be set up better, and
    /// nothing of this one's other jobs is in doubt.
    pub(super) fn check(self, stage: StageName, usd: f64) -> Result<(), StageError> {
        let Some(most) = self.usd.filter(|most| usd > *most) else { return Ok(()) };
        let message = format!(
            "answers for {usd:.4} US dollars were of no use to this job, which is above JOB_WASTE_LIMIT \
             ({} times its price, {most:.4} US dollars); mend what spoils them, then raise \
             JOB_WASTE_LIMIT or enqueue it anew",
            self.limit
        );
        Err(StageError::new(stage, FailureClass::Unequipped, "waste-limit", message))
    }
}

/// What the job costs when nothing is spoilt, as far as prices are known.
fn price(run: &Run) -> f64 {
    let most = *ScriptLength::asked(&run.request.options).words.end();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some thousands, never negative"
    )]
    let characters = (most as f64 * WORD) as usize;
    let prompt = Prompt {
        text: "x".repeat(characters / 2),
        said: String::new(),
        words: 0..=0,
        part: Part::WHOLE,
        whole: 0..=0,
        language: None,
        variant: 0,
    };
    let utterance = Utterance { text: "x".repeat(characters), voice: None, language: None };
    let providers = &run.providers;
    let words = providers.writer.estimate(&prompt, characters).usd();
    let speech = providers.speaker.estimate(&utterance).usd();
    let picture = match run.request.format {
        Format::Audio => 0.0,
        Format::Video => providers.painter.estimate().usd(),
    };
    words + speech + picture
}
