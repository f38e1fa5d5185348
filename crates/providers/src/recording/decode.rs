//! Packed sound goes in; FFmpeg makes samples at [`sound::RATE`] of it.

use std::path::Path;
use std::time::Duration;

use child::{ChildError, Stream};
use pipeline::{Answer, ProviderError, Speech, sound};
use tokio::io::AsyncWriteExt;

use super::container::Container;
use super::fault::Fault;
use super::listener::Listener;
use crate::ffmpeg::{Ffmpeg, usage};
use crate::pcm;

/// CPU time that no passage comes near.
const CPU: Duration = Duration::from_secs(20);
/// What FFmpeg says of a part that it was built without.
const LACKS: [&str; 3] = ["Unknown input format", "Unknown decoder", "not found for input stream"];

/// Has FFmpeg read `body` as `container` and as nothing else. It lies in a file meanwhile: what
/// stands at the end of one may say how its beginning is to be read.
pub(super) async fn decode(
    listener: &Listener,
    container: Container,
    body: &[u8],
    scratch: &Path,
) -> Result<Answer<Speech>, ProviderError> {
    let ffmpeg = &listener.ffmpeg;
    let path = scratch.join(format!("{:016x}.packed", fastrand::u64(..)));
    let unwritable = |error| ffmpeg.unwritable(error);
    tokio::fs::write(&path, body).await.map_err(unwritable)?;
    let decoded = ffmpeg
        .command(scratch, CPU)
        // Real servers' files have odd ends; whether all of it came is judged by its length.
        .args(["-noxerror", "-protocol_whitelist", "file,pipe", "-f", container.demuxer(), "-i"])
        .arg(&path)
        .args(["-map", "0:a:0", "-ar", &sound::RATE.to_string(), "-ac", "1"])
        .args(["-f", "s16le", "pipe:1"])
        .output(pcm::MAX_BYTES)
        .await;
    // It goes with the attempt's folder in any case.
    let _ = tokio::fs::remove_file(&path).await;
    let (samples, finished) = decoded.map_err(|error| undecoded(listener, error))?;
    Ok(Answer { value: pcm::speech(&samples), usage: usage(&finished) })
}

/// What FFmpeg says of a stranger's file is not repeated.
fn undecoded(listener: &Listener, error: ChildError) -> ProviderError {
    match &error {
        ChildError::Status { stderr, .. } if LACKS.iter().any(|lacks| stderr.contains(lacks)) => {
            listener.error(Fault::Format("FFmpeg (FFMPEG_PATH) lacks the decoder of this speech"))
        }
        ChildError::Status { .. } | ChildError::TooMuchOutput { .. } => listener.error(Fault::Cut),
        _ => listener.ffmpeg.failed(error),
    }
}

/// `samples` at [`sound::RATE`] instead of at `rate`.
pub(super) async fn resample(
    ffmpeg: &Ffmpeg,
    samples: &[i16],
    rate: u32,
    scratch: &Path,
) -> Result<Answer<Speech>, ProviderError> {
    let mut running = ffmpeg
        .command(scratch, CPU)
        .args(["-f", "s16le", "-ar", &rate.to_string(), "-ac", "1", "-i", "pipe:0"])
        .args(["-ar", &sound::RATE.to_string(), "-ac", "1", "-f", "s16le", "pipe:1"])
        .stdin(Stream::Piped)
        .stdout(Stream::Piped)
        .spawn()
        .await
        .map_err(|error| ffmpeg.failed(error))?;
    let stdin = running.stdin.take();
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A broken pipe only says that FFmpeg has gone; why is in its account.
            let _ = stdin.write_all(&data).await;
        }
    };
    let (resampled, ()) = tokio::join!(running.output(pcm::MAX_BYTES), feed);
    let (bytes, finished) = resampled.map_err(|error| ffmpeg.failed(error))?;
    Ok(Answer { value: pcm::speech(&bytes), usage: usage(&finished) })
}
