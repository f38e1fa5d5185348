//! Bytes that should be a picture go in; its size comes out, once every row of it is decoded.
//!
//! A header alone proves nothing: providers cut pictures short, answer with pages, and name sizes
//! that no memory holds.

use std::io::Cursor;

use zune_core::bytestream::ZCursor;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::Image;

/// Smaller pictures would be visibly enlarged.
const MIN_WIDTH: u32 = 512;
/// Longest side; 4K in either direction fits.
const MAX_SIDE: u32 = 4096;
/// Most bytes of a file; a 4K photograph as PNG is below it.
const MAX_BYTES: usize = 32 << 20;
/// Most bytes that a decoder may take: 4096x4096 of four 16-bit channels.
const MAX_MEMORY: usize = 128 << 20;

/// How a picture is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageKind {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
}

/// A picture that decodes whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// How it is packed.
    pub kind: ImageKind,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// What is wrong with a picture; another try may give a better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageFault {
    /// Neither PNG nor JPEG.
    #[error("the answer is neither a PNG nor a JPEG picture")]
    NotAnImage,
    /// It ends early, or holds nonsense.
    #[error("the picture is cut short or broken")]
    Broken,
    /// Too many bytes or pixels.
    #[error(
        "the picture is larger than {MAX_SIDE}x{MAX_SIDE} pixels or {} MiB; ask for a smaller one",
        MAX_BYTES >> 20
    )]
    TooLarge,
    /// Too few pixels.
    #[error("the picture is only {0} pixels wide, less than {MIN_WIDTH}")]
    TooSmall(u32),
}

impl ImageFault {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAnImage => "image-unknown",
            Self::Broken => "image-broken",
            Self::TooLarge => "image-too-large",
            Self::TooSmall(_) => "image-too-small",
        }
    }
}

impl Image {
    /// How it is packed, by its first bytes.
    pub fn kind(&self) -> Option<ImageKind> {
        match self.bytes.get(..3)? {
            b"\x89PN" => Some(ImageKind::Png),
            b"\xff\xd8\xff" => Some(ImageKind::Jpeg),
            _ => None,
        }
    }

    /// Whether a picture that says it is so large may be decoded at all.
    pub fn check_sides(width: u32, height: u32) -> Result<(), ImageFault> {
        if width > MAX_SIDE || height > MAX_SIDE { Err(ImageFault::TooLarge) } else { Ok(()) }
    }

    /// Decodes it whole. Blocks: some 20 ms for a megapixel.
    pub fn inspect(&self) -> Result<ImageFacts, ImageFault> {
        let kind = self.kind().ok_or(ImageFault::NotAnImage)?;
        if self.bytes.len() > MAX_BYTES {
            return Err(ImageFault::TooLarge);
        }
        let (width, height) = match kind {
            ImageKind::Png => decode_png(&self.bytes)?,
            ImageKind::Jpeg => decode_jpeg(&self.bytes)?,
        };
        Ok(ImageFacts { kind, width, height })
    }
}

fn fits(width: u32, height: u32) -> Result<(u32, u32), ImageFault> {
    Image::check_sides(width, height)?;
    if width < MIN_WIDTH { Err(ImageFault::TooSmall(width)) } else { Ok((width, height)) }
}

fn decode_png(bytes: &[u8]) -> Result<(u32, u32), ImageFault> {
    let broken = |_| ImageFault::Broken;
    let limits = png::Limits { bytes: MAX_MEMORY };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    let header = decoder.read_header_info().map_err(broken)?;
    let size = fits(header.width, header.height)?;
    let mut reader = decoder.read_info().map_err(broken)?;
    let length = reader.output_buffer_size().ok_or(ImageFault::TooLarge)?;
    reader.next_frame(&mut vec![0; length]).map_err(broken)?;
    reader.finish().map_err(broken)?;
    Ok(size)
}

/// The decoder fills what is missing at the end with grey; a whole picture ends with its marker.
fn decode_jpeg(bytes: &[u8]) -> Result<(u32, u32), ImageFault> {
    let broken = |_| ImageFault::Broken;
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(broken)?;
    let info = decoder.info().ok_or(ImageFault::Broken)?;
    let size = fits(info.width.into(), info.height.into())?;
    decoder.decode().map_err(broken)?;
    let ends = bytes.windows(2).rposition(|pair| pair == b"\xff\xd9");
    ends.map(|_| size).ok_or(ImageFault::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey picture.
    fn png_of(width: u32, height: u32) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(png::ColorType::Grayscale);
        let rows: Vec<u8> = (0..width * height).map(|at| (at * 7 % 251) as u8).collect();
        encoder.write_header().unwrap().write_image_data(&rows).unwrap();
        file
    }

    fn inspect(bytes: Vec<u8>) -> Result<ImageFacts, ImageFault> {
        Image { bytes: bytes.into() }.inspect()
    }

    /// 640x48, made by FFmpeg's `testsrc`.
    const JPEG: &[u8] = include_bytes!("picture/testsrc.jpg");

    #[test]
    fn whole_pictures_pass() {
        let facts = |kind, height| Ok(ImageFacts { kind, width: 640, height });
        assert_eq!(inspect(png_of(640, 360)), facts(ImageKind::Png, 360));
        assert_eq!(inspect(JPEG.to_vec()), facts(ImageKind::Jpeg, 48));
    }

    #[test]
    fn every_cut_is_found() {
        for whole in [png_of(640, 36), JPEG.to_vec()] {
            for tenths in 0..10 {
                let cut = whole[..whole.len() * tenths / 10].to_vec();
                assert!(inspect(cut).is_err(), "{tenths} tenths of {} bytes", whole.len());
            }
        }
        let mut flipped = png_of(640, 36);
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        assert_eq!(inspect(flipped), Err(ImageFault::Broken));
    }

    #[test]
    fn sizes_have_limits_before_any_memory_is_taken() {
        let mut huge = png_of(640, 36);
        huge[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        let crc = crc(&huge[12..29]);
        huge[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(inspect(huge), Err(ImageFault::TooLarge));
        assert_eq!(inspect(png_of(511, 36)), Err(ImageFault::TooSmall(511)));
        let mut long = png_of(640, 36);
        long.resize(MAX_BYTES + 1, 0);
        assert_eq!(inspect(long), Err(ImageFault::TooLarge));
    }

    #[test]
    fn other_answers_are_no_pictures() {
        for bytes in [&b""[..], b"<html>", b"GIF89a", b"RIFF....WEBP", b"{\"error\":1}"] {
            assert_eq!(inspect(bytes.to_vec()), Err(ImageFault::NotAnImage));
        }
    }

    /// CRC-32 as in PNG, bit by bit.
    fn crc(bytes: &[u8]) -> u32 {
        let step = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
        !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
    }
}
