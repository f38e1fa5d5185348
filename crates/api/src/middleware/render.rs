//! Each request gets a name; each failure becomes a problem that says it.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::access::is_for_players;
use crate::preference::MAX_WAIT_S;
use crate::problem::{Code, MEDIA_TYPE, Problem};

/// What people read in place of a problem as JSON: put into an answer's extensions beside the problem.
#[derive(Clone)]
pub(crate) struct ForPeople(pub(crate) String);

/// How a player may say who asks.
const FOR_PLAYERS: &str = "Bearer, Basic realm=\"Stillcast\", charset=\"UTF-8\"";
const REQUEST_ID: &str = "x-request-id";
/// Longest identifier that a caller may give a request.
const MAX_ID: usize = 128;
/// Longest time of a request: the longest wait, and two calls to a Redis that does not answer.
const LIMIT: Duration = Duration::from_secs(MAX_WAIT_S + 15);

/// Names the request, and makes a problem of whatever is none yet.
pub(crate) async fn render(request: Request, next: Next) -> Response {
    let id = id_of(request.headers());
    let (path, method) = (request.uri().path().to_owned(), request.method().clone());
    let mut response = next.run(request).await;
    if let Some(problem) = problem_of(&mut response) {
        if problem.code.status().is_server_error() {
            let (code, detail) = (problem.code.as_str(), &problem.detail);
            tracing::warn!(request_id = id, %method, path, code, "a request failed: {detail}");
        }
        let allow = response.headers().get("allow").cloned();
        let told = std::mem::take(response.headers_mut());
        response = match response.extensions_mut().remove::<ForPeople>() {
            Some(ForPeople(page)) => page_of(&problem, page, told),
            None => answer(problem, path, id.clone(), &told),
        };
        if let Some(allow) = allow {
            response.headers_mut().insert("allow", allow);
        }
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Whoever gives a request a name finds it in our log; one that could spoil the log is replaced.
fn id_of(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let is_plain = |id: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(plain)
    };
    given.filter(is_plain).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

fn problem_of(response: &mut Response) -> Option<Problem> {
    let status = response.status();
    let problem = response.extensions_mut().remove::<Problem>();
    let is_failure = status.is_client_error() || status.is_server_error();
    problem.or_else(|| is_failure.then(|| Problem::of_status(status)))
}

/// A failure as people read it.
fn page_of(problem: &Problem, page: String, told: HeaderMap) -> Response {
    let mut response = (problem.code.status(), Body::from(page)).into_response();
    *response.headers_mut() = told;
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response.headers_mut().remove("content-length");
    response
}

/// `told` are headers that were set on the way, such as what a token has left.
fn answer(problem: Problem, path: String, id: String, told: &HeaderMap) -> Response {
    let (code, retry_after) = (problem.code, problem.retry_after);
    let challenge = if is_for_players(&path) { FOR_PLAYERS } else { "Bearer" };
    let status = code.status();
    let body = serde_json::to_vec(&problem.body(path, id)).unwrap_or_default();
    let mut response = (status, Body::from(body)).into_response();
    let headers = response.headers_mut();
    let kept = |name: &&str| name.starts_with("ratelimit");
    for (name, value) in told {
        if Some(name.as_str()).as_ref().is_some_and(kept) {
            headers.insert(name.clone(), value.clone());
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    if let Some(seconds) = retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

/// Ends a request that takes too long. The stream of an answer that has begun goes on.
pub(crate) async fn limit_time(request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(LIMIT, next.run(request)).await;
    answered.unwrap_or_else(|_| {
        let detail = format!("there was no answer within {} s", LIMIT.as_secs());
        Problem::new(Code::TimedOut, detail).into_response()
    })
}
