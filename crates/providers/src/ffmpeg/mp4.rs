//! An MP4 file goes in; what its index says comes out, without trusting the program that wrote it.

use std::io::{self, Read, Seek, SeekFrom};

/// An index larger than this is not one of ours.
const MAX_INDEX: u64 = 16 << 20;
/// A file with more boxes than this is not one of ours.
const MAX_ATOMS: usize = 4_096;

/// What a player learns from the file before it plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Facts {
    /// Playing time of the whole file in seconds.
    pub(super) duration_s: f64,
    /// Whether the index comes before the data, so that playing can begin at once.
    pub(super) faststart: bool,
}

impl Facts {
    /// The playing time, if a player finds it in front.
    pub(super) fn told_in_front(&self) -> io::Result<f64> {
        if self.faststart {
            Ok(self.duration_s)
        } else {
            Err(broken("its index lies behind its data"))
        }
    }
}

/// One box: its four letters, where its content begins, how long that is.
struct Atom {
    kind: [u8; 4],
    start: u64,
    length: u64,
}

/// Reads a file. No number in it is believed further than it reaches.
pub(crate) fn read(file: &mut (impl Read + Seek)) -> io::Result<Facts> {
    let atoms = atoms(file)?;
    let place = |kind: &[u8; 4]| atoms.iter().position(|atom| &atom.kind == kind);
    let (Some(index), Some(data)) = (place(b"moov"), place(b"mdat")) else {
        return Err(broken("it has no index or no data"));
    };
    let moov = &atoms[index];
    if moov.length > MAX_INDEX {
        return Err(broken("its index is too large"));
    }
    file.seek(SeekFrom::Start(moov.start))?;
    let mut content = Vec::new();
    file.take(moov.length).read_to_end(&mut content)?;
    let duration_s = duration(&content).ok_or_else(|| broken("its index says no duration"))?;
    Ok(Facts { duration_s, faststart: index < data })
}

/// The top-level boxes; they must fill the file exactly.
fn atoms(file: &mut (impl Read + Seek)) -> io::Result<Vec<Atom>> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut atoms = Vec::new();
    let mut at = 0;
    while at < end {
        file.seek(SeekFrom::Start(at))?;
        let mut head = Vec::new();
        file.by_ref().take(16).read_to_end(&mut head)?;
        let atom = atom(&head, at).filter(|_| atoms.len() < MAX_ATOMS);
        let atom = atom.ok_or_else(|| broken("a box is cut short"))?;
        at = atom.start.checked_add(atom.length).ok_or_else(|| broken("a box has no end"))?;
        atoms.push(atom);
    }
    if at == end { Ok(atoms) } else { Err(broken("its last box is cut short")) }
}

fn atom(head: &[u8], at: u64) -> Option<Atom> {
    let kind = head.get(4..8)?.try_into().ok()?;
    let (size, header) = match u32_at(head, 0)? {
        1 => (u64_at(head, 8)?, 16),
        size => (u64::from(size), 8),
    };
    Some(Atom { kind, start: at + header, length: size.checked_sub(header)? })
}

/// The movie header is the first box of the index; version 1 has wider fields.
fn duration(moov: &[u8]) -> Option<f64> {
    let header = moov.get(8..).filter(|_| moov.get(4..8) == Some(b"mvhd"))?;
    let (scale, ticks) = match header.first()? {
        0 => (u32_at(header, 12)?, u64::from(u32_at(header, 16)?)),
        _ => (u32_at(header, 20)?, u64_at(header, 24)?),
    };
    (scale > 0).then(|| ticks as f64 / f64::from(scale))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the file is broken: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap();
        [size.to_be_bytes().as_slice(), kind.as_slice(), content].concat()
    }

    fn index(scale: u32, ticks: u32) -> Vec<u8> {
        let header = [&[0; 12], scale.to_be_bytes().as_slice(), &ticks.to_be_bytes()].concat();
        boxed(*b"moov", &boxed(*b"mvhd", &header))
    }

    fn read(parts: &[Vec<u8>]) -> io::Result<Facts> {
        super::read(&mut io::Cursor::new(parts.concat()))
    }

    #[test]
    fn the_order_and_the_duration_are_read() {
        let data = boxed(*b"mdat", &[7; 100]);
        let front = read(&[boxed(*b"ftyp", b"isom"), index(1000, 2500), data.clone()]).unwrap();
        assert_eq!(front, Facts { duration_s: 2.5, faststart: true });
        assert!((front.told_in_front().unwrap() - 2.5).abs() < f64::EPSILON);
        let behind = read(&[data, index(1000, 2500)]).unwrap();
        assert!(behind.told_in_front().is_err(), "a player would have to read it all first");
    }

    #[test]
    fn broken_files_are_refused() {
        let cut = boxed(*b"mdat", &[7; 100])[..50].to_vec();
        for parts in [vec![], vec![index(1000, 1)], vec![index(1000, 1), cut], vec![vec![0; 3]]] {
            assert!(read(&parts).is_err(), "{parts:?}");
        }
        assert!(read(&[index(0, 1), boxed(*b"mdat", b"")]).is_err());
        let endless = [[0, 0, 0, 1].as_slice(), b"mdat", &[0xff; 8]].concat();
        assert!(read(&[index(1000, 1), endless]).is_err(), "its end lies behind all numbers");
    }
}
