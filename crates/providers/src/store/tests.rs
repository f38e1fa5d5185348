//! A folder as a store: keys, races, litter.

use std::path::PathBuf;
use std::time::Duration;
use std::{fs, io};

use pipeline::{ArtifactStore, Media, ProviderError, UploadTarget};
use stillcast_enqueue::{Artifact, Container, Format, JobId};
use tempfile::TempDir;

use super::fs::FileStore;
use super::*;

struct StoreHarness {
    folder: TempDir,
    store: FileStore,
}

impl StoreHarness {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("file://{}/st ore", folder.path().display());
        Self { store: FileStore::open(&at(&url)).unwrap(), folder }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.path().join("st ore").join(key)
    }

    /// Delivers a file of this content for `job-1` of `tenant`.
    async fn put(&self, tenant: &str, content: &str) -> Result<Artifact, ProviderError> {
        // Each put has a file of its own, as each attempt has.
        let mut file = tempfile::NamedTempFile::new_in(self.folder.path()).unwrap();
        io::Write::write_all(&mut file, content.as_bytes()).unwrap();
        let media = Media {
            path: file.path().to_owned(),
            container: Container::M4a,
            duration_s: 1.5,
            extras: Vec::new(),
        };
        self.store.put(&target(tenant, "job-1"), &media).await.map(|answer| answer.value)
    }

    /// Names of all files in the store.
    fn files(&self) -> Vec<String> {
        let folder = self.path("media/default/job-1");
        let mut names: Vec<String> = fs::read_dir(folder)
            .map(|entries| entries.map(|e| e.unwrap().file_name().display().to_string()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }
}

fn at(url: &str) -> StoreOptions {
    let (url, writer) = (url.to_owned(), "worker-1".to_owned());
    StoreOptions { url, writer, ..StoreOptions::default() }
}

fn target(tenant: &str, job: &str) -> UploadTarget {
    let job = JobId::parse(job).unwrap();
    UploadTarget { tenant: tenant.to_owned(), job, format: Format::Audio, stages: vec![] }
}

// printf hello | sha256sum
const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

#[tokio::test]
async fn a_key_names_its_bytes_and_a_manifest_lies_beside() {
    let harness = StoreHarness::new();
    let artifact = harness.put("default", "hello").await.unwrap();
    assert_eq!(artifact.key, format!("media/default/job-1/{HELLO}.m4a"));
    assert_eq!((artifact.bytes, artifact.content_type.as_str()), (5, "audio/mp4"));
    assert!(artifact.url.starts_with("file:///") && artifact.url.contains("/st%20ore/media/"));
    assert_eq!(fs::read_to_string(artifact.path.unwrap()).unwrap(), "hello");
    assert_eq!(harness.files(), [format!("{HELLO}.json"), format!("{HELLO}.m4a")]);
    let manifest = fs::read(harness.path(&artifact.key).with_extension("json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!((&manifest["sha256"], &manifest["job"]), (&HELLO.into(), &"job-1".into()));
}

#[tokio::test]
async fn many_puts_of_one_key_agree_and_leave_no_litter() {
    let harness = StoreHarness::new();
    let puts = (0..16).map(|_| harness.put("default", "hello"));
    let artifacts = futures::future::try_join_all(puts).await.unwrap();
    assert!(artifacts.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(harness.files().len(), 2);
}

#[tokio::test]
async fn other_bytes_under_the_key_are_never_served_silently() {
    let harness = StoreHarness::new();
    let artifact = harness.put("default", "hello").await.unwrap();
    fs::write(artifact.path.unwrap(), "hell").unwrap();
    let error = harness.put("default", "hello").await.unwrap_err();
    assert_eq!(error.code, "artifact-conflict");
}

#[tokio::test]
async fn a_purge_removes_the_job_and_nothing_else() {
    let harness = StoreHarness::new();
    let job = JobId::parse("job-1").unwrap();
    harness.put("default", "hello").await.unwrap();
    harness.put("other", "hello").await.unwrap();
    assert!(harness.store.purge("default", &job).await.unwrap());
    assert!(!harness.store.purge("default", &job).await.unwrap());
    assert_eq!(harness.files(), Vec::<String>::new());
    assert!(harness.path(&format!("media/other/job-1/{HELLO}.m4a")).exists());
}

#[tokio::test]
async fn names_never_leave_the_store() {
    let harness = StoreHarness::new();
    for tenant in ["..", "a/b", "", "/etc"] {
        let error = harness.put(tenant, "hello").await.unwrap_err();
        assert_eq!(error.code, "delivery-invalid", "{tenant}");
    }
    for url in ["s3://bucket", "file://relative", "file:///a%20b", "/plain"] {
        assert!(matches!(FileStore::open(&at(url)), Err(StoreError::Address)), "{url}");
    }
}

#[tokio::test]
async fn only_stale_parts_are_swept() {
    let harness = StoreHarness::new();
    assert_eq!(harness.store.sweep().await.unwrap(), 0, "there is no folder yet");
    harness.put("default", "hello").await.unwrap();
    let part = harness.path("media/default/job-1/x.m4a.worker-0.0.part");
    fs::write(&part, "half").unwrap();
    assert_eq!(harness.store.sweep().await.unwrap(), 0, "it may still be written");
    let file = fs::File::options().write(true).open(&part).unwrap();
    let two_hours_ago = file.metadata().unwrap().modified().unwrap() - Duration::from_hours(2);
    file.set_modified(two_hours_ago).unwrap();
    assert_eq!(harness.store.sweep().await.unwrap(), 1);
    assert!(!part.exists());
    assert_eq!(harness.files().len(), 2);
}

#[tokio::test]
async fn a_public_base_url_is_what_people_fetch() {
    let harness = StoreHarness::new();
    let url = format!("file://{}", harness.path("").display());
    let public_base_url = Some("https://media.example.org/".to_owned());
    let store = FileStore::open(&StoreOptions { public_base_url, ..at(&url) }).unwrap();
    let harness = StoreHarness { store, ..harness };
    let artifact = harness.put("default", "hello").await.unwrap();
    assert_eq!(artifact.url, format!("https://media.example.org/media/default/job-1/{HELLO}.m4a"));
}

#[tokio::test]
async fn an_address_says_which_store_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().display());
    let store = open(&at(&url)).await.unwrap();
    assert_eq!(store.provider(), "file-store");
    #[cfg(feature = "s3")]
    assert_eq!(open(&at("s3://media/a")).await.unwrap().provider(), "s3");
    for url in ["", "/a/folder", "s3:/bucket", "gs://bucket", "file://relative"] {
        assert!(matches!(open(&at(url)).await.err(), Some(StoreError::Address)), "{url}");
    }
}

#[tokio::test]
async fn a_folder_is_looked_at_behind_a_write() {
    let harness = StoreHarness::new();
    let key = pipeline::ObjectKey::parse("media/default/job-1/x.m4a").unwrap();
    let short = |part: &std::path::Path| fs::write(part, "half").map_err(error::at(part));
    let error = harness.store.place(&key, 8, short).unwrap_err();
    assert!(error.to_string().ends_with("x.m4a: Some(4) of 8 B"), "{error}");
    assert_eq!(harness.files(), Vec::<String>::new(), "half a file serves nobody");
    assert!(harness.store.place(&key, 4, short).unwrap());
}
