//! A finished job's files go in, copies of them in the person's folder come out.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use stillcast_enqueue::{Artifact, JobRecord};

/// Copies the delivered files of job `id` into `folder`, from where they lie in `store`; answers where
/// the artifact is now, as an absolute path. What lies beside it gets the same name with another ending.
pub(super) async fn copy_into(
    folder: &Path,
    record: &JobRecord,
    artifact: &Artifact,
    store: &Path,
) -> anyhow::Result<PathBuf> {
    let place = |path: &Option<String>, key: &str| {
        path.as_ref().map_or_else(|| store.join(key), PathBuf::from)
    };
    let (source, id) = (place(&artifact.path, &artifact.key), &record.id);
    let ending = source.extension().unwrap_or_default().display().to_string();
    let target = std::path::absolute(folder.join(file_name(id, &ending)))?;
    let extras = record.extras.iter().map(|(name, extra)| {
        let ending = name.strip_prefix("captions.").unwrap_or(name);
        (place(&extra.path, &extra.key), target.with_file_name(file_name(id, ending)))
    });
    let files: Vec<_> = extras.chain([(source, target.clone())]).collect();
    let copying = tokio::task::spawn_blocking(move || {
        files.into_iter().try_for_each(|(source, target)| copy(&source, &target))
    });
    copying.await??;
    Ok(target)
}

/// `meditation-<short id>.<ending>`: the end of an identifier tells jobs apart, its start is a time.
fn file_name(id: &str, ending: &str) -> String {
    const SHORT: usize = 8;
    let short: String = id.chars().skip(id.chars().count().saturating_sub(SHORT)).collect();
    format!("meditation-{short}.{ending}")
}

/// Writes to a temporary file and renames it when it is whole, so that half a file is never seen.
fn copy(source: &Path, target: &Path) -> anyhow::Result<()> {
    let folder = target.parent().context("a file lies in a folder")?;
    let read = || format!("{} cannot be read", source.display());
    let wrote = || format!("{} cannot be written", target.display());
    let mut source = std::fs::File::open(source).with_context(read)?;
    let mode = Permissions::from_mode(0o666);
    let part =
        tempfile::Builder::new().prefix(".meditation-").permissions(mode).tempfile_in(folder);
    let mut part = part.with_context(wrote)?;
    std::io::copy(&mut source, &mut part).with_context(wrote)?;
    part.persist(target).with_context(wrote)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_tells_jobs_apart() {
        let name = file_name("01a206f6-7eaf-72f4-a002-4bc7ee311fcb", "m4a");
        assert_eq!(name, "meditation-ee311fcb.m4a");
    }

    #[test]
    fn a_copy_is_whole_and_replaces_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("a"), folder.path().join("b.m4a"));
        std::fs::write(&source, "new").unwrap();
        std::fs::write(&target, "old").unwrap();
        copy(&source, &target).unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        let error = copy(&folder.path().join("gone"), &target).unwrap_err();
        assert!(format!("{error:#}").contains("gone cannot be read"));
    }
}
