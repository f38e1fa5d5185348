//! A picture goes in; the command that makes a short clip of it, and shows it beside the film, comes out.

use std::path::{Path, PathBuf};

use child::Spec;
use pipeline::{Beside, Extra, Image, ImageKind, ProviderError, Shape};
use stillcast_enqueue::{Container, Format};

use super::PROVIDER;

/// P-frames at this quantizer, the I-frame at 20 less: luma SSIM about 0.976 and 0.989 on a grainy
/// photograph.
const SPEED: &str = "qp=36:ipratio=10:mbtree=0";
const QUALITY: &str = "qp=32:ipratio=10:mbtree=0";
/// Pictures that move: an hour of them is below 450 MB. All are as fine, so that nobody sees where the clip
/// begins again.
#[rustfmt::skip]
const MOVING: [&str; 8] = [
    "-crf", "21", "-maxrate", "700k", "-bufsize", "2800k", "-x264-params", "ipratio=1.0:mbtree=0",
];
/// How much nearer a picture comes, and how long it takes there and back: as long as a calm breath.
const NEARER: f64 = 0.04;

/// How often a film shows a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// Pictures a second.
    pub(super) fps: u32,
    /// Pictures in the clip: the longest way to the next key frame.
    frames: u32,
    /// Ticks a second of its track.
    timescale: &'static str,
}

/// A still needs no more, and players and seeking are content with it: 30 s.
const STILL: Pace = Pace { fps: 2, frames: 60, timescale: "1024" };
/// What platforms ask for, and what moves: 10 s.
const FILM: Pace = Pace { fps: 25, frames: 250, timescale: "12800" };

impl Pace {
    /// Of a film of this shape; `None` where there is nothing to see.
    pub(super) fn of(shape: Shape) -> Option<Self> {
        match (shape.container.format(), shape.container) {
            (Format::Audio, _) => None,
            (Format::Video, Container::Mp4) if !shape.motion => Some(STILL),
            (Format::Video, _) => Some(FILM),
        }
    }
}

/// What shows the picture beside the film, in `scratch`.
pub(super) fn beside(scratch: &Path) -> [Beside; 2] {
    let at = |extra: Extra| Beside { extra, path: scratch.join(extra.name()) };
    [at(Extra::Poster), at(Extra::Cover)]
}

/// Has `command` read the picture at `path` and write a clip to `part`, one I-frame and what follows from
/// it, with the poster and the cover. Of a still the I-frame is made ratio times finer than the P-frames,
/// which then have nothing to add.
pub(super) fn clip(
    command: Spec,
    (demuxer, path): (&str, &Path),
    (shape, speed): (Shape, bool),
    (part, beside): (&PathBuf, &[Beside]),
) -> Spec {
    let pace = Pace::of(shape).unwrap_or(STILL);
    let still = ["-tune", "stillimage", "-x264-params", if speed { SPEED } else { QUALITY }];
    let quality: &[&str] = if shape.motion { &MOVING } else { &still };
    let command = command
        .args(["-threads", "1", "-f", demuxer, "-max_pixels", "40000000", "-i"])
        .arg(path)
        .args(["-filter_complex", &filters(shape, pace)])
        .args(["-map", "[clip]", "-frames:v", &pace.frames.to_string()])
        .args(["-r", &pace.fps.to_string(), "-c:v", "libx264", "-preset", "veryfast"])
        .args(["-bf", "0", "-g", "9999", "-sc_threshold", "0"])
        .args(quality)
        .args(["-threads", "2", "-colorspace", "bt709", "-color_primaries", "bt709"])
        .args(["-color_trc", "bt709", "-video_track_timescale", pace.timescale, "-f", "mp4"])
        .arg(part);
    ["[poster]", "[cover]"].into_iter().zip(beside).fold(command, |command, (name, beside)| {
        command
            .args(["-map", name, "-frames:v", "1", "-c:v", "mjpeg", "-q:v", "3", "-f", "mjpeg"])
            .arg(&beside.path)
    })
}

/// Fills the film's size, tags the colours, and repeats the one decoded picture. Pictures beside it have the
/// colours of JPEG.
fn filters(shape: Shape, Pace { fps, .. }: Pace) -> String {
    let (width, height) = shape.aspect.size();
    let side = width.min(height);
    let fill = format!("{width}:{height}:force_original_aspect_ratio=increase");
    let motion = if shape.motion { breath(shape) } else { String::new() };
    format!(
        "[0:v]split[film][paper];\
         [film]scale={fill}:out_color_matrix=bt709:out_range=tv,crop={width}:{height},\
         format=yuv420p,loop=loop=-1:size=1,setpts=N/({fps}*TB),fps={fps}{motion}[clip];\
         [paper]scale={fill}:out_color_matrix=bt601:out_range=pc,crop={width}:{height},\
         format=yuvj420p,split[poster][whole];[whole]crop={side}:{side}[cover]"
    )
}

/// Comes nearer and goes back once in a clip, between pixels where it must, so that nothing jumps. A mirror
/// of the beginning, its end leads into the beginning again.
fn breath(shape: Shape) -> String {
    let half = NEARER / 2.0;
    let frames = Pace::of(shape).unwrap_or(FILM).frames;
    // What is out of sight on each side, as a share of the whole.
    let cut = format!("(0.5-0.5/({:.3}-{half:.3}*cos(2*PI*on/{frames})))", 1.0 + half);
    let (left, top) = (format!("W*{cut}"), format!("H*{cut}"));
    format!(
        ",perspective=x0='{left}':y0='{top}':x1='W-{left}':y1='{top}':x2='{left}':y2='H-{top}'\
         :x3='W-{left}':y3='H-{top}':interpolation=linear:sense=source:eval=frame"
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
