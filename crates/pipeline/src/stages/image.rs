//! Source text → picture, from the very start: it never waits for the words. Nothing for audio.

use bytes::Bytes;
use stillcast_enqueue::{Format, Options, StageName};
use tokio::time::Instant;

use crate::attempt::{Attempt, Price};
use crate::cache_key::{CacheKey, CheckpointKind, digest_of};
use crate::feed::Feed;
use crate::reuse::{
    Keeping, OnConflict, Reusable, WhileWaiting, is_shared, keep_as_it_came, recall_as_it_came,
    recall_or_make, while_keeping,
};
use crate::{
    Answer, Bought, Call, FailureClass, Image, ImageGenerator, ProviderError, Providers, Quote,
    Scene, SourceText, StageError, arithmetic,
};

const STAGE: StageName = StageName::Image;
/// Changes with whatever this file does to a picture.
const REVISION: &str = "image-1";

pub(crate) async fn draw(
    attempt: &Attempt<'_>,
    source: &SourceText,
    picture: Feed<Image>,
) -> Result<(), StageError> {
    if attempt.limits.format == Format::Audio {
        return Ok(());
    }
    let drawing = Drawing::new(attempt, source);
    attempt
        .stage(STAGE, async {
            picture.push(recall_or_make(attempt, &drawing).await?);
            picture.finish();
            Ok(())
        })
        .await
}

/// What the picture costs, where nobody has drawn it.
pub(crate) async fn quote(attempt: &Attempt<'_>, source: &SourceText, quote: &mut Quote) {
    let drawing = Drawing::new(attempt, source);
    if attempt.limits.format == Format::Video && !is_shared(attempt.run, &drawing.key).await {
        quote.add(&*drawing.key.shared, drawing.painter.estimate().usd());
    }
}

/// All that decides the picture, besides the source.
pub(crate) fn settings(options: &Options, providers: &Providers) -> String {
    settings_of(&scene(options, ""), providers.painter.as_ref())
}

fn scene(options: &Options, source: &str) -> Scene {
    let Options {
        voice: _,
        language: _,
        variant,
        duration: _,
        bed: _,
        bed_level: _,
        bells: _,
        tail: _,
        stems: _,
        container: _,
        aspect,
        motion: _,
        lexicon: _,
        live: _,
    } = options;
    Scene { text: source.to_owned(), variant: *variant, aspect: *aspect }
}

fn settings_of(scene: &Scene, painter: &dyn ImageGenerator) -> String {
    let Scene { text: _, variant, aspect } = scene;
    let (revision, variant) = (painter.revision(), variant.to_string());
    let parts = [REVISION, painter.provider(), &revision, &variant].into_iter();
    // Those who ask for nothing find what was drawn when nothing could be asked for.
    let aspect = (!aspect.is_default()).then_some(aspect.as_str());
    digest_of(&parts.chain(aspect).collect::<Vec<_>>())
}

/// A picture that one job of the fleet draws.
struct Drawing<'run> {
    attempt: &'run Attempt<'run>,
    painter: &'run dyn ImageGenerator,
    scene: Scene,
    key: CacheKey,
}

impl<'run> Drawing<'run> {
    fn new(attempt: &'run Attempt<'run>, source: &SourceText) -> Self {
        let request = &attempt.run.request;
        let painter = attempt.run.providers.painter.as_ref();
        let scene = scene(&request.options, &source.text);
        let digest = digest_of(&[&settings_of(&scene, painter), &source.text]);
        let name = (request.tenant.as_str(), "image");
        let key = CacheKey::new(STAGE, CheckpointKind::Object, name, &digest);
        Self { attempt, painter, scene, key }
    }
}

impl Reusable for Drawing<'_> {
    type Value = Image;
    const ON_CONFLICT: OnConflict = OnConflict::TakeStored;
    const WHILE_WAITING: WhileWaiting = WhileWaiting::OthersGoOn;

    fn key(&self) -> &CacheKey {
        &self.key
    }

    async fn accept(&self, bytes: Bytes) -> Result<Option<Image>, StageError> {
        let image = Image { bytes };
        Ok(image.kind().is_some().then_some(image))
    }

    async fn make(&self) -> Result<(Image, Bytes), StageError> {
        let painter = self.painter;
        let price = painter.estimate();
        if let Some(image) = self.look_again(price.usd()).await? {
            return Ok((image.clone(), image.bytes));
        }
        let bought = Some(Bought { tokens: 0, usd: price.usd() });
        let price = Price::of(price);
        let draw = || self.draw_once(&price);
        let (provider, model) = (painter.provider(), painter.model());
        let call = Call { stage: STAGE, provider, model, operation: "draw", bought };
        let called = self.attempt.call_priced(call, &price, draw);
        let (image, keeping) = called.await?;
        if let Some(keeping) = keeping {
            keeping.await;
        }
        Ok((image.clone(), image.bytes))
    }
}

impl Drawing<'_> {
    /// What an earlier attempt has bought and kept as it came, unless it does not decode.
    async fn look_again(&self, usd: f64) -> Result<Option<Image>, StageError> {
        for number in 0.. {
            let kept = recall_as_it_came(self.attempt, &self.key, number).await?;
            let Some(kept) = kept else { break };
            let Some(bytes) = kept else { continue };
            if let Ok(answer) = inspect(self.painter, Answer::free(Image { bytes })).await {
                self.attempt.recalled(STAGE, 0.0);
                self.attempt.ledger.paid_before(STAGE, usd);
                return Ok(Some(answer.value));
            }
        }
        Ok(None)
    }

    /// Keeps what comes as it comes, and meanwhile looks at it.
    async fn draw_once<'draw>(
        &'draw self,
        price: &'draw Price,
    ) -> Result<Answer<(Image, Option<Keeping<'draw>>)>, ProviderError> {
        let answer = self.painter.draw(&self.scene).await?;
        let (bytes, bought) = (answer.value.bytes.clone(), (price, Instant::now()));
        let keeping = Box::pin(keep_as_it_came(self.attempt, &self.key, bytes, bought));
        let (Answer { value, usage }, keeping) =
            while_keeping(keeping, inspect(self.painter, answer)).await?;
        Ok(Answer { value: (value, keeping), usage })
    }
}

/// A picture that does not decode whole counts as a failed try; a second one is no accident.
async fn inspect(
    painter: &dyn ImageGenerator,
    answer: Answer<Image>,
) -> Result<Answer<Image>, ProviderError> {
    let image = answer.value.clone();
    let inspected = arithmetic(move || image.inspect()).await;
    let broken = |code, message: String| {
        ProviderError::transient(painter.provider(), code, message)
            .again(FailureClass::Permanent)
            .wasting(answer.usage.clone())
    };
    inspected
        .map_err(|panic| broken("image-broken", panic.to_string()))?
        .map_err(|fault| broken(fault.code(), fault.to_string()))?;
    Ok(answer)
}
