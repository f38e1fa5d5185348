//! A picture's bytes go in, of whatever kind; PNG or JPEG comes out, the right way up.
//!
//! What the house decodes itself passes as it is. Other kinds, pictures for print (CMYK) and pictures
//! that say how they are to be turned are made into PNG by FFmpeg, which reads them as what they are
//! and as nothing else. Sizes are looked at before anything is decoded.

#[cfg(test)]
mod fuzz;
mod header;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;
use child::{ChildError, Stream};
use pipeline::{Answer, FailureClass, Image, ImageFault, ProviderError};
use tokio::io::AsyncWriteExt;

pub(crate) use header::Header;
use header::Kind;

use crate::ffmpeg::{Ffmpeg, usage};

/// CPU time that no picture of an allowed size comes near.
const CPU: Duration = Duration::from_secs(20);
/// A picture of the largest size as PNG.
const MAX_BYTES: usize = 64 << 20;
/// What FFmpeg says of a part that it was built without.
const LACKS: [&str; 4] =
    ["Unknown input format", "Unknown decoder", "not found for input stream", "Decoder not found"];

/// Makes pictures fit for the house.
#[derive(Clone, Debug)]
pub(crate) struct Developer {
    pub(crate) ffmpeg: Ffmpeg,
}

impl Developer {
    /// The picture in `bytes`; what is none at all passes, and is found by who decodes it.
    pub(crate) async fn develop(&self, bytes: Bytes) -> Result<Answer<Image>, ProviderError> {
        let Some(header) = Header::read(&bytes) else { return Ok(Answer::free(Image { bytes })) };
        if let Some((width, height)) = header.size {
            Image::check_sides(width, height).map_err(|fault| self.spoilt(fault))?;
        }
        if header.is_plain() {
            return Ok(Answer::free(Image { bytes }));
        }
        if header.is_cut {
            return Err(self.spoilt(ImageFault::Broken));
        }
        self.convert(&header, bytes).await
    }

    async fn convert(&self, header: &Header, bytes: Bytes) -> Result<Answer<Image>, ProviderError> {
        let Some(demuxer) = header.kind.demuxer() else { return Err(self.unreadable(header)) };
        let length = bytes.len().to_string();
        // The decoder of TIFF explodes at tags that it does not know.
        let strictness = if header.kind == Kind::Tiff { "crccheck" } else { "explode" };
        let whole: &[&str] = if demuxer == "mov" { &[] } else { &["-frame_size", &length] };
        let mut running = self
            .ffmpeg
            .command(&std::env::temp_dir(), CPU)
            .args(["-err_detect", strictness, "-protocol_whitelist", "pipe", "-noautorotate"])
            .args(["-threads", "1", "-max_pixels", "40000000"])
            .args(whole)
            .args(["-f", demuxer, "-i", "pipe:0", "-frames:v", "1", "-vf", header.turn()])
            .args(["-c:v", "png", "-f", "image2pipe", "pipe:1"])
            .stdin(Stream::Piped)
            .stdout(Stream::Piped)
            .spawn()
            .await
            .map_err(|error| self.ffmpeg.failed(error))?;
        let stdin = running.stdin.take();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A broken pipe only says that FFmpeg has read enough, or has gone.
                let _ = stdin.write_all(&bytes).await;
            }
        };
        let (converted, ()) = tokio::join!(running.output(MAX_BYTES), feed);
        let (bytes, finished) = converted.map_err(|error| self.failed(header, error))?;
        if bytes.is_empty() {
            return Err(self.unreadable(header));
        }
        Ok(Answer { value: Image { bytes: bytes.into() }, usage: usage(&finished) })
    }

    /// What FFmpeg says of a stranger's file is not repeated.
    fn failed(&self, header: &Header, error: ChildError) -> ProviderError {
        match &error {
            ChildError::Status { stderr, .. } if LACKS.iter().any(|word| stderr.contains(word)) => {
                self.unreadable(header)
            }
            ChildError::Status { .. } => self.spoilt(ImageFault::Broken),
            ChildError::TooMuchOutput { .. } => self.spoilt(ImageFault::TooLarge),
            _ => self.ffmpeg.failed(error),
        }
    }

    /// Each picture of this set-up will be of the same kind.
    fn unreadable(&self, header: &Header) -> ProviderError {
        let message = format!(
            "the server sends {} pictures, which cannot be read here; set IMAGE_MODEL or \
             IMAGE_BASE_URL to one that sends PNG or JPEG, or FFMPEG_PATH to an FFmpeg that \
             decodes the format",
            header.kind.name()
        );
        ProviderError::misconfigured(self.ffmpeg.provider, "picture-format", message)
    }

    /// An accident once, the input's fault twice.
    fn spoilt(&self, fault: ImageFault) -> ProviderError {
        ProviderError::transient(self.ffmpeg.provider, fault.code(), fault.to_string())
            .again(FailureClass::Permanent)
    }
}
