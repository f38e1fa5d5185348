//! Pieces go in; they are encoded as one track, or over a bed and, where it was asked for, voice and bed
//! apart.

use std::ops::Range;

use bytes::Bytes;
use stillcast_enqueue::{Container, Options};
use tokio::sync::mpsc::Receiver;

use crate::artifact::{Beside, Extra, Piece};
use crate::sound::{self, Backing, Loudness, Mixed, Mixer, Turn};
use crate::{
    Answer, Encoding, Fragment, GivenUp, Media, ProviderError, Run, Shape, SoundTrack, arithmetic,
};

/// How loud a bed is where nobody says, in dB beside the voice.
const LEVEL: i8 = -14;
/// Samples that are mixed at once: a tail of half an hour would fill the memory.
const CHUNK: usize = 20 * sound::RATE as usize;

/// The encoders of one file.
pub(super) struct Tracks {
    whole: Box<dyn Encoding>,
    stems: Vec<(Extra, Box<dyn Encoding>)>,
    /// `None` where the voice is alone.
    mixer: Option<Mixer>,
    loudness: Loudness,
}

/// Channels of a file with these options.
pub(super) fn channels(options: &Options) -> u16 {
    if backing(options, Loudness::default()).is_some() { 2 } else { 1 }
}

fn backing(options: &Options, loudness: Loudness) -> Option<Backing> {
    let Options { bed, bed_level, bells, variant, .. } = options;
    let level = f32::from(bed_level.unwrap_or(LEVEL));
    let (voice, seed) = (loudness.of(2), u64::from(*variant));
    let is_there = !bed.is_none() || *bells;
    is_there.then_some(Backing { bed: *bed, level, bells: *bells, seed, voice })
}

impl Tracks {
    pub(super) async fn begin(run: &Run) -> Result<Self, ProviderError> {
        let (options, encoder) = (&run.request.options, run.providers.encoder.as_ref());
        let channels = channels(options);
        let track = |name, shape, live| SoundTrack { name, channels, shape, live };
        let scratch = &run.scratch;
        let whole = track("sound", Shape::of(run.request.format, options), options.live);
        let whole = encoder.begin(whole, scratch).await?;
        let mut stems = Vec::new();
        if options.stems {
            for extra in [Extra::Voice, Extra::Bed] {
                let track = track(extra.stem(), Shape::sound(Container::M4a), false);
                stems.push((extra, encoder.begin(track, scratch).await?));
            }
        }
        let mixer = backing(options, run.loudness).map(Mixer::new);
        Ok(Self { whole, stems, mixer, loudness: run.loudness })
    }

    /// What the whole gives out while it is encoded.
    pub(super) fn fragments(&mut self) -> Option<Receiver<Fragment>> {
        self.whole.fragments()
    }

    /// Gives the encoders one piece, as loud as the file shall be.
    pub(super) async fn feed(
        &mut self,
        piece: Piece<Bytes>,
        turn: Turn,
    ) -> Result<Answer<()>, ProviderError> {
        let channels = if self.mixer.is_some() { 2 } else { 1 };
        let (loudness, samples) = (self.loudness, piece.samples());
        let speech = match piece {
            Piece::Pause(_) => None,
            Piece::Speech { text: _, pcm } => {
                Some(off_the_runtime(move || loudness.apply(&pcm, channels)).await?)
            }
        };
        for from in (0..samples).step_by(CHUNK) {
            let place = from..samples.min(from + CHUNK);
            let silence = || Bytes::from(vec![0; 2 * place.len()]);
            let voice = |pcm: &Bytes| pcm.slice(2 * place.start..2 * place.end);
            let pcm = speech.as_ref().map_or_else(silence, voice);
            self.write(pcm, turn, place, samples).await?;
        }
        Ok(Answer::free(()))
    }

    async fn write(
        &mut self,
        voice: Bytes,
        turn: Turn,
        place: Range<usize>,
        samples: usize,
    ) -> Result<(), ProviderError> {
        let Some(mut mixer) = self.mixer.take() else { return self.whole.write(voice).await };
        let mixed = off_the_runtime(move || {
            let mixed = mixer.mix(&voice, turn, place.start, samples);
            (mixer, mixed)
        });
        let (mixer, Mixed { mix, voice, bed }) = mixed.await?;
        self.mixer = Some(mixer);
        self.whole.write(mix).await?;
        for ((_, stem), pcm) in self.stems.iter_mut().zip([voice, bed]) {
            stem.write(pcm).await?;
        }
        Ok(())
    }

    /// The whole, with whatever was asked for apart beside it.
    pub(super) async fn finish(self) -> Result<Answer<Media>, ProviderError> {
        let Answer { value: mut media, mut usage } = self.whole.finish().await?;
        for (extra, stem) in self.stems {
            let Answer { value: Media { path, .. }, usage: more } = stem.finish().await?;
            usage.merge(&more);
            media.extras.push(Beside { extra, path });
        }
        Ok(Answer { value: media, usage })
    }
}

async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ProviderError> {
    let panicked =
        |panic: GivenUp| ProviderError::transient("sound", "sound-panicked", panic.to_string());
    arithmetic(work).await.map_err(panicked)
}
