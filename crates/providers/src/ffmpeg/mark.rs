//! A file goes in; the same file comes out that says of itself that a machine has made it: the digital
//! source type of the IPTC, in XMP where a file has a place for it, in a tag of its own elsewhere (`tags`).

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use stillcast_enqueue::Container;

/// What the IPTC calls whatever a trained model has made.
pub(super) const SOURCE_TYPE: &str =
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
/// The box of XMP in MPEG-4.
const XMP_BOX: [u8; 16] = [
    0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac,
];
/// The segment of XMP in JPEG.
const XMP_SEGMENT: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// The mark as XMP, in one line.
pub(super) fn xmp() -> String {
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" \
         xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" \
         Iptc4xmpExt:DigitalSourceType=\"{SOURCE_TYPE}\"/>\
         </rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>"
    )
}

/// Marks a file of sound or of moving pictures; one whose tags say it already stays as it is.
pub(super) fn mark(container: Container, path: &Path) -> io::Result<()> {
    match container {
        Container::M4a | Container::Mp4 | Container::Mp4Social => append_box(path),
        Container::Wav => append_chunk(path),
        Container::Mp3 | Container::Opus | Container::Flac => Ok(()),
    }
}

/// A box behind all others, so that nothing moves that an index points to.
fn append_box(path: &Path) -> io::Result<()> {
    let xmp = xmp();
    let size = u32::try_from(xmp.len() + 24).map_err(io::Error::other)?.to_be_bytes();
    let parts = [size.as_slice(), b"uuid", &XMP_BOX, xmp.as_bytes()];
    OpenOptions::new().append(true).open(path)?.write_all(&parts.concat())
}

/// A chunk behind all others, and the length of the whole in front.
fn append_chunk(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let end = file.seek(SeekFrom::End(0))?;
    let mut xmp = xmp().into_bytes();
    let length = u32::try_from(xmp.len()).map_err(io::Error::other)?;
    // Chunks begin at even places.
    xmp.extend((xmp.len() % 2 == 1).then_some(0));
    let before: &[u8] = if end % 2 == 1 { b"\0_PMX" } else { b"_PMX" };
    file.write_all(&[before, &length.to_le_bytes(), &xmp].concat())?;
    let whole =
        u32::try_from(file.stream_position()?.saturating_sub(8)).map_err(io::Error::other)?;
    file.seek(SeekFrom::Start(4))?;
    file.write_all(&whole.to_le_bytes())
}

/// Marks a JPEG: behind its first segment, which must stay the first.
pub(super) fn mark_picture(path: &Path) -> io::Result<()> {
    let mut picture = Vec::new();
    File::open(path)?.read_to_end(&mut picture)?;
    let at = match picture.first_chunk() {
        Some([0xff, 0xd8, 0xff, 0xe0, high, low]) => {
            4 + usize::from(u16::from_be_bytes([*high, *low]))
        }
        Some([0xff, 0xd8, ..]) => 2,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "the poster is no JPEG")),
    };
    let content = [XMP_SEGMENT, xmp().as_bytes()].concat();
    let length = u16::try_from(content.len() + 2).map_err(io::Error::other)?;
    let segment = [&[0xff, 0xe1], length.to_be_bytes().as_slice(), &content].concat();
    let (before, behind) = picture.split_at(at.min(picture.len()));
    std::fs::write(path, [before, &segment, behind].concat())
}
