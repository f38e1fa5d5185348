//! Source text → picture, from the very start: it never waits for the words. Nothing for audio.

use bytes::Bytes;
use stillcast_enqueue::{Format, StageName};

use crate::cache_key::CacheKey;
use crate::feed::Feed;
use crate::reuse::Reusable;
use crate::run::{Attempt, Halted};
use crate::{
    Answer, FailureClass, Image, ImageGenerator, ProviderError, Scene, SourceText, StageError,
};

const STAGE: StageName = StageName::Image;
/// Changes with whatever this file does to a picture.
pub(crate) const REVISION: &str = "image-1";

pub(crate) async fn draw(
    attempt: &Attempt<'_>,
    source: &SourceText,
    picture: Feed<Image>,
) -> Result<(), Halted> {
    if attempt.run.request.format == Format::Audio {
        return Ok(());
    }
    let scene = Scene { text: source.text.clone(), variant: attempt.run.request.options.variant };
    let drawing = Drawing { attempt, scene, item: attempt.recipe().image(source) };
    attempt
        .stage(STAGE, async {
            picture.push(attempt.reuse(&drawing).await?);
            picture.finish();
            Ok(())
        })
        .await
}

/// A picture that one job of the fleet draws.
struct Drawing<'run> {
    attempt: &'run Attempt<'run>,
    scene: Scene,
    item: CacheKey,
}

impl Reusable for Drawing<'_> {
    type Value = Image;
    const ADOPTS: bool = true;
    const ALONE: bool = false;

    fn item(&self) -> &CacheKey {
        &self.item
    }

    async fn accept(&self, bytes: Bytes) -> Result<Option<Image>, StageError> {
        let image = Image { bytes };
        Ok(image.kind().is_some().then_some(image))
    }

    async fn pay(&self) -> Result<(Image, Bytes), StageError> {
        let painter = self.attempt.run.providers.painter.as_ref();
        let draw = || draw_once(painter, &self.scene);
        let price = painter.estimate();
        let called = self.attempt.call_priced(STAGE, painter.provider(), &price, draw);
        let image = called.await?;
        Ok((image.clone(), image.bytes))
    }
}

/// A picture that does not decode whole counts as a failed try; a second one is no accident.
async fn draw_once(
    painter: &dyn ImageGenerator,
    scene: &Scene,
) -> Result<Answer<Image>, ProviderError> {
    let answer = painter.draw(scene).await?;
    let image = answer.value.clone();
    let inspected = tokio::task::spawn_blocking(move || image.inspect()).await;
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
