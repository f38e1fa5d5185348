//! A folder goes in; how far the soak has come comes out, however it was ended.
//!
//! Files are only appended to, in whole numbers of four bytes: what a kill has torn off was not there.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Bytes of a number.
const WIDTH: usize = 4;

/// What is known of the soak beside Redis.
pub(crate) struct State {
    folder: PathBuf,
    acknowledged: File,
    /// How many jobs the queue has acknowledged: those with smaller numbers.
    pub(crate) next: u32,
    /// Which run of the program this is, from 1.
    pub(crate) run: usize,
}

impl State {
    /// Goes on in `folder`, or begins there.
    pub(crate) fn open(folder: &Path, jobs: u32) -> anyhow::Result<Self> {
        fs::create_dir_all(folder.join("redis"))?;
        let plan = folder.join("jobs");
        match fs::read_to_string(&plan) {
            Ok(begun) => anyhow::ensure!(
                begun.trim() == jobs.to_string(),
                "{} was begun with --jobs {}; go on with as many, or remove the folder",
                folder.display(),
                begun.trim()
            ),
            Err(_) => fs::write(&plan, jobs.to_string())?,
        }
        let path = folder.join("acknowledged");
        let next = numbers(&path)?.last().copied().unwrap_or_default();
        let acknowledged = appended(&path)?;
        let runs = folder.join("begun");
        appended(&runs)?.write_all(b".")?;
        let run = usize::try_from(fs::metadata(&runs)?.len())?;
        Ok(Self { folder: folder.to_owned(), acknowledged, next, run })
    }

    /// All jobs up to this number are acknowledged.
    pub(crate) fn acknowledge(&mut self, next: u32) -> anyhow::Result<()> {
        self.acknowledged.write_all(&next.to_le_bytes())?;
        self.next = next;
        Ok(())
    }

    /// The program has ended its workers, so that none was cut off.
    pub(crate) fn ended_in_order(&self) -> anyhow::Result<()> {
        Ok(appended(&self.folder.join("ended"))?.write_all(b".")?)
    }

    /// How many runs were cut off.
    pub(crate) fn cut_off(&self) -> anyhow::Result<usize> {
        let ended = fs::metadata(self.folder.join("ended")).map_or(0, |file| file.len());
        Ok(self.run.saturating_sub(usize::try_from(ended)?))
    }

    /// How often each acknowledged job ran.
    pub(crate) fn runs(&self) -> anyhow::Result<Vec<u32>> {
        let mut runs = vec![0; usize::try_from(self.next)?];
        for path in self.written("runs")? {
            for number in numbers(&path)? {
                *runs.get_mut(usize::try_from(number)?).context("a job that nobody sent")? += 1;
            }
        }
        Ok(runs)
    }

    /// How many reports were accepted.
    pub(crate) fn accepted(&self) -> anyhow::Result<u64> {
        let paths = self.written("done")?.into_iter();
        Ok(paths.map(|path| fs::metadata(path).map_or(0, |file| file.len())).sum())
    }

    fn written(&self, kind: &str) -> anyhow::Result<Vec<PathBuf>> {
        let paths = fs::read_dir(&self.folder)?.map(|entry| entry.map(|entry| entry.path()));
        let paths = paths.collect::<Result<Vec<_>, _>>()?.into_iter();
        Ok(paths.filter(|path| path.extension().is_some_and(|end| end == kind)).collect())
    }
}

fn appended(path: &Path) -> anyhow::Result<File> {
    Ok(OpenOptions::new().create(true).append(true).open(path)?)
}

/// The whole numbers in a file; none where there is none.
fn numbers(path: &Path) -> anyhow::Result<Vec<u32>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = fs::read(path)?;
    let (whole, _) = bytes.as_chunks::<WIDTH>();
    Ok(whole.iter().copied().map(u32::from_le_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_where_it_was_and_a_torn_number_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = State::open(folder.path(), 500).unwrap();
        assert_eq!((state.next, state.run), (0, 1));
        state.acknowledge(100).unwrap();
        state.acknowledge(200).unwrap();
        appended(&folder.path().join("acknowledged")).unwrap().write_all(&[9, 9]).unwrap();
        let again = State::open(folder.path(), 500).unwrap();
        assert_eq!((again.next, again.run, again.cut_off().unwrap()), (200, 2, 2));
        again.ended_in_order().unwrap();
        assert_eq!(again.cut_off().unwrap(), 1);
        assert!(State::open(folder.path(), 501).is_err(), "another number of jobs");
    }

    #[test]
    fn what_every_worker_has_written_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = State::open(folder.path(), 3).unwrap();
        state.acknowledge(3).unwrap();
        let write = |name: &str, numbers: &[u32]| {
            let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
            fs::write(folder.path().join(name), bytes).unwrap();
        };
        write("one.runs", &[0, 2]);
        write("two.runs", &[2]);
        fs::write(folder.path().join("one.done"), "..").unwrap();
        fs::write(folder.path().join("two.done"), ".").unwrap();
        assert_eq!((state.runs().unwrap(), state.accepted().unwrap()), (vec![1, 0, 2], 3));
    }
}
