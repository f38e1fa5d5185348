//! Chapters go in; what a file says of itself comes out, as FFmpeg reads it: a title, that a machine has made
//! it, and where its chapters begin.

use std::fmt::Write as _;

use pipeline::sound::RATE;
use pipeline::{Chapter, clock};
use stillcast_enqueue::Container;

use super::mark::{SOURCE_TYPE, xmp};

const TITLE: &str = "Guided meditation";
const ARTIST: &str = "Stillcast";
const GENRE: &str = "Meditation";
const COMMENT: &str = "Made by a machine: what is said and shown is synthetic.";

/// The tags of a file in `container`.
pub(super) fn tags(container: Container, chapters: &[Chapter]) -> String {
    let mut text = ";FFMETADATA1\n".to_owned();
    let common = [("title", TITLE), ("artist", ARTIST), ("genre", GENRE), ("comment", COMMENT)];
    for (name, value) in common {
        add(&mut text, name, value);
    }
    match container {
        // Their mark is appended.
        Container::M4a | Container::Mp4 | Container::Mp4Social | Container::Wav => {}
        Container::Mp3 => {
            add(&mut text, "DigitalSourceType", SOURCE_TYPE);
            add(&mut text, "id3v2_priv.XMP", &xmp());
        }
        Container::Opus => add(&mut text, "DIGITALSOURCETYPE", SOURCE_TYPE),
        Container::Flac => {
            add(&mut text, "DIGITALSOURCETYPE", SOURCE_TYPE);
            chapters.iter().enumerate().for_each(|(at, chapter)| comment(&mut text, at, chapter));
        }
    }
    for Chapter { begin, end, title } in chapters {
        let _ =
            write!(text, "[CHAPTER]\nTIMEBASE=1/{RATE}\nSTART={begin}\nEND={end}\ntitle={title}\n");
    }
    text
}

/// A chapter as Vorbis comments have it, which FFmpeg writes into Ogg by itself, but not into FLAC.
fn comment(text: &mut String, at: usize, chapter: &Chapter) {
    add(text, &format!("CHAPTER{at:03}"), &clock(chapter.begin, '.'));
    add(text, &format!("CHAPTER{at:03}NAME"), chapter.title);
}

fn add(text: &mut String, name: &str, value: &str) {
    let mut escaped = String::new();
    for letter in value.chars() {
        if "=;#\\\n".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    let _ = writeln!(text, "{name}={escaped}");
}
