//! Sound, picture, captions and chapters go in; the command that copies them into one file comes out. It
//! encodes nothing but the captions' text.

use std::path::Path;

use child::Spec;
use pipeline::{Clip, Extra, Media};
use stillcast_enqueue::Container;

use super::captions::Written;
use super::codec::Codec;

/// No edit list, as platforms want it. A decoder's first samples, which one would skip, stay out; what they
/// are wanted for is silent (`pipeline`'s lead).
const WITHOUT_EDITS: [&str; 4] = ["-copypriorss:a", "0", "-use_editlist", "0"];

/// What `command` shall copy, and into what.
pub(super) fn mux(
    command: Spec,
    container: Container,
    sound: &Media,
    clip: Option<&Clip>,
    written: &Written,
) -> Spec {
    let codec = Codec::of(container);
    let command = command.args(["-f", codec.demuxer, "-i"]).arg(&sound.path);
    let command = command.args(["-f", "ffmetadata", "-i"]).arg(&written.tags);
    let command = match clip {
        None => command.args(["-map", "0:a"]),
        Some(clip) => film(command, sound, clip, &written.srt),
    };
    let edits: &[&str] = if container == Container::Mp4Social { &WITHOUT_EDITS } else { &[] };
    command
        .args(["-map_metadata", "1", "-map_chapters", "1", "-c:v", "copy", "-c:a", "copy"])
        .args(edits)
        .args(codec.writing)
        .args(["-f", codec.muxer])
}

/// The clip again and again for as long as there is sound, the captions, and the cover where there is one.
fn film(command: Spec, sound: &Media, clip: &Clip, srt: &Path) -> Spec {
    let command = command
        .args(["-stream_loop", "-1", "-f", "mov", "-i"])
        .arg(&clip.path)
        .args(["-f", "srt", "-i"])
        .arg(srt);
    let cover = clip.extras.iter().find(|beside| beside.extra == Extra::Cover);
    let command = match cover {
        None => command,
        Some(cover) => command.args(["-f", "jpeg_pipe", "-i"]).arg(&cover.path),
    };
    let command = command.args(["-map", "2:v", "-map", "0:a", "-map", "3:s", "-c:s", "mov_text"]);
    let command = match cover {
        None => command,
        Some(_) => command.args(["-map", "4:v", "-disposition:v:1", "attached_pic"]),
    };
    command.args(["-t", &format!("{:.6}", sound.duration_s)])
}
