//! Pieces as they are spoken go in; the pieces of the file come out in their order, as long as it was
//! asked for, with what a bed needs before the first word and behind the last.

use std::collections::VecDeque;
use std::time::Duration;

use stillcast_enqueue::{Container, Options, StageName};

use crate::artifact::Piece;
use crate::feed::{Cut, Reader};
use crate::sound::{self, Misfit, Turn};
use crate::spool::Spooled;
use crate::{FailureClass, StageError};

const STAGE: StageName = StageName::Encode;
/// What a bed, and what a bell has to itself before the first word and behind the last one.
const BED: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(6));
const BELLS: (Duration, Duration) = (Duration::from_secs(7), Duration::from_secs(10));
/// A decoder of AAC has no sound for its first samples, and a file without edits cannot have it skip them:
/// nothing may be missing in them.
const LEAD: Duration = Duration::from_millis(100);

/// The pieces as they are heard in the file.
pub(super) struct Arranged {
    pieces: Reader<Piece<Spooled>>,
    /// How long all of them shall be, in samples, until they are.
    target: Option<usize>,
    /// What comes before all others, or has come and is not told yet.
    waiting: VecDeque<Piece<Spooled>>,
    /// What comes behind all others.
    end: Option<Duration>,
}

impl Arranged {
    pub(super) fn of(options: &Options, pieces: Reader<Piece<Spooled>>) -> Self {
        let (begin, end) = edges(options);
        let target = options.duration.map(|seconds| {
            let whole = Duration::from_secs(u64::from(seconds));
            sound::sample_count(whole.saturating_sub(begin + end))
        });
        let pause = |length: Duration| (!length.is_zero()).then_some(length);
        let waiting = pause(begin).map(Piece::Pause).into_iter().collect();
        Self { pieces, target, waiting, end: pause(end) }
    }

    /// The next piece, and whether the voice speaks in it or behind it. Where the length is asked for, the
    /// first one comes when the last one is known: only then is it known how long each pause is.
    pub(super) async fn next(&mut self) -> Result<Option<(Piece<Spooled>, Turn)>, StageError> {
        if let Some(target) = self.target.take() {
            let pieces = self.rest().await?;
            let fitted = sound::fit(pieces, target).map_err(|fault| misfit(fault, target))?;
            self.waiting.extend(fitted);
        }
        self.look().await?;
        let Some(piece) = self.waiting.pop_front() else { return Ok(None) };
        if let Piece::Speech { .. } = piece {
            return Ok(Some((piece, Turn::Speaks)));
        }
        let piece = self.whole_pause(piece).await?;
        let turn = if self.waiting.is_empty() { Turn::Ends } else { Turn::Rests };
        Ok(Some((piece, turn)))
    }

    /// Pauses behind each other are one.
    async fn whole_pause(&mut self, first: Piece<Spooled>) -> Result<Piece<Spooled>, StageError> {
        let Piece::Pause(mut length) = first else { return Ok(first) };
        loop {
            self.look().await?;
            match self.waiting.front() {
                Some(Piece::Pause(more)) => length += *more,
                _ => return Ok(Piece::Pause(length)),
            }
            self.waiting.pop_front();
        }
    }

    /// Has the next piece waiting, if there is one.
    async fn look(&mut self) -> Result<(), StageError> {
        if self.waiting.is_empty() {
            let next = self.come().await?.or_else(|| self.end.take().map(Piece::Pause));
            self.waiting.extend(next);
        }
        Ok(())
    }

    async fn rest(&mut self) -> Result<Vec<Piece<Spooled>>, StageError> {
        let mut pieces = Vec::new();
        while let Some(piece) = self.come().await? {
            pieces.push(piece);
        }
        Ok(pieces)
    }

    async fn come(&mut self) -> Result<Option<Piece<Spooled>>, StageError> {
        self.pieces.next().await.map_err(|Cut| StageError::halted(STAGE))
    }
}

/// What stands before the first word and behind the last one.
fn edges(options: &Options) -> (Duration, Duration) {
    let (bed, bells) = (!options.bed.is_none(), options.bells);
    let of =
        |is_there: bool, edges| if is_there { edges } else { (Duration::ZERO, Duration::ZERO) };
    let (bed, bells) = (of(bed, BED), of(bells, BELLS));
    let tail = Duration::from_secs(u64::from(options.tail));
    let is_bare = options.container == Some(Container::Mp4Social);
    let lead = if is_bare { LEAD } else { Duration::ZERO };
    (bed.0.max(bells.0).max(lead), bed.1.max(bells.1) + tail)
}

/// Another try would fit as badly: words and voice are as they are.
fn misfit(fault: Misfit, target: usize) -> StageError {
    let wanted = target / sound::RATE as usize;
    let message = format!(
        "the words and their pauses shall last {wanted} s, and {fault}; ask for another \
         `options.duration`, `voice` or `variant`"
    );
    StageError::new(STAGE, FailureClass::Permanent, "duration-out-of-reach", message)
}
