//! A failure becomes `application/problem+json` (RFC 9457), and its `type` a page that we serve.

mod code;
mod page;
mod sources;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::code::Code;
pub(crate) use self::page::page;

/// The media type of a problem.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// The words of every problem that there is, for whoever checks a client against them.
pub fn codes() -> impl Iterator<Item = &'static str> {
    Code::ALL.into_iter().map(Code::as_str)
}

/// Why a request was not done.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) detail: String,
    pub(crate) errors: Vec<FieldProblem>,
    /// Whole seconds before another try can help.
    pub(crate) retry_after: Option<u64>,
}

/// What is wrong with one field of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"detail": "takes a whole number from 0 to 9, got 10", "pointer": "/priority"}))]
pub(crate) struct FieldProblem {
    /// Where it is: a JSON pointer into the body, or `?name` of the query, or a header's name.
    pub(crate) pointer: String,
    /// What it takes and what it got; never the text itself.
    pub(crate) detail: String,
}

/// A problem as it is sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// A page that says what happened and what to do.
    #[serde(rename = "type")]
    #[schema(example = "/problems/unknown-job")]
    kind: String,
    /// What happened, the same for every request.
    #[schema(example = "There is no such job")]
    title: &'static str,
    /// The status of the answer.
    #[schema(example = 404)]
    status: u16,
    /// What happened to this request.
    detail: String,
    /// The path that was asked for.
    instance: String,
    /// The word for programs; it never changes.
    #[schema(example = "unknown-job")]
    code: &'static str,
    /// Whether the same request may succeed later.
    retryable: bool,
    /// The request, as it stands in the log.
    request_id: String,
    /// What is wrong with the request's fields: all of it at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after: code.retry_after() }
    }

    /// A request with a field that cannot be as it is.
    pub(crate) fn of_field(pointer: &str, detail: impl Into<String>) -> Self {
        let fault = FieldProblem { pointer: pointer.to_owned(), detail: detail.into() };
        let said = format!("`{}` {}", fault.pointer, fault.detail);
        Self { errors: vec![fault], ..Self::new(Code::InvalidRequest, said) }
    }

    /// What a status alone says, where somebody below us has refused the request.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let code = Code::of_status(status);
        Self::new(code, code.title())
    }

    pub(crate) fn unknown_job(id: &str) -> Self {
        let detail = format!("there is no job {id} here: it never was, or its record was purged");
        Self::new(Code::UnknownJob, detail)
    }

    pub(crate) fn body(self, instance: String, request_id: String) -> ProblemBody {
        ProblemBody {
            kind: format!("/problems/{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: self.detail,
            instance,
            code: self.code.as_str(),
            retryable: self.code.is_retryable(),
            request_id,
            errors: self.errors,
        }
    }
}

/// Carried out in the answer's extensions: only `middleware` knows the request that it is about.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
