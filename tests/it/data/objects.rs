//! One suite for every store: a folder, s3s-fs and moto must agree.

use std::time::Duration;

use bytes::Bytes;
use pipeline::{Beside, Extra, Media, ObjectKey};
use providers::store::{Store, StoreOptions, open, read};
use stillcast_enqueue::{JobId, StageName};
use tests::bucket::{self, Bucket};

use crate::support::{Files, store, target};

/// Small objects are kept whole, once, apart, and can be taken away.
async fn keeps_objects(store: &dyn Store) {
    let job = JobId::parse("job-1").unwrap();
    let folder = ObjectKey::work("acme", &job).unwrap();
    let key = folder.join("passage-0.pcm").unwrap();
    assert_eq!(store.get(&key).await.unwrap(), None);
    assert_eq!(store.size(&key).await.unwrap(), None);
    assert!(store.list(&folder).await.unwrap().is_empty());
    assert!(!store.copy(&key, &folder.join("copy").unwrap()).await.unwrap());
    assert_eq!(store.delete_prefix(&folder).await.unwrap(), 0);

    assert!(store.put_if_absent(&key, Bytes::from_static(b"first")).await.unwrap());
    assert!(!store.put_if_absent(&key, Bytes::from_static(b"second one")).await.unwrap());
    assert_eq!(store.get(&key).await.unwrap().unwrap(), "first");
    assert_eq!(store.size(&key).await.unwrap(), Some(5));

    let shared = ObjectKey::cache("acme", StageName::Tts, "0f").unwrap();
    assert!(store.copy(&key, &shared).await.unwrap());
    assert!(store.copy(&key, &shared).await.unwrap(), "repeating it is harmless");
    assert_eq!(store.get(&shared).await.unwrap().unwrap(), "first");

    // A neighbour whose name begins alike is nobody's folder.
    let neighbour = ObjectKey::parse("work/acme/job-10/x").unwrap();
    store.put_if_absent(&neighbour, Bytes::new()).await.unwrap();
    store
        .put_if_absent(&folder.join("deep").unwrap().join("er").unwrap(), Bytes::from_static(b"x"))
        .await
        .unwrap();
    let mut listed = store.list(&folder).await.unwrap();
    listed.sort_by(|one, other| one.key.cmp(&other.key));
    let facts: Vec<(&str, u64)> =
        listed.iter().map(|object| (object.key.as_str(), object.bytes)).collect();
    assert_eq!(facts, [("work/acme/job-1/deep/er", 1), ("work/acme/job-1/passage-0.pcm", 5)]);
    assert!(listed.iter().all(|object| object.age < Duration::from_mins(10)), "{listed:?}");
    assert_eq!(store.delete_prefix(&folder).await.unwrap(), 2);
    assert_eq!(store.get(&key).await.unwrap(), None);
    assert_eq!(store.size(&neighbour).await.unwrap(), Some(0));
    assert_eq!(store.delete_prefix(&neighbour).await.unwrap(), 1, "an object alone");
}

/// Two puts of one key at once: somebody makes it, and what was made stays, whole.
async fn settles_races(store: &dyn Store) {
    for round in 0..10 {
        let key = ObjectKey::cache("acme", StageName::Image, &format!("race-{round}")).unwrap();
        let put =
            |side: &'static str| store.put_if_absent(&key, Bytes::from_static(side.as_bytes()));
        let (left, right) = tokio::join!(put("left"), put("right"));
        assert!(left.unwrap() || right.unwrap(), "somebody made it");
        let stays = store.get(&key).await.unwrap().unwrap();
        assert!(stays == "left" || stays == "right", "{stays:?}");
        assert!(!put("later").await.unwrap());
        assert_eq!(store.get(&key).await.unwrap().unwrap(), stays);
    }
}

/// A delivery is repeated, adopted by another job, and purged.
async fn delivers(store: &dyn Store) {
    let files = Files::new();
    for bytes in [0, 1_000, 17 << 20] {
        let media = files.of(bytes);
        let first = store.put(&target("job-1"), &media).await.unwrap().value;
        let again = store.put(&target("job-1"), &media).await.unwrap().value;
        assert_eq!((&first.key, &first.sha256), (&again.key, &again.sha256));
        assert_eq!(first.key, format!("media/acme/job-1/{}.mp4", first.sha256));
        assert_eq!((first.bytes, first.content_type.as_str()), (bytes as u64, "video/mp4"));
        let key = ObjectKey::parse(&first.key).unwrap();
        let stored = store.get(&key).await.unwrap().unwrap();
        assert!(stored == std::fs::read(&media.path).unwrap(), "{bytes} bytes came back");
        let manifest = key.as_str().replace(".mp4", ".json");
        let manifest = store.get(&ObjectKey::parse(&manifest).unwrap()).await.unwrap().unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["sha256"], first.sha256.as_str());

        let adopted = store.adopt(&target("job-2"), &first).await.unwrap().unwrap().value;
        assert_eq!(adopted.key, format!("media/acme/job-2/{}.mp4", first.sha256));
        assert_eq!(
            store.size(&ObjectKey::parse(&adopted.key).unwrap()).await.unwrap(),
            Some(bytes as u64)
        );
        let shorter = stillcast_enqueue::Artifact { bytes: 7, ..first.clone() };
        assert!(store.adopt(&target("job-3"), &shorter).await.unwrap().is_none());
    }
    let job = JobId::parse("job-1").unwrap();
    assert!(store.purge("acme", &job).await.unwrap());
    assert!(!store.purge("acme", &job).await.unwrap());
    let kept = store.list(&ObjectKey::parse("media/acme/job-2").unwrap()).await.unwrap();
    assert_eq!(kept.len(), 6, "the copies and their manifests are job-2's own");
    delivers_what_lies_beside(store, &files).await;
    store.probe().await.unwrap();
}

/// Captions lie beside the file under keys that name their bytes, and are adopted with it or not at all.
async fn delivers_what_lies_beside(store: &dyn Store, files: &Files) {
    let captions = files.of(300);
    let beside = Beside { extra: Extra::Vtt, path: captions.path.clone() };
    let media = Media { extras: vec![beside], ..files.of(2_000) };
    let first = store.put(&target("job-4"), &media).await.unwrap().value;
    let extra = &first.extras["captions.vtt"];
    assert_eq!(extra.key, format!("media/acme/job-4/{}.vtt", extra.sha256));
    assert_eq!((extra.bytes, extra.content_type.as_str()), (300, "text/vtt; charset=utf-8"));
    let stored = read(store, &extra.key).await.unwrap().unwrap();
    assert!(stored == std::fs::read(&captions.path).unwrap());
    let manifest = first.key.replace(".mp4", ".json");
    let manifest = read(store, &manifest).await.unwrap().unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["extras"]["captions.vtt"], extra.key.as_str());

    let adopted = store.adopt(&target("job-5"), &first).await.unwrap().unwrap().value;
    let copied = &adopted.extras["captions.vtt"];
    assert_eq!(copied.key, format!("media/acme/job-5/{}.vtt", extra.sha256));
    assert_eq!(store.size(&ObjectKey::parse(&copied.key).unwrap()).await.unwrap(), Some(300));
    store.delete_prefix(&ObjectKey::parse(&extra.key).unwrap()).await.unwrap();
    assert!(store.adopt(&target("job-6"), &first).await.unwrap().is_none(), "half is not enough");
    let job = JobId::parse("job-5").unwrap();
    assert!(store.purge("acme", &job).await.unwrap());
    assert!(read(store, &copied.key).await.unwrap().is_none(), "a purge takes them along");
}

/// What is shared anew is young again, so that no sweep takes it while its time lasts.
async fn renews_copies(store: &dyn Store, age: impl Fn(&ObjectKey)) {
    let own = ObjectKey::parse("work/acme/job-9/0e").unwrap();
    let shared = ObjectKey::cache("acme", StageName::Tts, "0e").unwrap();
    store.put_if_absent(&own, Bytes::from_static(b"sound")).await.unwrap();
    for old in [&own, &shared] {
        assert!(store.copy(&own, &shared).await.unwrap());
        age(old);
        assert!(store.copy(&own, &shared).await.unwrap());
        let listed = store.list(&ObjectKey::parse("cache/acme").unwrap()).await.unwrap();
        let found = listed.iter().find(|object| object.key == shared).unwrap();
        assert!(found.age < Duration::from_mins(10), "{found:?}");
    }
    assert_eq!(store.get(&shared).await.unwrap().unwrap(), "sound");
}

async fn passes(store: &dyn Store) {
    keeps_objects(store).await;
    delivers(store).await;
}

#[tokio::test]
async fn a_folder_passes() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().display());
    let options = StoreOptions { url, writer: "worker".to_owned(), ..StoreOptions::default() };
    let store = open(&options).await.unwrap();
    passes(&*store).await;
    settles_races(&*store).await;
    let old = Duration::from_hours(2);
    renews_copies(&*store, |key| bucket::age(&folder.path().join(key.as_str()), old).unwrap())
        .await;
}

/// But for races: s3s-fs looks and writes in two steps, and tears its own checksums.
#[tokio::test]
async fn s3s_fs_passes() {
    let bucket = Bucket::here().await.unwrap();
    let store = store(&bucket).await;
    passes(&*store).await;
    let old = Duration::from_hours(2);
    renews_copies(&*store, |key| bucket.age(&format!("a/prefix/{key}"), old).unwrap()).await;
    let names = bucket.objects().await.unwrap();
    assert!(names.iter().all(|name| name.starts_with("a/prefix/")), "{names:?}");
}

#[tokio::test]
async fn moto_passes() {
    let bucket = Bucket::moto().await.unwrap();
    let store = store(&bucket).await;
    passes(&*store).await;
    settles_races(&*store).await;
    assert_eq!(bucket.pending().await.unwrap(), 0);
}
