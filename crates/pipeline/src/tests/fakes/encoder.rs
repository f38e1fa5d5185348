//! The encoder of the fakes, and the disk on which sound waits for it.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use stillcast_enqueue::{Container, Format, StageName};

use super::{Fake, Journal};
use crate::{
    Answer, Captions, Clip, Disk, Encoding, Image, Media, MediaEncoder, ProviderError, Shape,
    SoundTrack,
};

#[async_trait]
impl Disk for Journal {
    async fn write(&self, path: &Path, bytes: Bytes) -> Result<(), ProviderError> {
        self.entries().files.insert(path.to_owned(), bytes);
        Ok(())
    }

    async fn read(&self, path: &Path) -> Result<Bytes, ProviderError> {
        Ok(self.entries().files[path].clone())
    }
}

#[async_trait]
impl MediaEncoder for Fake {
    fn provider(&self) -> &'static str {
        "fake"
    }

    fn revision(&self) -> String {
        self.0.revision()
    }

    fn takes(&self, container: Container) -> Result<(), ProviderError> {
        if self.0.entries().refused == Some(container) {
            return Err(ProviderError::permanent("fake", "container-refused", "as scripted"));
        }
        Ok(())
    }

    async fn begin(
        &self,
        _track: SoundTrack,
        _scratch: &Path,
    ) -> Result<Box<dyn Encoding>, ProviderError> {
        let mut entries = self.0.entries();
        entries.open_encoders += 1;
        entries.encoded.clear();
        Ok(Box::new(FakeEncoding(Arc::clone(&self.0))))
    }

    async fn still(
        &self,
        image: &Image,
        _shape: Shape,
        _scratch: &Path,
    ) -> Result<Answer<Clip>, ProviderError> {
        self.0.entries().shown = image.bytes.clone();
        Ok(Answer::free(Clip { path: "/nowhere/clip".into(), extras: Vec::new() }))
    }

    async fn mux(
        &self,
        sound: &Media,
        _clip: Option<&Clip>,
        captions: &Captions,
        _shape: Shape,
        _scratch: &Path,
    ) -> Result<Answer<Media>, ProviderError> {
        self.0.step(StageName::Encode).await?;
        self.0.entries().captions = captions.clone();
        Ok(Answer::free(sound.clone()))
    }
}

struct FakeEncoding(Arc<Journal>);

#[async_trait]
impl Encoding for FakeEncoding {
    async fn write(&mut self, pcm: Bytes) -> Result<(), ProviderError> {
        self.0.entries().encoded.extend_from_slice(&pcm);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Answer<Media>, ProviderError> {
        self.0.step(StageName::Encode).await?;
        let duration_s = crate::sound::seconds(self.0.entries().encoded.len());
        let (path, extras) = ("/nowhere/sound".into(), Vec::new());
        Ok(Answer::free(Media { path, container: Format::Audio.into(), duration_s, extras }))
    }
}

impl Drop for FakeEncoding {
    fn drop(&mut self) {
        self.0.entries().open_encoders -= 1;
    }
}
