//! What FFmpeg writes of a sound while it encodes it goes in; its fragments come out as soon as each is
//! whole: fragmented MPEG-4, box by box, without trusting the program that wrote it.

use std::io;

use bytes::BytesMut;
use pipeline::sound::RATE;
use pipeline::{Fragment, LIVE_SAMPLES};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc::Sender;

/// A box larger than this is not one of ours: four seconds of sound have some 50 KB.
const MAX_BOX: usize = 4 << 20;
/// Samples of a frame of AAC.
const FRAME: u32 = 1024;
/// Fragments that wait for somebody to take them: more than an hour and its tail have.
pub(super) const WAITING: usize = 2_048;

/// Encoded once, written twice: the file `part` of the working folder, and the fragments to stdout.
pub(super) fn both(part: &str) -> String {
    let movflags = "+delay_moov+default_base_moof+dash+skip_sidx+skip_trailer";
    // A fragment ends with the frame that reaches it.
    let micros = u64::from(LIVE_SAMPLES - FRAME / 2) * 1_000_000 / u64::from(RATE);
    format!(
        "[f=mp4:movflags=+faststart]{part}|[f=mp4:movflags={movflags}:frag_duration={micros}]pipe:1"
    )
}

/// Sends what comes, until there is no more.
pub(super) async fn read(mut from: impl AsyncRead + Unpin, to: Sender<Fragment>) -> io::Result<()> {
    let (mut whole, mut last) = (BytesMut::new(), LIVE_SAMPLES);
    let mut samples = None;
    while let Some(kind) = read_box(&mut from, &mut whole).await? {
        let fragment = match (&kind, samples) {
            (b"moov", _) => Fragment::Head(whole.split().freeze()),
            (b"mdat", Some(samples)) if last == LIVE_SAMPLES && samples <= LIVE_SAMPLES => {
                last = samples;
                Fragment::Sound { bytes: whole.split().freeze(), samples }
            }
            (b"mdat", _) => return Err(broken("a fragment is as long as none")),
            (b"moof", _) => {
                samples = Some(samples_of(&whole).ok_or_else(|| broken("a fragment is unread"))?);
                continue;
            }
            _ => continue,
        };
        if to.send(fragment).await.is_err() {
            // Nobody listens any more: the attempt has ended, and FFmpeg with it.
            return Ok(());
        }
    }
    Ok(())
}

/// Reads one box behind what is in `whole`; `None` at the end.
async fn read_box(
    from: &mut (impl AsyncRead + Unpin),
    whole: &mut BytesMut,
) -> io::Result<Option<[u8; 4]>> {
    let Ok(first) = from.read_u8().await else { return Ok(None) };
    let mut rest = [0; 7];
    from.read_exact(&mut rest).await?;
    let [b, c, d, kind @ ..] = rest;
    let length = u32::from_be_bytes([first, b, c, d]) as usize;
    let content = length.checked_sub(8).filter(|length| *length <= MAX_BOX);
    let content = content.ok_or_else(|| broken("a box has no length"))?;
    whole.extend_from_slice(&[&[first], rest.as_slice()].concat());
    let begin = whole.len();
    whole.resize(begin + content, 0);
    if let Some(place) = whole.get_mut(begin..) {
        from.read_exact(place).await?;
    }
    Ok(Some(kind))
}

/// How many samples the track fragment has whose boxes these are, which end with a `moof`: as many frames
/// as its runs count.
fn samples_of(boxes: &[u8]) -> Option<u32> {
    let moof = child_of(boxes, *b"moof")?;
    let run = child_of(child_of(moof, *b"traf")?, *b"trun")?;
    u32::from_be_bytes(run.get(4..8)?.try_into().ok()?).checked_mul(FRAME)
}

/// The content of the first box of this kind among `boxes`.
fn child_of(mut boxes: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    loop {
        let length = u32::from_be_bytes(boxes.get(..4)?.try_into().ok()?) as usize;
        let one = boxes.get(..length).filter(|one| one.len() >= 8)?;
        if one.get(4..8)? == kind {
            return one.get(8..);
        }
        boxes = boxes.get(length..)?;
    }
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the live sound is broken: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap();
        [size.to_be_bytes().as_slice(), &kind, content].concat()
    }

    /// A fragment of so many frames.
    fn fragment(frames: u32) -> Vec<u8> {
        let run = boxed(*b"trun", &[&[0; 4], frames.to_be_bytes().as_slice()].concat());
        let track = boxed(*b"traf", &[boxed(*b"tfhd", &[0; 8]), run].concat());
        let moof = boxed(*b"moof", &[boxed(*b"mfhd", &[0; 8]), track].concat());
        [moof, boxed(*b"mdat", &[7; 100])].concat()
    }

    async fn read(parts: &[Vec<u8>]) -> io::Result<Vec<u32>> {
        let (to, mut from) = tokio::sync::mpsc::channel(WAITING);
        super::read(parts.concat().as_slice(), to).await?;
        let (mut seen, mut bytes) = (Vec::new(), Vec::new());
        while let Some(fragment) = from.recv().await {
            let (samples, part) = match fragment {
                Fragment::Head(part) => (0, part),
                Fragment::Sound { bytes, samples } => (samples, bytes),
            };
            seen.push(samples);
            bytes.extend_from_slice(&part);
        }
        assert_eq!(bytes, parts.concat(), "nothing is lost or moved");
        Ok(seen)
    }

    #[tokio::test]
    async fn fragments_come_whole_and_in_order() {
        let head = [boxed(*b"ftyp", b"iso5"), boxed(*b"moov", &[0; 30])].concat();
        let seen = read(&[head.clone(), fragment(94), fragment(94), fragment(5)]).await;
        assert_eq!(seen.unwrap(), [0, LIVE_SAMPLES, LIVE_SAMPLES, 5 * FRAME]);
        assert_eq!(read(&[head]).await.unwrap(), [0]);
    }

    #[tokio::test]
    async fn what_is_no_fragment_of_ours_is_refused() {
        let cut = fragment(94)[..60].to_vec();
        let endless = [&[0xff; 4], b"mdat".as_slice()].concat();
        for broken in [cut, endless, vec![0; 8], fragment(95), boxed(*b"mdat", b""), vec![1; 3]] {
            assert!(read(std::slice::from_ref(&broken)).await.is_err(), "{broken:?}");
        }
        assert!(read(&[fragment(5), fragment(94)]).await.is_err(), "a short one is the last one");
    }
}
