//! A folder as a store: keys, races, litter.

use std::fs;

use pipeline::Media;
use tempfile::TempDir;

use super::*;

struct Bench {
    folder: TempDir,
    store: FileStore,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("file://{}/st ore", folder.path().display());
        let store = FileStore::open(&url, "worker-1").unwrap();
        Self { folder, store }
    }

    fn delivery(&self, tenant: &str, content: &str) -> Delivery {
        let path = self.folder.path().join(content);
        fs::write(&path, content).unwrap();
        Delivery {
            tenant: tenant.to_owned(),
            job: JobId::parse("job-1").unwrap(),
            format: Format::Audio,
            media: Media { path, duration_s: 1.5 },
            stages: vec![],
        }
    }

    /// Names of all files in the store.
    fn files(&self) -> Vec<String> {
        let folder = self.store.path("media/default/job-1");
        let mut names: Vec<String> = fs::read_dir(folder)
            .map(|entries| entries.map(|e| e.unwrap().file_name().display().to_string()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }
}

// printf hello | sha256sum
const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

#[tokio::test]
async fn a_key_names_its_bytes_and_a_manifest_lies_beside() {
    let bench = Bench::new();
    let artifact = bench.store.put(&bench.delivery("default", "hello")).await.unwrap().value;
    assert_eq!(artifact.key, format!("media/default/job-1/{HELLO}.m4a"));
    assert_eq!((artifact.bytes, artifact.content_type.as_str()), (5, "audio/mp4"));
    assert!(artifact.url.starts_with("file:///") && artifact.url.contains("/st%20ore/media/"));
    assert_eq!(fs::read_to_string(artifact.path.unwrap()).unwrap(), "hello");
    assert_eq!(bench.files(), [format!("{HELLO}.json"), format!("{HELLO}.m4a")]);
    let manifest = fs::read(bench.store.path(&artifact.key).with_extension("json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!((&manifest["sha256"], &manifest["job"]), (&HELLO.into(), &"job-1".into()));
}

#[tokio::test]
async fn many_puts_of_one_key_agree_and_leave_no_litter() {
    let bench = Bench::new();
    let delivery = bench.delivery("default", "hello");
    let puts = (0..16).map(|_| bench.store.put(&delivery));
    let artifacts = futures::future::try_join_all(puts).await.unwrap();
    assert!(artifacts.windows(2).all(|pair| pair[0].value == pair[1].value));
    assert_eq!(bench.files().len(), 2);
}

#[tokio::test]
async fn other_bytes_under_the_key_are_never_served_silently() {
    let bench = Bench::new();
    let delivery = bench.delivery("default", "hello");
    let artifact = bench.store.put(&delivery).await.unwrap().value;
    fs::write(artifact.path.unwrap(), "hell").unwrap();
    let error = bench.store.put(&delivery).await.unwrap_err();
    assert_eq!(error.code, "artifact-conflict");
}

#[tokio::test]
async fn a_purge_removes_the_job_and_nothing_else() {
    let bench = Bench::new();
    let job = JobId::parse("job-1").unwrap();
    bench.store.put(&bench.delivery("default", "hello")).await.unwrap();
    bench.store.put(&bench.delivery("other", "hello")).await.unwrap();
    assert!(bench.store.purge("default", &job).await.unwrap());
    assert!(!bench.store.purge("default", &job).await.unwrap());
    assert_eq!(bench.files(), Vec::<String>::new());
    assert!(bench.store.path(&format!("media/other/job-1/{HELLO}.m4a")).exists());
}

#[tokio::test]
async fn names_never_leave_the_store() {
    let bench = Bench::new();
    for tenant in ["..", "a/b", "", "/etc"] {
        let error = bench.store.put(&bench.delivery(tenant, "hello")).await.unwrap_err();
        assert_eq!(error.code, "delivery-invalid", "{tenant}");
    }
    for url in ["s3://bucket", "file://relative", "file:///a%20b", "/plain"] {
        assert!(matches!(FileStore::open(url, "w"), Err(StoreError::Address)), "{url}");
    }
}

#[tokio::test]
async fn only_stale_parts_are_swept() {
    let bench = Bench::new();
    assert_eq!(bench.store.sweep().unwrap(), 0, "there is no folder yet");
    bench.store.put(&bench.delivery("default", "hello")).await.unwrap();
    let part = bench.store.path("media/default/job-1/x.m4a.worker-0.0.part");
    fs::write(&part, "half").unwrap();
    assert_eq!(bench.store.sweep().unwrap(), 0, "it may still be written");
    let file = fs::File::options().write(true).open(&part).unwrap();
    let two_hours_ago = file.metadata().unwrap().modified().unwrap() - 2 * STALE;
    file.set_modified(two_hours_ago).unwrap();
    assert_eq!(bench.store.sweep().unwrap(), 1);
    assert!(!part.exists());
    assert_eq!(bench.files().len(), 2);
}

#[tokio::test]
async fn a_public_base_url_is_what_people_fetch() {
    let bench = Bench::new();
    let store = bench.store.clone().with_public_base_url("https://media.example.org/");
    let artifact = store.put(&bench.delivery("default", "hello")).await.unwrap().value;
    assert_eq!(artifact.url, format!("https://media.example.org/media/default/job-1/{HELLO}.m4a"));
}
