//! `GET /v1/feeds/{tenant}.xml`: a tenant goes in, a podcast of its finished jobs comes out.

use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use stillcast_enqueue::Identifier;
use utoipa::IntoParams;

use super::schema::Failures;
use crate::caller::{Caller, Right};
use crate::extract::Params;
use crate::feed::{FEED_EPISODES, FeedOf, MAX_FEED_EPISODES, feed, is_base};
use crate::middleware::host;
use crate::problem::{Code, Problem};
use crate::state::Api;

/// How much of it.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeedQuery {
    /// At most so many episodes, from the newest.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<usize>,
}

/// Reads a tenant's finished jobs as a podcast: RSS 2.0 with the tags of podcast apps.
///
/// An episode's `title` and `description` are those of its job's metadata. Its file is fetched from its
/// public address where it has one, otherwise here. A podcast app names itself by HTTP Basic: the token's
/// name, and the token.
#[utoipa::path(
    get, path = "/v1/feeds/{tenant}", tag = "jobs",
    security(("token" = ["enqueue", "read", "operate"])),
    params(("tenant" = String, Path, description = "The tenant, and `.xml`"), FeedQuery),
    responses(
        (status = 200, description = "The feed", content_type = "application/rss+xml", body = String),
        Failures
    )
)]
pub(crate) async fn read_feed(
    State(api): State<Api>,
    caller: Caller,
    Path(file): Path<String>,
    Params(query): Params<FeedQuery>,
    request: Request,
) -> Result<Response, Problem> {
    caller.may(Right::Read)?;
    let tenant = file.strip_suffix(".xml").filter(|name| Identifier::parse("tenant", name).is_ok());
    let tenant =
        tenant.ok_or_else(|| Problem::new(Code::UnknownPath, Code::UnknownPath.title()))?;
    if !caller.sees(tenant) {
        return Err(Problem::new(Code::TenantRefused, Code::TenantRefused.title()));
    }
    let limit = query.limit.unwrap_or(FEED_EPISODES);
    if !(1..=MAX_FEED_EPISODES).contains(&limit) {
        let takes = format!("takes a whole number from 1 to {MAX_FEED_EPISODES}, got {limit}");
        return Err(Problem::of_field("?limit", takes));
    }
    let base = base(&request)?;
    let text = feed(&api.inspector, &FeedOf { tenant, base: &base, limit }).await?;
    let headers = [
        (CONTENT_TYPE, "application/rss+xml; charset=utf-8"),
        (CACHE_CONTROL, "private, no-cache"),
    ];
    Ok((headers, text).into_response())
}

/// Where the caller has reached this server, as far as it and the proxy before it say.
fn base(request: &Request) -> Result<String, Problem> {
    let proxy = request.headers().get("x-forwarded-proto");
    let is_secure = proxy.is_some_and(|scheme| scheme.as_bytes() == b"https");
    let scheme = if is_secure { "https" } else { "http" };
    let base = format!("{scheme}://{}", host(request).unwrap_or_default());
    let fault = || Problem::of_field("Host", "takes the name of this server".to_owned());
    is_base(&base).then_some(base).ok_or_else(fault)
}
