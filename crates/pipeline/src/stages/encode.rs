//! Sound and picture → file: one encoder that is already running while the voice still speaks, and one
//! copy that puts sound, picture, captions and chapters together.

mod arranged;
mod live;
mod tracks;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stillcast_enqueue::{Format, Options, StageName};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use self::arranged::Arranged;
use self::live::Listeners;
use self::tracks::{Tracks, channels};
use crate::artifact::Piece;
use crate::attempt::Attempt;
use crate::cache_key::digest_of;
use crate::captions::Listener;
use crate::feed::Reader;
use crate::sound::Loudness;
use crate::spool::Spooled;
use crate::{
    Answer, Call, Captions, Clip, Image, Media, ProviderError, Providers, Run, Shape, StageError,
};

const STAGE: StageName = StageName::Encode;
/// Changes with whatever this file and `captions` put into the file or beside it.
const REVISION: &str = "encode-3";
/// Changes with whatever is heard of a bed.
const BED_REVISION: &str = "bed-1";
/// A step of which nobody hears: there is one for each piece of sound.
const FEED: &str = "feed";

/// All that decides the file, besides the sound and the picture in it.
pub(crate) fn settings(
    options: &Options,
    format: Format,
    loudness: Loudness,
    providers: &Providers,
) -> String {
    // Voice, language, lexicon and variant decide what is in the file, not how it is made.
    // But a bed takes another course for each variant.
    let Options {
        voice: _,
        language: _,
        variant,
        duration,
        bed,
        bed_level,
        bells,
        tail,
        stems,
        container: _,
        aspect,
        motion,
        lexicon: _,
        live: _,
    } = options;
    let encoder = &providers.encoder;
    let (provider, revision) = (encoder.provider(), encoder.revision());
    let duration = duration.map(|seconds| format!("duration {seconds}"));
    let backing = (channels(options) > 1)
        .then(|| format!("{BED_REVISION} {bed} {bed_level:?} {bells} {tail} {stems} {variant}"));
    let container = options.container(format).as_str();
    let seen = (format == Format::Video).then(|| format!("{aspect} {motion}"));
    let parts = [REVISION, provider, &revision, container, loudness.as_str()].into_iter();
    let parts = parts.chain(duration.as_deref()).chain(backing.as_deref()).chain(seen.as_deref());
    digest_of(&parts.collect::<Vec<_>>())
}

/// Fails where the file that is asked for is none that the encoder makes.
pub(crate) fn check(attempt: &Attempt<'_>) -> Result<(), StageError> {
    let Run { request, providers, .. } = attempt.run;
    let container = request.options.container(request.format);
    providers.encoder.takes(container).map_err(|error| error.at(STAGE))
}

pub(crate) async fn encode(
    attempt: &Attempt<'_>,
    sound: Reader<Piece<Spooled>>,
    picture: Reader<Image>,
) -> Result<Media, StageError> {
    // A clip, once rendered, serves the second try too.
    let clip = OnceCell::new();
    let action = || encode_once(attempt, sound.again(), picture.again(), &clip);
    attempt.stage(STAGE, Box::pin(attempt.retry(STAGE, action))).await
}

async fn encode_once(
    attempt: &Attempt<'_>,
    sound: Reader<Piece<Spooled>>,
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
    let (compressed, clip) = tokio::join!(Box::pin(compress(&heavy, sound)), render);
    let ((sound, captions), clip) = (compressed?, clip?);
    let encoder = attempt.run.providers.encoder.as_ref();
    let scratch = &attempt.run.scratch;
    let shape = Shape::of(format, &attempt.run.request.options);
    heavy.work("mux", encoder.mux(&sound, clip, &captions, shape, scratch)).await
}

/// Feeds the encoder as the sound comes, and listens to what is said when.
async fn compress(
    heavy: &Heavy<'_>,
    pieces: Reader<Piece<Spooled>>,
) -> Result<(Media, Captions), StageError> {
    let run = heavy.attempt.run;
    let mut pieces = Arranged::of(&run.request.options, pieces);
    let begin = async {
        heavy.attempt.ledger.tried(STAGE, run.providers.encoder.provider());
        Tracks::begin(run).await.map(Answer::free)
    };
    let mut tracks = heavy.work("begin", begin).await?;
    let language = run.request.options.language.as_ref();
    let mut listener = Listener::new(language.map(ToString::to_string));
    let listeners = Listeners::of(heavy.attempt).await?;
    let fragments = tracks.fragments();
    let feed = async {
        while let Some((piece, turn)) = pieces.next().await? {
            let piece = piece.load().await.map_err(|error| error.at(STAGE))?;
            listener.hear(&piece);
            heavy.work(FEED, tracks.feed(piece, turn)).await?;
        }
        heavy.attempt.announce(STAGE);
        heavy.work("finish", tracks.finish()).await
    };
    let publish = async {
        let Some(listeners) = &listeners else { return Ok(None) };
        listeners.publish(fragments).await.map(Some)
    };
    let (media, ending) = tokio::try_join!(feed, publish)?;
    if let (Some(listeners), Some(ending)) = (listeners, ending) {
        listeners.end(ending).await?;
    }
    Ok((media, listener.finish()))
}

async fn render(heavy: &Heavy<'_>, mut picture: Reader<Image>) -> Result<Clip, StageError> {
    let attempt = heavy.attempt;
    let image = picture.next().await.ok().flatten().ok_or_else(|| StageError::halted(STAGE))?;
    let Run { request, providers, scratch, .. } = attempt.run;
    let still =
        providers.encoder.still(&image, Shape::of(request.format, &request.options), scratch);
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
        let call = Call { stage: STAGE, provider, model: None, operation, bought: None };
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
