//! Source text → picture, from the very start: it never waits for the words. Nothing for audio.

use stillcast_enqueue::{Format, StageName};

use crate::feed::Feed;
use crate::run::{Attempt, Halted};
use crate::{Answer, Failure, Image, ImageGenerator, ProviderError, Scene, SourceText};

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
            .again(Failure::Permanent)
            .wasting(answer.usage.clone())
    };
    inspected
        .map_err(|panic| broken("image-broken", panic.to_string()))?
        .map_err(|fault| broken(fault.code(), fault.to_string()))?;
    Ok(answer)
}
