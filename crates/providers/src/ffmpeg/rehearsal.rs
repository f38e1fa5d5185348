//! An encoder and a folder go in; whether this FFmpeg can make our files comes out, in less than a
//! second and before anything is bought: a list of encoders says only what was compiled.

use std::path::Path;

use bytes::Bytes;
use pipeline::sound::RATE;
use pipeline::{Captions, Image, MediaEncoder, ProviderError, Shape, SoundTrack};
use stillcast_enqueue::Container;

use super::FfmpegEncoder;

/// Bytes of half a second of sound: the time of one picture.
const SOUND: usize = RATE as usize;
/// A grey PNG of two pixels each way.
const PICTURE: &[u8] =
    b"\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x02\
    \x00\x00\x00\x02\x08\x00\x00\x00\x00\x57\xdd\x52\xf8\x00\x00\x00\x0e\x49\x44\x41\
    \x54\x78\x9c\x63\x70\x68\x60\x68\x70\x00\x00\x04\x86\x01\x81\xe1\x6c\xa4\x18\x00\
    \x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82";

impl FfmpegEncoder {
    /// Makes a video of a grey picture and half a second of silence in `scratch`, with a caption, and the
    /// silence in other containers, by the commands that make a job's.
    pub async fn rehearse(&self, scratch: &Path) -> Result<(), ProviderError> {
        tokio::try_join!(self.rehearse_film(scratch), self.rehearse_sounds(scratch)).map(drop)
    }

    async fn rehearse_film(&self, scratch: &Path) -> Result<(), ProviderError> {
        let shape = Shape { container: Container::Mp4, ..Shape::sound(Container::M4a) };
        // Heard while it is made, too: that needs one part more.
        let track = SoundTrack { name: "sound", channels: 1, shape, live: true };
        let mut encoding = self.begin(track, scratch).await?;
        encoding.write(Bytes::from(vec![0; SOUND])).await?;
        let sound = encoding.finish().await?.value;
        let picture = Image { bytes: Bytes::from_static(PICTURE) };
        let clip = self.still(&picture, shape, scratch).await?.value;
        self.mux(&sound, Some(&clip), &Captions::sample(), shape, scratch).await.map(drop)
    }

    async fn rehearse_sounds(&self, scratch: &Path) -> Result<(), ProviderError> {
        // The others need no part that a build could leave out.
        let rehearsing = [Container::Mp3, Container::Opus].map(async |container| {
            let shape = Shape::sound(container);
            let track = SoundTrack { name: "other", channels: 1, shape, live: false };
            let mut encoding = self.begin(track, scratch).await?;
            encoding.write(Bytes::from(vec![0; SOUND])).await?;
            encoding.finish().await
        });
        futures::future::try_join_all(rehearsing).await.map(drop)
    }
}
