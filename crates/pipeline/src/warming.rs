//! A request goes in; its words, its speech and its picture lie where the jobs of all tenants find them. No
//! file is made of them: what decides only how one is encoded is of no account here.

use stillcast_enqueue::{Cost, Source, StageRecord};
use tokio::join;

use crate::attempt::Attempt;
use crate::feed::feed;
use crate::stages::{collection, image, transcript, tts};
use crate::{Failed, Quote, Run, SourceText, StageError};

/// What warming one request has done.
#[derive(Clone, Debug, PartialEq)]
pub struct Warmed {
    /// The account of each stage, in travel order.
    pub stages: Vec<StageRecord>,
    /// What it has cost.
    pub cost: Cost,
}

/// What of a request nobody has in the cache for all tenants, and what it costs there. Buys nothing, and asks the
/// cache and the store only. Of words that nobody has written yet the price is that of the most there may be. The
/// run's tenant is [`crate::EVERYBODY`].
pub async fn quote(run: &Run) -> Quote {
    let attempt = Attempt::begin(run);
    let mut quote = Quote::default();
    let Source::Text(text) = &run.request.source else { return quote };
    let Some(source) = SourceText::cap(text) else { return quote };
    image::quote(&attempt, &source, &mut quote).await;
    let words = transcript::quote(&attempt, &source, &mut quote).await;
    tts::quote(&attempt, words, &mut quote).await;
    quote
}

/// Has words written, spoken and painted where nobody has yet. The run's tenant is [`crate::EVERYBODY`], and its
/// memory is that of [`crate::Memory::of_warming`].
pub async fn warm(run: &Run) -> Result<Warmed, Failed> {
    let attempt = Attempt::begin(run);
    match run.cancel.run_until_cancelled(Box::pin(fill(&attempt))).await {
        Some(Ok(())) => {
            let (stages, cost) = (attempt.ledger.records(), attempt.ledger.cost());
            Ok(Warmed { stages, cost })
        }
        Some(Err(error)) => Err(attempt.failed(error)),
        None => Err(attempt.cancelled()),
    }
}

async fn fill(attempt: &Attempt<'_>) -> Result<(), StageError> {
    let source = collection::collect(attempt).await?;
    let (passages, to_speak) = feed();
    let (words, written) = feed();
    let (sound, _heard) = feed();
    let (picture, _seen) = feed();
    let (drawn, transcribed, spoken) = join!(
        image::draw(attempt, &source, picture),
        transcript::write(attempt, &source, passages, words),
        tts::speak(attempt, to_speak, written, sound),
    );
    drawn.and(transcribed).and(spoken)
}
