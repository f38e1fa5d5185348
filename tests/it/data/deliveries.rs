//! What stands beside a delivered file: headers, addresses, and a second writer.

use pipeline::FailureClass;
use providers::store::{StoreOptions, open};
use tests::bucket::{BUCKET, Bucket};

use crate::support::{Files, fetch, options, store, target};

/// A presigned address gives the file with its headers, to anybody, without a key.
async fn can_be_fetched(bucket: &Bucket) {
    let files = Files::new();
    for bytes in [1_000, 17 << 20] {
        let media = files.of(bytes);
        let artifact = store(bucket).await.put(&target("job-1"), &media).await.unwrap().value;
        assert!(artifact.url.contains("X-Amz-Signature="), "{}", artifact.url);
        let (head, body) = fetch(&artifact.url).await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains("content-type: video/mp4"), "{head}");
        assert!(head.contains("cache-control: private, immutable"), "{head}");
        assert!(head.contains("inline; filename=\"meditation.mp4\""), "{head}");
        assert!(body == std::fs::read(&media.path).unwrap(), "{} of {bytes} bytes", body.len());
        let unsigned = artifact.url.split('?').next().unwrap();
        let (head, _) = fetch(unsigned).await;
        assert!(!head.starts_with("http/1.1 200") || bucket.script.heard("PutObject") == 0);
    }
}

#[tokio::test]
async fn a_presigned_address_works_on_s3s_fs() {
    can_be_fetched(&Bucket::here().await.unwrap()).await;
}

#[tokio::test]
async fn a_presigned_address_works_on_moto() {
    can_be_fetched(&Bucket::moto().await.unwrap()).await;
}

#[tokio::test]
async fn behind_a_public_address_files_may_be_kept_by_anyone() {
    let bucket = Bucket::moto().await.unwrap();
    let base = format!("{}/{BUCKET}/a/prefix/", bucket.endpoint());
    let public = StoreOptions { public_base_url: Some(base.clone()), ..options(&bucket) };
    let store = open(&public).await.unwrap();
    let artifact = store.put(&target("job-1"), &Files::new().of(10)).await.unwrap().value;
    assert_eq!(artifact.url, format!("{base}{}", artifact.key));
    let head = bucket.client().head_object().bucket(BUCKET);
    let found = head.key(format!("a/prefix/{}", artifact.key)).send().await.unwrap();
    assert_eq!(found.cache_control(), Some("public, max-age=31536000, immutable"));
    assert_eq!(found.metadata().unwrap()["sha256"], artifact.sha256);
}

/// Other bytes under a key that names ours are found out, whole or in parts.
async fn finds_impostors(bucket: &Bucket) {
    let (files, store) = (Files::new(), store(bucket).await);
    for bytes in [1_000, 17 << 20] {
        let media = files.of(bytes);
        let artifact = store.put(&target("job-1"), &media).await.unwrap().value;
        let put = bucket.client().put_object().bucket(BUCKET);
        let put = put.key(format!("a/prefix/{}", artifact.key)).body(vec![7; bytes].into());
        put.send().await.unwrap();
        let error = store.put(&target("job-1"), &media).await.unwrap_err();
        assert_eq!((error.code, error.failure), ("artifact-conflict", FailureClass::Permanent));
    }
}

#[tokio::test]
async fn other_bytes_under_the_key_are_never_served_silently() {
    finds_impostors(&Bucket::here().await.unwrap()).await;
    finds_impostors(&Bucket::moto().await.unwrap()).await;
}

#[tokio::test]
async fn many_puts_of_one_delivery_agree() {
    let bucket = Bucket::moto().await.unwrap();
    let (files, store) = (Files::new(), store(&bucket).await);
    let (media, delivery) = (files.of(1_000), target("job-1"));
    let puts = (0..8).map(|_| store.put(&delivery, &media));
    let artifacts = futures::future::try_join_all(puts).await.unwrap();
    assert!(artifacts.windows(2).all(|pair| pair[0].value.key == pair[1].value.key));
    assert_eq!(bucket.objects().await.unwrap().len(), 2, "the file and its manifest");
}

/// A store that refuses a put early reads no further, and its refusal may get lost on the way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn puts_of_what_is_there_already_are_no_failures_however_large() {
    let bucket = Bucket::here().await.unwrap();
    let (files, store) = (Files::new(), store(&bucket).await);
    let (media, delivery) = (files.of(12 << 20), target("job-1"));
    for time in 1..=5 {
        let puts = (0..8).map(|_| store.put(&delivery, &media));
        let all = futures::future::try_join_all(puts).await;
        assert!(all.is_ok(), "put {time}: {all:?}");
    }
}
