//! `GET /v1/jobs/{id}/artifact`: a job goes in, its file comes out, or the way to it.

use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use providers::store::{Location, locate};
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::schema::Failures;
use crate::caller::{Caller, Right};
use crate::problem::{Code, Problem};
use crate::state::Api;

/// Fetches the finished file, whole or in ranges.
///
/// Where the store is a bucket, it answers with the address to fetch it from, which works for a time.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/artifact", tag = "jobs", security(("token" = ["enqueue"])),
    params(("id" = String, Path, description = "The job")),
    responses(
        (status = 200, description = "The file", content(
            (Vec<u8> = "audio/mp4"), (Vec<u8> = "audio/mpeg"), (Vec<u8> = "audio/ogg"),
            (Vec<u8> = "audio/wav"), (Vec<u8> = "audio/flac"), (Vec<u8> = "video/mp4"),
        )),
        (status = 206, description = "A range of it"),
        (status = 304, description = "The caller has it"),
        (status = 307, description = "It lies at `Location`"),
        (status = 416, description = "The file has no such range"),
        Failures
    )
)]
pub(crate) async fn fetch_artifact(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    caller.may(Right::Content)?;
    let record = api.record(&caller, &id).await?;
    let state = record.state;
    let artifact = record.artifact.ok_or_else(|| {
        Problem::new(Code::NoArtifact, format!("the job {id} is {state}, and has no file"))
    })?;
    let ending = artifact.key.rsplit_once('.').map_or("bin", |(_, ending)| ending);
    let name = format!("{id}.{ending}");
    serve(&api, (&artifact.key, &artifact.content_type), &name, request).await
}

/// The object that a record calls `key`, whole or in ranges, as a file called `name`; or the way to it.
pub(super) async fn serve(
    api: &Api,
    (key, content_type): (&str, &str),
    name: &str,
    request: Request,
) -> Result<Response, Problem> {
    let store = api.store()?;
    let located = locate(&**store, key).await;
    let path = match located.map_err(|error| Problem::of_store(error.code, &error))? {
        Location::Address(url) => return redirect(&url),
        Location::File(path) => path,
    };
    let kind = content_type.parse().unwrap_or(mime::APPLICATION_OCTET_STREAM);
    let file = ServeFile::new_with_mime(path, &kind);
    let served = file.oneshot(request).await.into_response();
    if served.status() == StatusCode::NOT_FOUND {
        return Err(Problem::new(Code::ArtifactGone, Code::ArtifactGone.title()));
    }
    Ok(named(served, name))
}

fn redirect(url: &str) -> Result<Response, Problem> {
    let place = HeaderValue::try_from(url)
        .map_err(|_| Problem::new(Code::StoreAway, "the store's address cannot be told"))?;
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    response.headers_mut().insert(LOCATION, place);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

/// The file is private, and has a name that people can keep it by.
fn named(mut response: Response, name: &str) -> Response {
    let headers = response.headers_mut();
    if let Ok(name) = HeaderValue::try_from(format!("inline; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, immutable"));
    response
}
