//! A successful answer of which only the head is read; its body comes out, up to a limit: a body
//! without an end would fill the memory.

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use pipeline::ProviderError;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use super::origin::Origin;

const TOO_LONG: &str = "is larger than any such answer";

/// An answer, and where it comes from.
pub(crate) struct Reply {
    pub(super) response: Response,
    pub(super) origin: Origin,
}

impl Reply {
    /// The media type, without its parameters; empty where none is named.
    pub(crate) fn media_type(&self) -> &str {
        self.content_type().split(';').next().unwrap_or_default().trim()
    }

    /// The media type with its parameters; empty where none is named.
    pub(crate) fn content_type(&self) -> &str {
        let named = self.response.headers().get(CONTENT_TYPE);
        named.and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether it is a page for people, such as a gateway's.
    pub(crate) fn is_page(&self) -> bool {
        self.media_type().eq_ignore_ascii_case("text/html")
    }

    /// The whole body, of which more than `limit` bytes are an error.
    pub(crate) async fn bytes(mut self, limit: usize) -> Result<Bytes, ProviderError> {
        let mut body = BytesMut::new();
        let lost = |error| self.origin.lost(&error);
        while let Some(chunk) = self.response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > limit {
                return Err(self.origin.unreadable(TOO_LONG));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// The whole body as JSON. The parser's own words would quote it.
    pub(crate) async fn json<T: DeserializeOwned>(self, limit: usize) -> Result<T, ProviderError> {
        let (origin, is_page) = (self.origin, self.is_page());
        let body = self.bytes(limit).await?;
        serde_json::from_slice(&body).map_err(|_| {
            origin.unreadable(match std::str::from_utf8(&body) {
                _ if is_page => "is a web page, not JSON",
                Ok(text) if text.trim().is_empty() => "is empty",
                Ok(_) => "is not the JSON of this API",
                Err(_) => "is not valid UTF-8",
            })
        })
    }

    /// The body as it comes, of which more than `limit` bytes are an error.
    pub(crate) fn stream(
        self,
        limit: usize,
    ) -> impl Stream<Item = Result<Bytes, ProviderError>> + Send {
        let Self { response, origin } = self;
        let mut left = limit;
        response.bytes_stream().map(move |chunk| {
            let chunk = chunk.map_err(|error| origin.lost(&error))?;
            left = left.checked_sub(chunk.len()).ok_or_else(|| origin.unreadable(TOO_LONG))?;
            Ok(chunk)
        })
    }
}
