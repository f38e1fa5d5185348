//! FFmpeg goes in; the hardware encoder that really works here comes out: found by encoding, since
//! every list lies.

use std::path::Path;
use std::time::Duration;

use super::Ffmpeg;

/// A trial is two pictures; what takes longer hangs.
const TRIAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Encoders in order of preference, with what VAAPI needs before and behind its input.
const CANDIDATES: [(&str, &[&str], &[&str]); 4] = [
    ("h264_nvenc", &[], &["-pix_fmt", "yuv420p"]),
    ("h264_qsv", &[], &["-pix_fmt", "nv12"]),
    ("h264_vaapi", &["-vaapi_device", "/dev/dri/renderD128"], &["-vf", "format=nv12,hwupload"]),
    ("h264_videotoolbox", &[], &["-pix_fmt", "yuv420p"]),
];

/// The first encoder that encodes; logs why each other one does not.
///
/// Its winner is for pictures that move. A still is one picture whatever encodes it, and the exact
/// repetition behind it needs libx264, so a still never goes through hardware.
pub(super) async fn trial(ffmpeg: &Ffmpeg, folder: &Path) -> Option<&'static str> {
    for (encoder, before, behind) in CANDIDATES {
        match encode(ffmpeg, folder, encoder, before, behind).await {
            Ok(_) => {
                tracing::info!(
                    encoder,
                    "hardware encoder {encoder} works; a still needs none: libx264 encodes its one picture"
                );
                return Some(encoder);
            }
            Err(error) => {
                tracing::info!(encoder, "hardware encoder {encoder} does not work: {error}");
            }
        }
    }
    tracing::warn!("no hardware encoder works here: libx264 encodes");
    None
}

async fn encode(
    ffmpeg: &Ffmpeg,
    folder: &Path,
    encoder: &str,
    before: &[&str],
    behind: &[&str],
) -> Result<child::Finished, child::ChildError> {
    ffmpeg
        .command(folder, TRIAL_TIMEOUT)
        .timeout(TRIAL_TIMEOUT)
        .args(before)
        .args(["-f", "lavfi", "-i", "color=size=256x256:rate=5:duration=0.4"])
        .args(behind)
        .args(["-c:v", encoder, "-f", "null", "-"])
        .run()
        .await
}
