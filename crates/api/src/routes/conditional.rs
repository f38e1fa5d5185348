//! A record goes in; its `ETag` comes out, and whether the caller has that one already.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use stillcast_enqueue::JobRecord;

/// The digest of a record as it is sent: the same on every server.
pub(super) fn etag(record: &JobRecord) -> String {
    let json = serde_json::to_vec(record).unwrap_or_default();
    format!("\"{}\"", hex::encode(&Sha256::digest(json)[..16]))
}

/// Whether one of the `ETag`s that the caller has is this one.
pub(super) fn has(headers: &HeaderMap, etag: &str) -> bool {
    let lines = headers.get_all(IF_NONE_MATCH).into_iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(','));
    tags.any(|tag| matches!(tag.trim(), "*") || tag.trim().trim_start_matches("W/") == etag)
}

/// The record, or 304 where the caller has it. `explained` is the same record with what changes by
/// itself, such as why it waits; its `ETag` does not speak of that.
pub(super) fn answer(record: &JobRecord, explained: &JobRecord, headers: &HeaderMap) -> Response {
    let etag = etag(record);
    let mut response = if has(headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Json(explained).into_response()
    };
    if let Ok(etag) = HeaderValue::try_from(etag) {
        response.headers_mut().insert(ETAG, etag);
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}
