//! A request for a page goes in with its session, or from this machine; anybody else is led to the
//! login. What fails is told as a page, and every page says what browsers may do with it.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::Utc;

use super::shell::{Shell, Theme};
use crate::caller::Caller;
use crate::middleware::{ForPeople, at_this_machine, check_site};
use crate::problem::Problem;
use crate::session;
use crate::state::Api;

/// Nothing from elsewhere, nothing inline, and nobody may frame it.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// What every page is told with, unless it says otherwise.
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "same-origin"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// A page's own policy: as all others, and media from `origin` too.
pub(super) fn policy_with_media(origin: &str) -> String {
    format!("{POLICY}; media-src 'self' {origin}")
}

/// Lets in who has a session, or sits at this machine where there are no tokens.
pub(super) async fn admit(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let caller = match caller(&api, &request) {
        Ok(Some(caller)) => caller,
        Ok(None) => return to_login(&request),
        Err(problem) => return problem.into_response(),
    };
    let counted =
        api.rate_limit.as_ref().map(|limit| limit.count(&format!("page {}", caller.name)));
    if let Some((_, Err(problem))) = counted {
        return problem.into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Keeps forms of other sites away from what needs no session.
pub(super) async fn refuse_other_sites(request: Request, next: Next) -> Response {
    match check_site(&request) {
        Err(problem) if request.method() != Method::GET => problem.into_response(),
        _ => next.run(request).await,
    }
}

fn caller(api: &Api, request: &Request) -> Result<Option<Caller>, Problem> {
    if api.tokens.is_empty() {
        return Ok(Some(at_this_machine(request)?.at_a_page()));
    }
    if request.method() != Method::GET {
        check_site(request)?;
    }
    let caller = session::caller(&api.tokens, request.headers(), Utc::now());
    Ok(caller.map(Caller::at_a_page))
}

/// The login, which leads back here. Whoever follows a link from another site brings no cookie with
/// that first request: a second one, from us, does.
fn to_login(request: &Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let site = request.headers().get("sec-fetch-site");
    if request.method() == Method::GET && site.is_some_and(|site| site == "cross-site") {
        let refresh = Again { path }.render().unwrap_or_default();
        return axum::response::Html(refresh).into_response();
    }
    let path = if request.method() == Method::GET { path } else { "/" };
    let login: String = url_of_login(path);
    go_to(&login)
}

/// A page that asks for itself once more.
#[derive(Template)]
#[template(path = "again.html")]
struct Again<'path> {
    path: &'path str,
}

fn url_of_login(path: &str) -> String {
    let letter = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    format!("/login?next={}", path.bytes().map(letter).collect::<String>())
}

/// Leads a browser on to another page of ours.
pub(super) fn go_to(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(path) = HeaderValue::try_from(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

/// A path of ours, and nothing that a browser would take for another place.
pub(super) fn own_path(path: &str) -> &str {
    let is_own = path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_own { path } else { "/" }
}

/// Tells failures as pages, and each page with its headers.
pub(super) async fn dress(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (theme, path) = (Theme::of(request.headers()), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    let status = response.status();
    let is_failure = status.is_client_error() || status.is_server_error();
    let problem = response.extensions().get::<Problem>().cloned();
    // A form that cannot be read, or a method that nobody knows.
    let problem = problem.or_else(|| is_failure.then(|| Problem::of_status(status)));
    if let Some(problem) = problem
        && response.extensions().get::<ForPeople>().is_none()
    {
        let page = Failed { shell: Shell::bare(&api.assets, theme, path), problem: &problem };
        let page = page.render().unwrap_or_default();
        response.extensions_mut().insert(ForPeople(page));
    }
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// What went wrong, and what to do.
#[derive(Template)]
#[template(path = "failed.html")]
struct Failed<'problem> {
    shell: Shell,
    problem: &'problem Problem,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_place() {
        for path in ["/", "/jobs?q=state%3Adead", "/jobs/a.b"] {
            assert_eq!(own_path(path), path);
        }
        for path in ["", "jobs", "//evil.example", "/\\evil.example", "https://evil.example", "/\n"]
        {
            assert_eq!(own_path(path), "/", "{path:?}");
        }
        assert_eq!(url_of_login("/jobs?q=a&b"), "/login?next=/jobs%3Fq%3Da%26b");
    }
}
