//! Sound and picture → file: one encoder that is already running while the voice still speaks, and one
//! copy that puts sound, picture, captions and chapters together.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stillcast_enqueue::{Format, Options, StageName};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::artifact::Piece;
use crate::attempt::Attempt;
use crate::cache_key::digest_of;
use crate::captions::Listener;
use crate::feed::{Cut, Reader};
use crate::sound::{self, Loudness, Misfit};
use crate::{
    Answer, Call, Captions, Clip, Encoding, FailureClass, Image, Media, ProviderError, Providers,
    StageError,
};

const STAGE: StageName = StageName::Encode;
/// Changes with whatever this file and `captions` put into the file or beside it.
const REVISION: &str = "encode-2";
/// A step of which nobody hears: there is one for each piece of sound.
const FEED: &str = "feed";

/// All that decides the file, besides the sound and the picture in it.
pub(crate) fn settings(
    options: &Options,
    format: Format,
    loudness: Loudness,
    providers: &Providers,
) -> String {
    // Voice, language and variant decide what is in the file, not how it is made.
    let Options { voice: _, language: _, variant: _, duration } = options;
    let encoder = &providers.encoder;
    let (provider, revision) = (encoder.provider(), encoder.revision());
    let duration = duration.map(|seconds| format!("duration {seconds}"));
    let parts = [REVISION, provider, &revision, format.as_str(), loudness.as_str()].into_iter();
    digest_of(&parts.chain(duration.as_deref()).collect::<Vec<_>>())
}

pub(crate) async fn encode(
    attempt: &Attempt<'_>,
    sound: Reader<Piece>,
    picture: Reader<Image>,
) -> Result<Media, StageError> {
    // A clip, once rendered, serves the second try too.
    let clip = OnceCell::new();
    let action = || encode_once(attempt, sound.again(), picture.again(), &clip);
    attempt.stage(STAGE, attempt.retry(STAGE, action)).await
}

async fn encode_once(
    attempt: &Attempt<'_>,
    sound: Reader<Piece>,
    picture: Reader<Image>,
    clip: &OnceCell<Clip>,
) -> Result<Media, StageError> {
    let format = attempt.limits.format;
    let heavy = Heavy::new(attempt, attempt.limits.timeout(STAGE));
    let render = async {
        match format {
            Format::Audio => Ok::<_, StageError>(None),
            Format::Video => clip.get_or_try_init(|| render(&heavy, picture)).await.map(Some),
        }
    };
    let (compressed, clip) = tokio::join!(compress(&heavy, sound), render);
    let ((sound, captions), clip) = (compressed?, clip?);
    let encoder = attempt.run.providers.encoder.as_ref();
    let scratch = &attempt.run.scratch;
    heavy.work("mux", encoder.mux(&sound, clip, &captions, scratch)).await
}

/// Feeds the encoder as the sound comes, and listens to what is said when.
async fn compress(
    heavy: &Heavy<'_>,
    pieces: Reader<Piece>,
) -> Result<(Media, Captions), StageError> {
    let run = heavy.attempt.run;
    let mut pieces = Arranged::of(run.request.options.duration, pieces);
    let encoder = run.providers.encoder.as_ref();
    let begin = async {
        heavy.attempt.ledger.tried(STAGE, encoder.provider());
        encoder.begin(run.request.format, &run.scratch).await.map(Answer::free)
    };
    let mut encoding = heavy.work("begin", begin).await?;
    let mut listener = Listener::default();
    while let Some(piece) = pieces.next().await? {
        listener.hear(&piece);
        heavy.work(FEED, feed(encoding.as_mut(), piece, run.loudness)).await?;
    }
    heavy.attempt.announce(STAGE);
    let media = heavy.work("finish", encoding.finish()).await?;
    Ok((media, listener.finish()))
}

/// Gives the encoder one piece, as loud as the file shall be.
async fn feed(
    encoding: &mut dyn Encoding,
    piece: Piece,
    loudness: Loudness,
) -> Result<Answer<()>, ProviderError> {
    let pcm = match piece {
        Piece::Pause(length) => sound::silence(length),
        Piece::Speech { text: _, pcm } => {
            let levelled = tokio::task::spawn_blocking(move || loudness.apply(&pcm)).await;
            levelled.map_err(|panic| {
                ProviderError::transient("sound", "sound-panicked", panic.to_string())
            })?
        }
    };
    encoding.write(pcm).await.map(Answer::free)
}

/// The pieces as they are heard in the file.
struct Arranged {
    pieces: Reader<Piece>,
    /// How long all of them shall be, in samples, until they are.
    target: Option<usize>,
    fitted: VecDeque<Piece>,
}

impl Arranged {
    fn of(duration: Option<u32>, pieces: Reader<Piece>) -> Self {
        let target = duration.map(|seconds| seconds as usize * sound::RATE as usize);
        Self { pieces, target, fitted: VecDeque::new() }
    }

    /// The next piece. Where the length is asked for, the first one comes when the last one is known: only
    /// then is it known how long each pause is.
    async fn next(&mut self) -> Result<Option<Piece>, StageError> {
        if let Some(target) = self.target.take() {
            let mut pieces = Vec::new();
            while let Some(piece) = self.come().await? {
                pieces.push(piece);
            }
            self.fitted = sound::fit(pieces, target).map_err(|fault| misfit(fault, target))?.into();
        }
        match self.fitted.pop_front() {
            Some(piece) => Ok(Some(piece)),
            None => self.come().await,
        }
    }

    async fn come(&mut self) -> Result<Option<Piece>, StageError> {
        self.pieces.next().await.map_err(|Cut| StageError::halted(STAGE))
    }
}

/// Another try would fit as badly: words and voice are as they are.
fn misfit(fault: Misfit, target: usize) -> StageError {
    let wanted = target / sound::RATE as usize;
    let message = format!(
        "the file shall last {wanted} s, and {fault}; ask for another `options.duration`, `voice` or \
         `variant`"
    );
    StageError::new(STAGE, FailureClass::Permanent, "duration-out-of-reach", message)
}

async fn render(heavy: &Heavy<'_>, mut picture: Reader<Image>) -> Result<Clip, StageError> {
    let attempt = heavy.attempt;
    let image = picture.next().await.ok().flatten().ok_or_else(|| StageError::halted(STAGE))?;
    let still = attempt.run.providers.encoder.still(&image, &attempt.run.scratch);
    heavy.work("still", still).await
}

/// The CPU-heavy steps of one try: each holds a slot, together they have the stage's time-out.
/// An encoder that waits for speech holds no slot and spends no time.
struct Heavy<'attempt> {
    attempt: &'attempt Attempt<'attempt>,
    limit: Duration,
    spent: Mutex<Duration>,
}

impl<'attempt> Heavy<'attempt> {
    fn new(attempt: &'attempt Attempt<'attempt>, limit: Duration) -> Self {
        Self { attempt, limit, spent: Mutex::default() }
    }

    async fn work<T>(
        &self,
        operation: &'static str,
        step: impl Future<Output = Result<Answer<T>, ProviderError>>,
    ) -> Result<T, StageError> {
        let left = self.limit.saturating_sub(self.spend(Duration::ZERO));
        let timed = async {
            let began = Instant::now();
            let done = step.await;
            self.spend(began.elapsed());
            done
        };
        let provider = self.attempt.run.providers.encoder.provider();
        let call = Call { stage: STAGE, provider, model: None, operation };
        let observed = (operation != FEED).then_some((call, 1));
        self.attempt.work(STAGE, observed, left, timed).await
    }

    /// Books time; returns all that is spent.
    fn spend(&self, time: Duration) -> Duration {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        *spent += time;
        *spent
    }
}
