//! The first bytes of a picture go in; its kind, its size and how it is to be turned come out.
//! Nothing is decoded, and no number in it is believed further than its bytes reach.

/// Far enough for what stands in front of a picture's data.
const MAX_STEPS: usize = 256;

/// How a picture is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Png,
    Jpeg,
    WebP,
    Avif,
    Heic,
    Gif,
    Bmp,
    Tiff,
    JpegXl,
    Jpeg2000,
    Svg,
    Psd,
    Icon,
}

/// What a picture says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    /// Pixels in a row, and rows; `None` where it does not say so in front.
    pub(crate) size: Option<(u32, u32)>,
    /// As in Exif: 1 for a picture that is the right way up, up to 8.
    pub(crate) orientation: u8,
    /// Whether it has four inks instead of three lights.
    pub(crate) is_cmyk: bool,
    /// Whether it says that it is longer than it is.
    pub(crate) is_cut: bool,
}

impl Kind {
    /// Its name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Avif => "AVIF",
            Self::Heic => "HEIC",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::JpegXl => "JPEG XL",
            Self::Jpeg2000 => "JPEG 2000",
            Self::Svg => "SVG",
            Self::Psd => "Photoshop",
            Self::Icon => "icon",
        }
    }

    /// The one demuxer of FFmpeg that may read it; none for drawings, which may name other files,
    /// and for what nobody makes pictures in.
    pub(super) fn demuxer(self) -> Option<&'static str> {
        match self {
            Self::Png => Some("png_pipe"),
            Self::Jpeg => Some("jpeg_pipe"),
            Self::WebP => Some("webp_pipe"),
            Self::Avif | Self::Heic => Some("mov"),
            Self::Gif => Some("gif_pipe"),
            Self::Bmp => Some("bmp_pipe"),
            Self::Tiff => Some("tiff_pipe"),
            Self::JpegXl => Some("jpegxl_pipe"),
            Self::Jpeg2000 => Some("j2k_pipe"),
            Self::Svg | Self::Psd | Self::Icon => None,
        }
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        Some(match bytes {
            [0x89, b'P', b'N', ..] => Self::Png,
            [0xff, 0xd8, 0xff, ..] => Self::Jpeg,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Self::WebP,
            [b'G', b'I', b'F', b'8', ..] => Self::Gif,
            [b'B', b'M', ..] if bytes.len() > 26 => Self::Bmp,
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Self::Tiff,
            [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Self::JpegXl,
            [0, 0, 0, 12, b'j', b'P', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => Self::Jpeg2000,
            [b'8', b'B', b'P', b'S', ..] => Self::Psd,
            [0, 0, 1, 0, _, 0, ..] => Self::Icon,
            [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.first_chunk()? {
                b"avif" | b"avis" => Self::Avif,
                b"mif1" if brand.chunks_exact(4).take(8).any(|brand| brand == b"avif") => {
                    Self::Avif
                }
                b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"mif1" | b"msf1" => Self::Heic,
                _ => return None,
            },
            _ if is_drawing(bytes) => Self::Svg,
            _ => return None,
        })
    }
}

impl Header {
    /// What `bytes` say; `None` when they are no picture.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let kind = Kind::of(bytes)?;
        let plain = Self { kind, size: None, orientation: 1, is_cmyk: false, is_cut: false };
        Some(match kind {
            Kind::Png => png(bytes, plain),
            Kind::Jpeg => jpeg(bytes, plain),
            Kind::WebP => webp(bytes, plain),
            Kind::Tiff => tiff(bytes, plain),
            Kind::Avif | Kind::Heic => Self { size: extent(bytes), ..plain },
            Kind::Gif => {
                let is_cut = bytes.iter().rfind(|byte| **byte != 0) != Some(&0x3b);
                Self { size: pair(bytes, 6, le16), is_cut, ..plain }
            }
            Kind::Bmp => bmp(bytes, plain),
            Kind::Psd => Self { size: be32(bytes, 18).zip(be32(bytes, 14)), ..plain },
            Kind::JpegXl | Kind::Jpeg2000 | Kind::Svg | Kind::Icon => plain,
        })
    }

    /// Whether the house takes it as it is.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.kind, Kind::Png | Kind::Jpeg) && self.orientation == 1 && !self.is_cmyk
    }

    /// FFmpeg's filter that turns it the right way up.
    pub(super) fn turn(&self) -> &'static str {
        match self.orientation {
            2 => "hflip",
            3 => "hflip,vflip",
            4 => "vflip",
            5 => "transpose=cclock_flip",
            6 => "transpose=clock",
            7 => "transpose=clock_flip",
            8 => "transpose=cclock",
            _ => "null",
        }
    }

    fn turned(self, exif: &[u8]) -> Self {
        let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
        let told = tags(exif).and_then(|tags| tag(&tags, ORIENTATION));
        let told = told.and_then(|told| u8::try_from(told).ok());
        Self { orientation: told.filter(|told| (1..=8).contains(told)).unwrap_or(1), ..self }
    }
}

fn is_drawing(bytes: &[u8]) -> bool {
    let begin = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]).to_ascii_lowercase();
    begin.trim_start().starts_with('<') && begin.contains("<svg")
}

fn png(bytes: &[u8], header: Header) -> Header {
    let size = be32(bytes, 16).zip(be32(bytes, 20));
    let mut rest = bytes.get(8..).unwrap_or_default();
    for _ in 0..MAX_STEPS {
        let Some((name, content, behind)) = chunk(rest, be32, 4) else { break };
        match name {
            b"eXIf" => return Header { size, ..header.turned(content) },
            b"IDAT" => break,
            _ => rest = behind,
        }
    }
    Header { size, ..header }
}

/// A length and a name, `tail` bytes behind the content.
fn chunk(
    bytes: &[u8],
    length: fn(&[u8], usize) -> Option<u32>,
    tail: usize,
) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let name = bytes.get(4..)?.first_chunk()?;
    let length = usize::try_from(length(bytes, 0)?).ok()?;
    let (content, behind) = bytes.get(8..)?.split_at_checked(length)?;
    Some((name, content, behind.get(tail..)?))
}

fn jpeg(bytes: &[u8], mut header: Header) -> Header {
    let mut rest = bytes.get(2..).unwrap_or_default();
    for _ in 0..MAX_STEPS {
        let (marker, behind) = match rest {
            // Any number of these may stand in front of a marker.
            [0xff, 0xff, ..] => {
                rest = &rest[1..];
                continue;
            }
            [0xff, marker, behind @ ..] => (*marker, behind),
            _ => break,
        };
        let Some(length) = be16(behind, 0).and_then(|length| usize::try_from(length).ok()) else {
            break;
        };
        let Some((segment, next)) = behind.split_at_checked(length) else { break };
        match marker {
            0xe1 if segment.get(2..).is_some_and(|exif| exif.starts_with(b"Exif\0\0")) => {
                header = header.turned(&segment[2..]);
            }
            0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&marker) => {
                let size = be16(segment, 5).zip(be16(segment, 3));
                return Header { size, is_cmyk: segment.get(7) == Some(&4), ..header };
            }
            0xda => break,
            _ => {}
        }
        rest = next;
    }
    header
}

fn webp(bytes: &[u8], mut header: Header) -> Header {
    let whole = le32(bytes, 4).and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    header.is_cut = whole.saturating_add(8) > bytes.len();
    let mut rest = bytes.get(12..).unwrap_or_default();
    for _ in 0..MAX_STEPS {
        let Some((name, tail)) = rest.split_first_chunk::<4>() else { break };
        let Some(length) = le32(tail, 0).and_then(|length| usize::try_from(length).ok()) else {
            break;
        };
        let content = tail.get(4..).unwrap_or_default();
        let size = match name {
            b"VP8X" => le24(content, 4).zip(le24(content, 7)).map(|(w, h)| (w + 1, h + 1)),
            b"VP8 " if content.get(3..6) == Some(&[0x9d, 1, 0x2a]) => {
                pair(content, 6, le16).map(|(w, h)| (w & 0x3fff, h & 0x3fff))
            }
            b"VP8L" => le32(content, 1).map(|b| ((b & 0x3fff) + 1, ((b >> 14) & 0x3fff) + 1)),
            b"EXIF" => {
                return header.turned(content.get(..length).unwrap_or_default());
            }
            _ => None,
        };
        header.size = header.size.or(size);
        let Some(next) = length.checked_next_multiple_of(2) else { break };
        rest = content.get(next..).unwrap_or_default();
    }
    header
}

fn bmp(bytes: &[u8], header: Header) -> Header {
    let signed = |bytes: &[u8], at| le32(bytes, at).map(|side| side.cast_signed().unsigned_abs());
    let size = match le32(bytes, 14) {
        Some(12) => pair(bytes, 18, le16),
        _ => signed(bytes, 18).zip(signed(bytes, 22)),
    };
    let whole = le32(bytes, 2).and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    Header { size, is_cut: whole > bytes.len(), ..header }
}

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const ORIENTATION: u16 = 274;

fn tiff(bytes: &[u8], header: Header) -> Header {
    let tags = tags(bytes).unwrap_or_default();
    let size = tag(&tags, WIDTH).zip(tag(&tags, HEIGHT));
    Header { size, ..header.turned(bytes) }
}

fn tag(tags: &[(u16, u32)], wanted: u16) -> Option<u32> {
    tags.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value)
}

/// The tags of the first directory that hold one number.
fn tags(tiff: &[u8]) -> Option<Vec<(u16, u32)>> {
    type Read = fn(&[u8], usize) -> Option<u32>;
    let (short, long): (Read, Read) = match tiff.first_chunk()? {
        b"II*\0" => (le16, le32),
        b"MM\0*" => (be16, be32),
        _ => return None,
    };
    let at = usize::try_from(long(tiff, 4)?).ok()?;
    let count = usize::try_from(short(tiff, at)?).ok()?.min(MAX_STEPS);
    let read = |entry: usize| {
        let entry = at.checked_add(2 + 12 * entry)?;
        let name = u16::try_from(short(tiff, entry)?).ok()?;
        let value = match short(tiff, entry.checked_add(2)?)? {
            3 => short(tiff, entry.checked_add(8)?)?,
            4 => long(tiff, entry.checked_add(8)?)?,
            _ => return None,
        };
        Some((name, value))
    };
    Some((0..count).filter_map(read).collect())
}

/// The largest of the sizes in the properties of an image file of boxes.
fn extent(bytes: &[u8]) -> Option<(u32, u32)> {
    let begin = &bytes[..bytes.len().min(64 << 10)];
    let places = begin.windows(4).enumerate().filter(|(_, name)| *name == b"ispe");
    let sizes = places.filter_map(|(at, _)| be32(begin, at + 8).zip(be32(begin, at + 12)));
    sizes.max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))
}

fn pair(bytes: &[u8], at: usize, read: fn(&[u8], usize) -> Option<u32>) -> Option<(u32, u32)> {
    read(bytes, at).zip(read(bytes, at + 2))
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?).into())
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?).into())
}

fn le24(bytes: &[u8], at: usize) -> Option<u32> {
    let [a, b, c] = *bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes([a, b, c, 0]))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
