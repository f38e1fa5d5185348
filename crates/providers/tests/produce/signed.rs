//! One file in each container, unsigned and signed, as foreign readers see both.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use pipeline::sound::RATE;
use pipeline::{
    Captions, Clip, Extra, FailureClass, ImageGenerator, Media, MediaEncoder, Scene, Shape,
    SoundTrack,
};
use providers::c2pa::{Signer, SigningEncoder, SigningOptions};
use providers::ffmpeg::{FfmpegEncoder, FfmpegOptions};
use providers::offline::OfflinePainter;
use secrecy::SecretString;
use stillcast_enqueue::{Container, Format};
use tempfile::TempDir;
use tests::authority::Authority;
use tests::manifest::Manifest;
use tests::measure::{chapters, facts, has_faststart, heard, jumbf, source_type, tags};

use crate::containers::MADE;
use crate::media::MediaHarness;

const CREATED: [&str; 2] = ["c2pa.created", MADE];
const KEY: [&str; 2] = ["-newkey", "ed25519"];
/// Seconds of sound in a file.
const SECONDS: usize = 20;

fn ffmpeg() -> Arc<dyn MediaEncoder> {
    let options = FfmpegOptions {
        program: "ffmpeg".into(),
        speed: true,
        audio_bitrate: "96k".to_owned(),
        hardware: false,
    };
    Arc::new(FfmpegEncoder::new(options))
}

/// An encoder whose files are signed by somebody whom `authority` knows.
async fn signing(authority: &Authority) -> SigningEncoder {
    let [certificate, key] = authority.signer(&KEY, 2).await.unwrap();
    let options = SigningOptions {
        certificates: std::fs::read_to_string(certificate).unwrap(),
        key: SecretString::from(std::fs::read_to_string(key).unwrap()),
        temporary: std::env::temp_dir(),
    };
    SigningEncoder::new(ffmpeg(), Signer::open(&options).unwrap())
}

/// The same file twice: as the encoder makes it, and signed.
struct Pair {
    authority: Authority,
    _folder: TempDir,
    plain: Media,
    signed: Media,
}

impl Pair {
    async fn of(container: Container) -> Self {
        let authority = Authority::new().await.unwrap();
        let (folder, encoder) = (tempfile::tempdir().unwrap(), signing(&authority).await);
        let (scratch, shape) = (folder.path(), Shape::sound(container));
        let track = SoundTrack { name: "sound", channels: 1, shape, live: false };
        let mut encoding = encoder.begin(track, scratch).await.unwrap();
        let mut noise = fastrand::Rng::with_seed(7);
        let pcm: Vec<u8> = std::iter::repeat_with(|| noise.i16(-3000..3000).to_le_bytes())
            .take(SECONDS * RATE as usize)
            .flatten()
            .collect();
        encoding.write(Bytes::from(pcm)).await.unwrap();
        let sound = encoding.finish().await.unwrap().value;
        let clip = match container.format() {
            Format::Audio => None,
            Format::Video => Some(clip(&encoder, shape, scratch).await),
        };
        let captions = Captions::sample();
        let mux = async |encoder: &dyn MediaEncoder, folder: &str| {
            let scratch = scratch.join(folder);
            std::fs::create_dir(&scratch).unwrap();
            encoder.mux(&sound, clip.as_ref(), &captions, shape, &scratch).await.unwrap().value
        };
        let (plain, signed) = (mux(ffmpeg().as_ref(), "plain").await, mux(&encoder, "twice").await);
        Self { authority, plain, signed, _folder: folder }
    }
}

async fn clip(encoder: &dyn MediaEncoder, shape: Shape, scratch: &Path) -> Clip {
    let scene = Scene { text: "a harbour".to_owned(), variant: 0, aspect: shape.aspect };
    let picture = OfflinePainter.draw(&scene).await.unwrap().value;
    encoder.still(&picture, shape, scratch).await.unwrap().value
}

/// One byte in the middle of it is another one.
fn changed(file: &Path) -> PathBuf {
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let changed = file.with_file_name(format!("changed-{}", file.file_name().unwrap().display()));
    std::fs::write(&changed, bytes).unwrap();
    changed
}

/// Its manifest says what has made it, to whoever trusts its signer and to others, and of no other file.
fn assert_manifest(file: &Path, authority: &Authority) {
    let root = authority.certificate();
    let trusting = Manifest::read(file, Some(&root)).unwrap();
    assert_eq!((trusting.state.as_str(), trusting.faults.len()), ("Trusted", 0), "{trusting:?}");
    assert_eq!(trusting.actions(), [CREATED]);
    assert_eq!(trusting.active["claim_generator_info"][0]["name"], "Stillcast");
    let stranger = Manifest::read(file, None).unwrap();
    assert_eq!(stranger.state, "Valid");
    assert_eq!(stranger.faults, ["signingCredential.untrusted"]);
    let changed = Manifest::read(&changed(file), Some(&root)).unwrap();
    assert_eq!(changed.state, "Invalid", "one bit is another one: {:?}", changed.faults);
}

/// Makes a file in `container`, and holds the signed one against the other one.
async fn assert_signed(container: Container) -> Pair {
    let pair = Pair::of(container).await;
    let (plain, signed) = (&pair.plain, &pair.signed);
    assert_manifest(&signed.path, &pair.authority);
    assert_eq!((signed.container, signed.duration_s), (container, plain.duration_s));
    assert_eq!(heard(&signed.path).await.unwrap(), heard(&plain.path).await.unwrap());
    let [seen, before] = [facts(&signed.path).await.unwrap(), facts(&plain.path).await.unwrap()];
    assert!((seen.duration_s - before.duration_s).abs() < 0.01, "{seen:?} {before:?}");
    assert_eq!(seen.codecs, before.codecs);
    assert_eq!(tags(&signed.path).await.unwrap(), tags(&plain.path).await.unwrap());
    let titles = async |path: &Path| {
        let found = chapters(path).await.unwrap().into_iter();
        found.map(|chapter| chapter.title).collect::<Vec<_>>()
    };
    assert_eq!(titles(&signed.path).await, titles(&plain.path).await);
    assert_eq!(source_type(&signed.path).await.unwrap(), MADE);
    pair
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_m4a_is_the_same_sound_and_says_what_has_made_it() {
    let pair = assert_signed(Container::M4a).await;
    assert!(has_faststart(&pair.signed.path).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_mp3_is_the_same_sound_and_says_what_has_made_it() {
    assert_signed(Container::Mp3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_wav_is_the_same_sound_and_says_what_has_made_it() {
    assert_signed(Container::Wav).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_flac_is_the_same_sound_and_says_what_has_made_it() {
    assert_signed(Container::Flac).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_film_is_the_same_and_its_pictures_are_signed_too() {
    let pair = assert_signed(Container::Mp4).await;
    assert!(has_faststart(&pair.signed.path).unwrap());
    let pictures = [Extra::Poster, Extra::Cover].map(|extra| {
        pair.signed.extras.iter().find(|beside| beside.extra == extra).unwrap().path.clone()
    });
    for picture in pictures {
        assert_manifest(&picture, &pair.authority);
        // ExifTool knows the place that a manifest has in a picture.
        let labels = jumbf(&picture).await.unwrap();
        assert!(labels.starts_with("c2pa\n") && labels.contains("c2pa.actions.v2"), "{labels}");
    }
}

#[tokio::test]
async fn a_container_without_a_place_for_a_manifest_is_refused_before_anything_is_bought() {
    let harness = MediaHarness::new();
    let encoder = signing(&Authority::new().await.unwrap()).await;
    for container in Container::ALL {
        assert_eq!(encoder.takes(container).is_err(), container == Container::Opus);
    }
    let scratch = tempfile::tempdir().unwrap();
    let mut run = harness.run(Format::Audio, true, scratch.path()).await;
    run.request.options.container = Some(Container::Opus);
    run.providers.encoder = Arc::new(encoder);
    let failed = pipeline::produce(&run).await.unwrap_err();
    assert_eq!(
        (failed.error.code, failed.error.failure),
        ("container-unsigned", FailureClass::Permanent)
    );
    assert!(failed.stages.is_empty(), "{:?}", failed.stages);
}
