//! The style and the script of the page: a name in, its bytes out, under a name that says what is in them.
//!
//! The name holds a digest, so that browsers keep a file for ever and still never use an old one.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::problem::{Code, Problem};

/// Stem, ending, media type and text of each file.
const FILES: [(&str, &str, &str, &str); 3] = [
    ("page", "css", "text/css; charset=utf-8", include_str!("../../assets/page.css")),
    ("page", "js", "text/javascript; charset=utf-8", include_str!("../../assets/page.js")),
    ("icon", "svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
];

/// Where each file is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Assets {
    pub(crate) css: String,
    pub(crate) js: String,
    pub(crate) icon: String,
}

impl Assets {
    pub(crate) fn new() -> Self {
        let [css, js, icon] = FILES
            .map(|(stem, ending, _, text)| format!("/assets/{stem}-{}.{ending}", digest(text)));
        Self { css, js, icon }
    }
}

/// Answers with one file; anybody may have it, since it holds nothing of the queue.
pub(super) async fn fetch_asset(
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = FILES.into_iter().find_map(|(stem, ending, kind, text)| {
        let digest = digest(text);
        (name == format!("{stem}-{digest}.{ending}")).then(|| (kind, text, format!("\"{digest}\"")))
    });
    let (kind, text, etag) = found.ok_or_else(|| {
        Problem::new(Code::UnknownPath, "there is no such file, or none any more")
    })?;
    let is_known = headers.get(IF_NONE_MATCH).is_some_and(|known| known == etag.as_str());
    let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (ETAG, etag.as_str()),
    ];
    Ok((status, headers, if is_known { "" } else { text }).into_response())
}

fn digest(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..6])
}
