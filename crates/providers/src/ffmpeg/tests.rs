//! What the encoder does with input that is broken, missing or hostile.

use std::path::Path;

use bytes::Bytes;
use pipeline::{
    FailureClass, Image, Media, MediaEncoder, ProviderError, Scene, Shape, SoundTrack, sound,
};
use stillcast_enqueue::{Aspect, Container};

use super::*;

const SOUND: Shape = Shape { container: Container::M4a, aspect: Aspect::Wide, motion: false };
const TRACK: SoundTrack = SoundTrack { name: "sound", channels: 1, shape: SOUND, live: false };

fn encoder(program: &str, audio_bitrate: &str) -> FfmpegEncoder {
    FfmpegEncoder::new(FfmpegOptions {
        program: program.into(),
        speed: true,
        audio_bitrate: audio_bitrate.to_owned(),
        hardware: false,
    })
}

fn names(scratch: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(scratch).unwrap();
    entries.map(|entry| entry.unwrap().file_name().display().to_string()).collect()
}

/// Half a second of a quiet tone.
fn tone() -> Bytes {
    #[expect(clippy::cast_possible_truncation, reason = "far below full scale")]
    let sample = |n: u32| (f64::from(n).sin() * 3000.0) as i16;
    (0..sound::RATE / 2).flat_map(|n| sample(n).to_le_bytes()).collect()
}

async fn encode(encoder: &FfmpegEncoder, scratch: &Path) -> Result<Media, ProviderError> {
    let mut encoding = encoder.begin(TRACK, scratch).await?;
    for _ in 0..40 {
        encoding.write(tone()).await?;
    }
    encoding.finish().await.map(|answer| answer.value)
}

#[tokio::test]
async fn a_broken_picture_is_an_error_and_never_a_damaged_video() {
    let scratch = tempfile::tempdir().unwrap();
    let scene = Scene { text: "x".to_owned(), variant: 0, aspect: Aspect::Wide };
    let painter = crate::offline::OfflinePainter;
    let whole = pipeline::ImageGenerator::draw(&painter, &scene).await.unwrap().value;
    let half = Image { bytes: whole.bytes.slice(..whole.bytes.len() / 2) };
    let playlist =
        Image { bytes: Bytes::from_static(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n") };
    let film = Shape { container: Container::Mp4, ..SOUND };
    for (image, code) in [(half, "ffmpeg-failed"), (playlist, "image-unknown")] {
        let error = encoder("ffmpeg", "96k").still(&image, film, scratch.path()).await.unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(!scratch.path().join("clip.mp4").exists());
    }
}

#[tokio::test]
async fn an_encoder_that_dies_says_why() {
    let scratch = tempfile::tempdir().unwrap();
    let error = encode(&encoder("ffmpeg", "no-rate"), scratch.path()).await.unwrap_err();
    assert_eq!(error.code, "ffmpeg-failed");
    assert!(error.message.contains("no-rate"), "{error}");
}

#[tokio::test]
async fn a_missing_encoder_is_the_set_up_s_fault() {
    let scratch = tempfile::tempdir().unwrap();
    let error = encode(&encoder("/no/such/ffmpeg", "96k"), scratch.path()).await.unwrap_err();
    assert_eq!((error.code, error.failure), ("ffmpeg-missing", FailureClass::Misconfigured));
    assert!(error.message.contains("apt-get install -y ffmpeg"), "{error}");
}

#[tokio::test]
async fn an_encoder_dropped_in_the_middle_leaves_no_finished_file() {
    let scratch = tempfile::tempdir().unwrap();
    let mut encoding = encoder("ffmpeg", "96k").begin(TRACK, scratch.path()).await.unwrap();
    encoding.write(tone()).await.unwrap();
    drop(encoding);
    assert!(!names(scratch.path()).contains(&"sound.m4a".to_owned()));
    let media = encode(&encoder("ffmpeg", "96k"), scratch.path()).await.unwrap();
    assert!((media.duration_s - 20.0).abs() < 0.1, "{media:?}");
}

/// Changed, it lets a running fleet encode again all that it has.
#[test]
fn the_revision_is_rate_and_profile() {
    assert_eq!(encoder("ffmpeg", "96k").revision(), "ffmpeg-3 96k speed");
    let options = FfmpegOptions {
        program: "ffmpeg".into(),
        speed: false,
        audio_bitrate: "128k".to_owned(),
        hardware: true,
    };
    assert_eq!(FfmpegEncoder::new(options).revision(), "ffmpeg-3 128k quality");
}

/// An FFmpeg that does `instead` where `pattern` is among its arguments.
fn wrapped(folder: &Path, pattern: &str, instead: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("ffmpeg-of-another-house");
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *'{pattern}'*) {instead};; esac\nexec ffmpeg \"$@\"\n"
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

/// What an FFmpeg says at some argument, and how that is understood.
fn lacks() -> [(&'static str, &'static str, FailureClass, &'static str, &'static str); 8] {
    let (setup, passing) =
        (FailureClass::Misconfigured, FailureClass::Transient { retry_after: None });
    [
        (
            " libx264 ",
            "echo \"Unknown encoder 'libx264'\" >&2; exit 1",
            setup,
            "ffmpeg-encoder-missing",
            "'libx264'; FFmpeg lacks a part: install a full build",
        ),
        (
            " aac ",
            "echo \"Unknown encoder 'aac'\" >&2; exit 8",
            setup,
            "ffmpeg-encoder-missing",
            "FFMPEG_PATH",
        ),
        (
            " libopus ",
            "echo \"Unknown encoder 'libopus'\" >&2; exit 8",
            setup,
            "ffmpeg-encoder-missing",
            "'libopus'; FFmpeg lacks a part",
        ),
        (
            "loop=loop",
            "echo \"No such filter: 'loop'\" >&2; exit 1",
            setup,
            "ffmpeg-part-missing",
            "'loop'",
        ),
        (
            "/.tmp",
            "echo \"$0: Permission denied\" >&2; exit 1",
            setup,
            "ffmpeg-forbidden",
            "STILLCAST_HOME",
        ),
        (
            " libx264 ",
            "kill -9 $$",
            setup,
            "ffmpeg-killed",
            "signal 9; the machine or the container is out of memory",
        ),
        (" libx264 ", "kill -4 $$", passing, "ffmpeg-crashed", "FFMPEG_PATH"),
        (
            " libx264 ",
            "echo 'Invalid data found' >&2; exit 1",
            passing,
            "ffmpeg-failed",
            "Invalid data",
        ),
    ]
}

#[tokio::test]
async fn what_an_ffmpeg_lacks_is_found_out_before_anything_is_bought() {
    let scratch = tempfile::tempdir().unwrap();
    encoder("ffmpeg", "96k").rehearse(scratch.path()).await.unwrap();
    for (pattern, instead, failure, code, says) in lacks() {
        let program = wrapped(scratch.path(), pattern, instead);
        let error = encoder(&program, "96k").rehearse(scratch.path()).await.unwrap_err();
        assert_eq!((error.code, error.failure), (code, failure), "{instead}: {error}");
        assert!(error.message.contains(says), "{instead}: {error}");
    }
}

/// What FFmpeg has written is read by a reader of our own, and says the length of what went in to a sample.
#[tokio::test]
async fn every_container_says_how_long_its_sound_is() {
    let scratch = tempfile::tempdir().unwrap();
    for container in Container::ALL {
        for (channels, bitrate) in [(1, "96k"), (2, "320k")] {
            let shape = Shape { container, ..SOUND };
            let track = SoundTrack { name: "sound", channels, shape, live: false };
            let mut encoding =
                encoder("ffmpeg", bitrate).begin(track, scratch.path()).await.unwrap();
            // Three seconds and a third, not a whole frame of anything.
            for part in std::iter::repeat_n(tone(), 6).chain([tone().slice(..16_004)]) {
                let part = part.repeat(usize::from(channels));
                encoding.write(part.into()).await.unwrap();
            }
            let media = encoding.finish().await.unwrap().value;
            let wanted = match container {
                Container::Mp4 => 3.5,
                Container::Mp4Social => 3.36,
                _ => f64::from(6 * 12_000 + 8_002) / f64::from(sound::RATE),
            };
            // MPEG-4 counts milliseconds.
            assert!(
                (media.duration_s - wanted).abs() < 0.001,
                "{channels} {media:?}, not {wanted}"
            );
            assert!(heads::check(media.container, &media.path, wanted + 0.2).is_err());
            assert!(heads::check(media.container, &media.path, wanted - 0.2).is_err());
        }
    }
}
