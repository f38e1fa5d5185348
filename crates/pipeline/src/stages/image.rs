//! Source text → picture, from the very start: it never waits for the words. Nothing for audio.

use bytes::Bytes;
use stillcast_enqueue::{Format, Options, StageName};

use crate::attempt::Attempt;
use crate::cache_key::{CacheKey, CheckpointKind, digest_of};
use crate::feed::Feed;
use crate::reuse::{OnConflict, Reusable, WhileWaiting, recall_or_make};
use crate::{
    Answer, Call, FailureClass, Image, ImageGenerator, ProviderError, Providers, Scene, SourceText,
    StageError,
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

/// All that decides the picture, besides the source.
pub(crate) fn settings(options: &Options, providers: &Providers) -> String {
    settings_of(&scene(options, ""), providers.painter.as_ref())
}

fn scene(options: &Options, source: &str) -> Scene {
    let Options { voice: _, language: _, variant } = options;
    Scene { text: source.to_owned(), variant: *variant }
}

fn settings_of(scene: &Scene, painter: &dyn ImageGenerator) -> String {
    let Scene { text: _, variant } = scene;
    digest_of(&[REVISION, painter.provider(), &painter.revision(), &variant.to_string()])
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
        let draw = || draw_once(painter, &self.scene);
        let price = painter.estimate();
        let (provider, model) = (painter.provider(), painter.model());
        let call = Call { stage: STAGE, provider, model, operation: "draw" };
        let called = self.attempt.call_priced(call, &price, draw);
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
