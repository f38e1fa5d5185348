//! Pictures of every kind go in; what the house can show comes out, or why it cannot.

use super::*;
use pipeline::ImageKind;

/// Made by another program: 640x48 for print, and 96x640 that says to be turned by a quarter.
const INKS: &[u8] = include_bytes!("inks.jpg");
const TURNED: &[u8] = include_bytes!("turned.jpg");

fn developer() -> Developer {
    Developer { ffmpeg: Ffmpeg { program: "ffmpeg".into(), provider: "test" } }
}

async fn develop(bytes: &[u8]) -> Result<Image, ProviderError> {
    developer().develop(Bytes::copy_from_slice(bytes)).await.map(|answer| answer.value)
}

/// A test picture of 640x360 as FFmpeg packs it.
async fn made(options: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture");
    developer()
        .ffmpeg
        .command(folder.path(), CPU)
        .args(["-f", "lavfi", "-i", "testsrc=size=640x360:rate=1:duration=1", "-frames:v", "1"])
        .args(options.split(' '))
        .arg(&path)
        .run()
        .await
        .unwrap();
    std::fs::read(path).unwrap()
}

const FORMS: [(&str, Kind); 11] = [
    ("-c:v libwebp -f webp", Kind::WebP),
    ("-c:v libwebp -lossless 1 -f webp", Kind::WebP),
    ("-c:v libaom-av1 -still-picture 1 -cpu-used 8 -f avif", Kind::Avif),
    ("-f gif", Kind::Gif),
    ("-c:v bmp -f image2pipe", Kind::Bmp),
    ("-c:v tiff -f image2pipe", Kind::Tiff),
    ("-c:v libopenjpeg -f image2pipe", Kind::Jpeg2000),
    ("-c:v mjpeg -f image2pipe", Kind::Jpeg),
    ("-c:v png -f image2pipe", Kind::Png),
    ("-pix_fmt rgb48be -c:v png -f image2pipe", Kind::Png),
    ("-pix_fmt ya8 -c:v png -f image2pipe", Kind::Png),
];

#[tokio::test]
async fn every_kind_becomes_what_the_house_takes() {
    for (options, kind) in FORMS {
        let bytes = made(options).await;
        let header = Header::read(&bytes).unwrap();
        assert_eq!(header.kind, kind, "{options}");
        let size = header.size.unwrap_or((640, 360));
        assert_eq!(size, (640, 360), "{options}");
        let facts = develop(&bytes).await.unwrap_or_else(|e| panic!("{options}: {e}")).inspect();
        let facts = facts.unwrap_or_else(|fault| panic!("{options}: {fault}"));
        assert_eq!((facts.width, facts.height), (640, 360), "{options}");
        let is_own = matches!(kind, Kind::Png | Kind::Jpeg);
        assert_eq!(develop(&bytes).await.unwrap().bytes == bytes, is_own, "{options}: untouched");
        // Cut, it is an accident, wherever it is found.
        let cut = develop(&bytes[..bytes.len() * 2 / 3]).await;
        match cut.map(|image| image.inspect()) {
            Ok(inspected) => assert!(inspected.is_err(), "{options}"),
            Err(error) => assert_eq!(error.code, "image-broken", "{options}: {error}"),
        }
    }
}

#[tokio::test]
async fn pictures_for_print_and_turned_ones_are_put_right() {
    let facts = develop(INKS).await.unwrap().inspect().unwrap();
    assert_eq!((facts.kind, facts.width, facts.height), (ImageKind::Png, 640, 48));
    let facts = develop(TURNED).await.unwrap().inspect().unwrap();
    assert_eq!((facts.kind, facts.width, facts.height), (ImageKind::Png, 640, 96));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_once_by_its_name() {
    let drawing = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'></svg>";
    for (bytes, name) in [(&drawing[..], "SVG"), (b"8BPS\0\x01\0\0\0\0\0\0", "Photoshop")] {
        let error = develop(bytes).await.unwrap_err();
        assert_eq!((error.code, error.failure), ("picture-format", FailureClass::Misconfigured));
        assert!(error.message.contains(name) && error.message.contains("IMAGE_MODEL"), "{error}");
    }
    for bytes in [&b""[..], b"<html>", b"{}", b"no picture"] {
        assert_eq!(develop(bytes).await.unwrap().bytes, bytes, "who decodes it finds it");
    }
}

#[tokio::test]
async fn sizes_are_looked_at_before_anything_is_decoded() {
    let mut webp = b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0".to_vec();
    webp.extend([0x9f, 0x86, 1, 0x9f, 0x86, 1, 0, 0, 0, 0, 0, 0]);
    let gif = b"GIF89a\xff\xff\xff\xff\0\0\0;";
    let mut bmp = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bmp.extend([0xa0, 0x86, 1, 0, 0xa0, 0x86, 1, 0, 1, 0, 24, 0]);
    for bomb in [&webp[..], gif, &bmp] {
        assert_eq!(develop(bomb).await.unwrap_err().code, "image-too-large");
    }
}
