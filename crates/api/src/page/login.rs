//! A token goes in once; a session comes out, and ends when somebody logs out. And light or dark.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use serde::Deserialize;

use super::access::{go_to, own_path};
use super::shell::{Shell, Stranger, THEME, Theme, html};
use crate::middleware::ForPeople;
use crate::problem::{Code, Problem};
use crate::session;
use crate::state::Api;

/// Where to go afterwards.
#[derive(Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

/// Who it is.
#[derive(Deserialize)]
pub(super) struct Credentials {
    token: String,
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    shell: Shell,
    next: String,
    is_refused: bool,
}

impl Login {
    fn page(api: &Api, theme: Theme, next: &str, is_refused: bool) -> Self {
        let shell = Shell::bare(&api.assets, theme, "/login".to_owned());
        Self { shell, next: own_path(next).to_owned(), is_refused }
    }
}

/// Asks for a token, where there are any.
pub(super) async fn show_login(
    State(api): State<Api>,
    Stranger(theme): Stranger,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Problem> {
    if api.tokens.is_empty() {
        return Ok(go_to(own_path(&next)));
    }
    html(&Login::page(&api, theme, &next, false))
}

/// Takes a token; the cookie that stands for it comes back.
pub(super) async fn log_in(
    State(api): State<Api>,
    Stranger(theme): Stranger,
    headers: HeaderMap,
    Form(Credentials { token, next }): Form<Credentials>,
) -> Response {
    let token = token.trim();
    if let Some(caller) = api.tokens.caller(token) {
        tracing::info!(token = caller.name, "somebody has logged in");
        let cookie = session::begin(token, is_https(&headers), Utc::now());
        return with_cookie(go_to(own_path(&next)), &cookie);
    }
    let page = Login::page(&api, theme, &next, true).render().unwrap_or_default();
    let mut refused =
        Problem::new(Code::Unauthorized, "the token is none of those that are known here")
            .into_response();
    refused.extensions_mut().insert(ForPeople(page));
    refused
}

/// Ends the session of this browser.
pub(super) async fn log_out(headers: HeaderMap) -> Response {
    with_cookie(go_to("/login"), &session::end(is_https(&headers)))
}

/// Light or dark.
#[derive(Deserialize)]
pub(super) struct Choice {
    theme: String,
    #[serde(default)]
    next: String,
}

/// Keeps light or dark for a year.
pub(super) async fn choose_theme(Form(Choice { theme, next }): Form<Choice>) -> Response {
    let theme = Theme::parse(&theme).as_str();
    let cookie = format!("{THEME}={theme}; Path=/; Max-Age=31536000; SameSite=Lax");
    with_cookie(go_to(own_path(&next)), &cookie)
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Whether a proxy before us speaks TLS with the browser. Who says so falsely harms only themselves.
fn is_https(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
}
