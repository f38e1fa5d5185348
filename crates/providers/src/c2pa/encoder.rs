//! An encoder goes in; one comes out whose files are signed, and what is delivered beside them as well.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::c2pa::Context;
use async_trait::async_trait;
use pipeline::{
    Answer, Beside, Captions, Clip, Encoding, Extra, FailureClass, Image, Media, MediaEncoder,
    ProviderError, Shape, SoundTrack,
};
use stillcast_enqueue::Container;

use super::signer::context;
use super::{Signer, SigningFault};

/// Who has failed, in records.
const PROVIDER: &str = "c2pa";
/// Changes with whatever changes the manifest.
const REVISION: &str = "c2pa-1";

/// Signs what another encoder makes.
pub struct SigningEncoder {
    encoder: Arc<dyn MediaEncoder>,
    signer: Arc<Signer>,
}

impl SigningEncoder {
    /// The files of `encoder`, signed by `signer`.
    pub fn new(encoder: Arc<dyn MediaEncoder>, signer: Signer) -> Self {
        Self { encoder, signer: Arc::new(signer) }
    }

    /// Signs the file and what lies beside it. The unsigned ones stay as they are: a second try needs them.
    async fn sign(&self, media: Media, scratch: &Path) -> Result<Media, ProviderError> {
        let (signer, folder) = (Arc::clone(&self.signer), scratch.to_owned());
        let context = context().map_err(failed)?;
        // Whoever waits no longer ends the work, too.
        let _ends = Cancelled(Arc::clone(&context));
        let signing = tokio::task::spawn_blocking(move || {
            let sign = |path: &Path| sign(&signer, &context, path, &folder);
            let path = sign(&media.path)?;
            let extras = media.extras.into_iter().map(|beside| {
                let path = if holds(beside.extra) { sign(&beside.path)? } else { beside.path };
                Ok(Beside { path, ..beside })
            });
            let extras = extras.collect::<Result<_, SigningFault>>()?;
            Ok(Media { path, extras, ..media })
        });
        let signed = signing.await.unwrap_or(Err(SigningFault::GivenUp));
        signed.map_err(failed)
    }
}

/// Whether a manifest has a place in it.
fn holds(extra: Extra) -> bool {
    match extra {
        Extra::Voice | Extra::Bed | Extra::Poster | Extra::Cover => true,
        Extra::Vtt | Extra::Srt | Extra::Chapters => false,
    }
}

/// Signs the file at `path` into a folder of its own in `scratch`.
fn sign(
    signer: &Signer,
    context: &Arc<Context>,
    path: &Path,
    scratch: &Path,
) -> Result<PathBuf, SigningFault> {
    let folder = scratch.join("signed");
    std::fs::create_dir_all(&folder)?;
    let signed = folder.join(path.file_name().unwrap_or_default());
    signer.sign(context, path, &signed)?;
    Ok(signed)
}

/// Ends the signing under this context when it is dropped.
struct Cancelled(Arc<Context>);

impl Drop for Cancelled {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn failed(fault: SigningFault) -> ProviderError {
    let message = format!("the file is not signed: {fault}");
    let error = match fault {
        SigningFault::NoCertificate | SigningFault::Algorithm => {
            ProviderError::misconfigured(PROVIDER, "certificate-unusable", message)
        }
        SigningFault::Ended { .. } | SigningFault::NotYet { .. } => {
            ProviderError::misconfigured(PROVIDER, "certificate-ended", message)
        }
        SigningFault::Refused(_) | SigningFault::Io(_) | SigningFault::GivenUp => {
            ProviderError::transient(PROVIDER, "file-unsigned", message)
        }
    };
    error.because(fault)
}

#[async_trait]
impl MediaEncoder for SigningEncoder {
    fn provider(&self) -> &'static str {
        self.encoder.provider()
    }

    fn revision(&self) -> String {
        let Self { encoder, signer } = self;
        format!("{} {REVISION} {}", encoder.revision(), signer.digest())
    }

    fn takes(&self, container: Container) -> Result<(), ProviderError> {
        match container {
            // Ogg has no place for a manifest.
            Container::Opus => Err(ProviderError::new(
                PROVIDER,
                FailureClass::Permanent,
                "container-unsigned",
                "every file is signed here, and one as opus holds no manifest; \
                 ask for m4a, mp3, wav or flac",
            )),
            Container::M4a
            | Container::Mp3
            | Container::Mp4
            | Container::Mp4Social
            | Container::Wav
            | Container::Flac => self.encoder.takes(container),
        }
    }

    async fn begin(
        &self,
        track: SoundTrack,
        scratch: &Path,
    ) -> Result<Box<dyn Encoding>, ProviderError> {
        self.encoder.begin(track, scratch).await
    }

    async fn still(
        &self,
        image: &Image,
        shape: Shape,
        scratch: &Path,
    ) -> Result<Answer<Clip>, ProviderError> {
        self.encoder.still(image, shape, scratch).await
    }

    async fn mux(
        &self,
        sound: &Media,
        clip: Option<&Clip>,
        captions: &Captions,
        shape: Shape,
        scratch: &Path,
    ) -> Result<Answer<Media>, ProviderError> {
        let muxed = self.encoder.mux(sound, clip, captions, shape, scratch).await?;
        match self.sign(muxed.value, scratch).await {
            Ok(value) => Ok(Answer { value, usage: muxed.usage }),
            Err(error) => Err(error.wasting(muxed.usage)),
        }
    }
}
