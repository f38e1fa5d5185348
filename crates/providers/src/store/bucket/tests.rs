//! Addresses and error classes. What needs a server is in `tests/it/data`.

use aws_sdk_s3::types::MultipartUpload;
use pipeline::FailureClass;

use super::*;

#[test]
fn an_address_is_a_bucket_and_perhaps_a_folder() {
    let place = |url| options::place(url).map(|(bucket, prefix)| format!("{bucket} {prefix}"));
    assert_eq!(place("s3://media"), Some("media ".to_owned()));
    assert_eq!(place("s3://media/"), Some("media ".to_owned()));
    assert_eq!(place("s3://media/a/b/"), Some("media a/b/".to_owned()));
    for url in ["s3://", "s3:///a", "file:///a", "s3://a//b", "s3://a/b c", "s3://a/b?c", "media"] {
        assert_eq!(place(url), None, "{url}");
    }
}

#[test]
fn each_refusal_has_its_class() {
    let class = |code: &str, status| failure::of_code(Some(code), None, Some(status)).failure;
    let transient = FailureClass::Transient { retry_after: None };
    for (code, status, expected) in [
        ("AccessDenied", 403, FailureClass::Misconfigured),
        ("NoSuchBucket", 404, FailureClass::Misconfigured),
        ("InvalidAccessKeyId", 403, FailureClass::Misconfigured),
        ("SignatureDoesNotMatch", 403, FailureClass::Misconfigured),
        ("PermanentRedirect", 301, FailureClass::Misconfigured),
        ("SlowDown", 503, transient),
        ("InternalError", 200, transient),
        ("RequestTimeout", 400, transient),
        ("BadDigest", 400, transient),
        ("ConditionalRequestConflict", 409, transient),
    ] {
        assert_eq!(class(code, status), expected, "{code}");
    }
    assert_eq!(failure::of_code(None, None, Some(502)).failure, transient);
}

#[test]
fn only_an_old_upload_is_an_orphan() {
    let begun = |at: Option<i64>| {
        let began = at.map(DateTime::from_secs);
        MultipartUpload::builder().set_initiated(began).build()
    };
    let limit = DateTime::from_secs(1_000);
    assert!(parts::is_orphan(&begun(Some(1_000)), &limit));
    assert!(!parts::is_orphan(&begun(Some(1_001)), &limit));
    assert!(!parts::is_orphan(&begun(None), &limit));
}

#[test]
fn secrets_are_not_shown() {
    let credentials = Credentials {
        access_key_id: "canary".to_owned(),
        secret_access_key: "canary".to_owned(),
        session_token: Some("canary".to_owned()),
    };
    let options = BucketOptions { credentials: Some(credentials), ..BucketOptions::default() };
    assert!(!format!("{options:?}").contains("canary"));
}
