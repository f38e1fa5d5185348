//! A picture goes in; the command that makes a short clip of it comes out.

use std::path::Path;

use child::Spec;
use pipeline::{Image, ImageKind, ProviderError};

use super::PROVIDER;

/// Pictures a second: a still needs no more, and players and seeking are content with it.
pub(super) const FPS: u32 = 2;
/// Pictures in the clip, 30 s: the longest way to the next key frame.
const CLIP_FRAMES: u32 = 60;
/// Ticks a second of the video track.
const TIMESCALE: &str = "1024";
/// P-frames at this quantizer, the I-frame at 20 less: luma SSIM about 0.976 and 0.989 on a grainy
/// photograph.
const SPEED: &str = "qp=36:ipratio=10:mbtree=0";
const QUALITY: &str = "qp=32:ipratio=10:mbtree=0";

/// Has `command` read the picture at `path` and write a clip: one I-frame, made ratio times finer
/// than the P-frames, which then have nothing to add.
pub(super) fn clip(command: Spec, demuxer: &str, path: &Path, speed: bool) -> Spec {
    command
        .args(["-threads", "1", "-f", demuxer, "-max_pixels", "40000000", "-i"])
        .arg(path)
        .args(["-frames:v", &CLIP_FRAMES.to_string(), "-vf", &filters()])
        .args(["-r", &FPS.to_string(), "-c:v", "libx264", "-preset", "veryfast"])
        .args(["-tune", "stillimage", "-bf", "0", "-g", "9999", "-sc_threshold", "0"])
        .args(["-x264-params", if speed { SPEED } else { QUALITY }])
        .args(["-threads", "2", "-colorspace", "bt709", "-color_primaries", "bt709"])
        .args(["-color_trc", "bt709", "-video_track_timescale", TIMESCALE, "-f", "mp4"])
}

/// Fills 1920x1080, tags the colours, and repeats the one decoded picture.
fn filters() -> String {
    format!(
        "scale=1920:1080:force_original_aspect_ratio=increase:out_color_matrix=bt709:out_range=tv,\
         crop=1920:1080,format=yuv420p,loop=loop=-1:size=1,setpts=N/({FPS}*TB),fps={FPS}"
    )
}

/// The one demuxer that may read the picture: nothing is guessed from its bytes by FFmpeg.
pub(super) fn demuxer(image: &Image) -> Result<&'static str, ProviderError> {
    match image.kind() {
        Some(ImageKind::Png) => Ok("png_pipe"),
        Some(ImageKind::Jpeg) => Ok("jpeg_pipe"),
        None => {
            let message = "the picture is neither PNG nor JPEG";
            Err(ProviderError::permanent(PROVIDER, "image-unknown", message))
        }
    }
}
