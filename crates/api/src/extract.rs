//! Body and query of a request, or the problem that says why they cannot be read.

use axum::RequestExt;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Query, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::request::Parts;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::problem::{Code, Problem};

/// The bytes of a body that is called JSON. A page's form cannot call it so.
pub(crate) struct JsonBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let called = request.headers().get(CONTENT_TYPE).and_then(|text| text.to_str().ok());
        if !called.is_some_and(is_json) {
            return Err(Problem::new(Code::MediaTypeRefused, Code::MediaTypeRefused.title()));
        }
        request.extract().await.map(Self).map_err(|error: BytesRejection| {
            let code = Code::of_status(error.status());
            Problem::new(code, code.title())
        })
    }
}

/// None where there is no body, whatever it is called: then its type means nothing.
impl<S: Send + Sync> OptionalFromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let headers = request.headers();
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let is_empty = length.map_or(!headers.contains_key(TRANSFER_ENCODING), |text| text == "0");
        if is_empty {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

impl JsonBody {
    /// The body as a `T`; `takes` says what it should be, such as `{"ids": [texts]}`.
    pub(crate) fn read<'body, T: Deserialize<'body>>(
        &'body self,
        takes: &str,
    ) -> Result<T, Problem> {
        serde_json::from_slice(&self.0).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            Problem::of_field("", format!("takes {takes}, got something else at {place}"))
        })
    }
}

/// Refuses a list at `pointer` of none, or of more than `most`.
pub(crate) fn check_length(
    pointer: &str,
    got: usize,
    most: usize,
    what: &str,
) -> Result<(), Problem> {
    if (1..=most).contains(&got) {
        return Ok(());
    }
    Err(Problem::of_field(pointer, format!("takes 1 to {most} {what}, got {got}")))
}

fn is_json(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// The query; a name that is not known is refused, since a misspelt filter would show everything.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = Query::try_from_uri(&parts.uri).map(|Query(query)| Self(query));
        read.map_err(|error| Problem::of_field("?", source_of(&error)))
    }
}

/// The innermost sentence, without the ones around it.
fn source_of(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), source_of)
}
