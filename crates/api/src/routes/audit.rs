//! `GET /v1/audit`: what people have done to jobs and to the queue; and the reason that they may give.

use ::queue::{AuditEntry, AuditPage, MAX_PAGE};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::schema::Failures;
use crate::caller::{Caller, Right};
use crate::extract::Params;
use crate::problem::Problem;
use crate::state::Api;

/// Entries of a page when the query names no number.
const DEFAULT: usize = 50;
/// The largest number of an entry: as many as Redis counts in whole steps.
const LAST: u64 = (1 << 53) - 1;
/// Entries that one request looks at: a token of one tenant passes over those of all others.
const LOOKED_AT: usize = 5_000;

/// Why a job or the queue is changed.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReasonQuery {
    /// For the audit: one line, without private text.
    #[param(max_length = 500, pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$")]
    pub(crate) why: Option<String>,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// At most so many.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<usize>,
    /// The `next` of the page before: only what was done before that number.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    before: Option<u64>,
}

/// What people have done.
#[derive(Serialize, ToSchema)]
pub(crate) struct Audit {
    /// From the newest.
    entries: Vec<AuditEntry>,
    /// The `before` of the next page; null after the last.
    next: Option<u64>,
}

/// Lists what people have done to jobs and to the queue, the newest first; the latest 10,000 are kept.
///
/// A token of one tenant sees what was done to that tenant's jobs. A page may hold fewer entries than
/// asked for; only a `next` of null says that there are no more.
#[utoipa::path(
    get, path = "/v1/audit", tag = "queue", security(("token" = ["operate"])), params(AuditQuery),
    responses((status = 200, description = "A page", body = Audit), Failures)
)]
pub(crate) async fn list_audit(
    State(api): State<Api>,
    caller: Caller,
    Params(query): Params<AuditQuery>,
) -> Result<Json<Audit>, Problem> {
    caller.may(Right::Mend)?;
    let limit = query.limit.unwrap_or(DEFAULT);
    if !(1..=MAX_PAGE).contains(&limit) {
        let takes = format!("takes a whole number from 1 to {MAX_PAGE}, got {limit}");
        return Err(Problem::of_field("?limit", takes));
    }
    if let Some(before) = query.before.filter(|before| *before > LAST) {
        let takes = format!("takes a whole number from 0 to {LAST}, got {before}");
        return Err(Problem::of_field("?before", takes));
    }
    let (entries, next) = audit_seen_by(&api, &caller, limit, query.before).await?;
    Ok(Json(Audit { entries, next }))
}

/// At most `limit` changes by people that the caller may know of, and the number before which the next
/// ones begin.
pub(crate) async fn audit_seen_by(
    api: &Api,
    caller: &Caller,
    limit: usize,
    before: Option<u64>,
) -> Result<(Vec<AuditEntry>, Option<u64>), Problem> {
    let (mut entries, mut looked_at, mut next) = (Vec::new(), 0, before);
    loop {
        let missing = limit - entries.len();
        let page: AuditPage = api.inspector.audit(missing, next).await?;
        looked_at += missing;
        next = page.next;
        entries.extend(page.entries.into_iter().filter(|entry| sees(caller, entry)));
        if next.is_none() || entries.len() == limit || looked_at >= LOOKED_AT {
            return Ok((entries, next));
        }
    }
}

/// The queue's own entries are for those who may look at all tenants.
fn sees(caller: &Caller, entry: &AuditEntry) -> bool {
    entry.tenant.as_deref().map_or(caller.tenant.is_none(), |tenant| caller.sees(tenant))
}
