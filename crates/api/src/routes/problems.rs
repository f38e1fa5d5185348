//! `/problems/{code}` and `/openapi.json`: what the API says of itself.

use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse};

use super::schema::Failures;
use crate::problem::{Code, Problem, page};
use crate::state::Api;

/// Explains a problem to people: what happened, and what to do.
#[utoipa::path(
    get, path = "/problems/{code}", tag = "server", security(()),
    params(("code" = String, Path, description = "The problem's word", example = "unknown-job")),
    responses((status = 200, description = "A page", body = String, content_type = "text/html"), Failures)
)]
pub(crate) async fn explain_problem(Path(word): Path<String>) -> Result<Html<String>, Problem> {
    let code = Code::parse(&word);
    let code = code.ok_or_else(|| Problem::new(Code::UnknownPath, "there is no such problem"))?;
    Ok(Html(page(code)))
}

/// Describes the API.
#[utoipa::path(
    get, path = "/openapi.json", tag = "server", security(()),
    responses((status = 200, description = "`OpenAPI` 3.1", body = String, content_type = "application/json"))
)]
pub(crate) async fn describe_api(State(api): State<Api>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], api.description.to_string())
}
