//! Source text → picture, from the very start: it never waits for the words. Nothing for audio.

use stillcast_enqueue::{Format, StageName};

use crate::feed::Feed;
use crate::run::{Attempt, Halted};
use crate::{Answer, Image, ImageGenerator, ProviderError, Scene, SourceText};

/// Smaller pictures would be visibly enlarged.
const MIN_WIDTH: u32 = 512;

pub(crate) async fn draw(
    attempt: &Attempt<'_>,
    source: &SourceText,
    picture: Feed<Image>,
) -> Result<(), Halted> {
    if attempt.run.request.format == Format::Audio {
        return Ok(());
    }
    let stage = StageName::Image;
    let painter = attempt.run.providers.painter.as_ref();
    let scene = Scene { text: source.text.clone(), variant: attempt.run.request.options.variant };
    attempt
        .stage(stage, async {
            let image =
                attempt.call(stage, painter.provider(), || draw_once(painter, &scene)).await?;
            picture.push(image);
            picture.finish();
            Ok(())
        })
        .await
}

async fn draw_once(
    painter: &dyn ImageGenerator,
    scene: &Scene,
) -> Result<Answer<Image>, ProviderError> {
    let answer = painter.draw(scene).await?;
    if let Some((MIN_WIDTH.., _)) = answer.value.size() {
        return Ok(answer);
    }
    let message = format!("the picture is not a PNG of at least {MIN_WIDTH} pixels");
    Err(ProviderError::transient(painter.provider(), "image-broken", message))
}
