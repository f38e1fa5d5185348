//! Sound and picture → file: one encoder that is already running while the voice still speaks.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use stillcast_enqueue::{Format, Options, StageName};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::attempt::Attempt;
use crate::cache_key::digest_of;
use crate::feed::{Cut, Reader};
use crate::{Answer, Call, Clip, Image, Media, ProviderError, Providers, StageError};

const STAGE: StageName = StageName::Encode;
/// A step of which nobody hears: there is one for each piece of sound.
const FEED: &str = "feed";

/// All that decides the file, besides the sound and the picture in it.
pub(crate) fn settings(options: &Options, format: Format, providers: &Providers) -> String {
    // They decide what is in the file, not how it is made.
    let Options { voice: _, language: _, variant: _ } = options;
    let encoder = &providers.encoder;
    digest_of(&[encoder.provider(), &encoder.revision(), format.as_str()])
}

pub(crate) async fn encode(
    attempt: &Attempt<'_>,
    sound: Reader<Bytes>,
    picture: Reader<Image>,
) -> Result<Media, StageError> {
    // A clip, once rendered, serves the second try too.
    let clip = OnceCell::new();
    let action = || encode_once(attempt, sound.again(), picture.again(), &clip);
    attempt.stage(STAGE, attempt.retry(STAGE, action)).await
}

async fn encode_once(
    attempt: &Attempt<'_>,
    sound: Reader<Bytes>,
    picture: Reader<Image>,
    clip: &OnceCell<Clip>,
) -> Result<Media, StageError> {
    let format = attempt.limits.format;
    let heavy = Heavy::new(attempt, attempt.limits.policies.timeout(STAGE, format));
    if format == Format::Audio {
        return compress(&heavy, sound).await;
    }
    let render = clip.get_or_try_init(|| render(&heavy, picture));
    let (sound, clip) = tokio::join!(compress(&heavy, sound), render);
    let (sound, clip) = (sound?, clip?);
    let encoder = attempt.run.providers.encoder.as_ref();
    heavy.work("mux", encoder.mux(&sound, clip, &attempt.run.scratch)).await
}

/// Feeds the encoder as the sound comes.
async fn compress(heavy: &Heavy<'_>, mut sound: Reader<Bytes>) -> Result<Media, StageError> {
    let run = heavy.attempt.run;
    let encoder = run.providers.encoder.as_ref();
    let begin = async {
        heavy.attempt.ledger.tried(STAGE, encoder.provider());
        encoder.begin(run.request.format, &run.scratch).await.map(Answer::free)
    };
    let mut encoding = heavy.work("begin", begin).await?;
    while let Some(pcm) = sound.next().await.map_err(|Cut| StageError::halted(STAGE))? {
        heavy.work(FEED, async { encoding.write(pcm).await.map(Answer::free) }).await?;
    }
    heavy.attempt.announce(STAGE);
    heavy.work("finish", encoding.finish()).await
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
