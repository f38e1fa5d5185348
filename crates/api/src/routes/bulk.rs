//! `/v1/jobs/bulk`, `/v1/bulk`: a filter goes in, a plan with its price comes out; a plan goes in, and
//! many jobs are cancelled, replayed or purged.

use ::queue::{Actor, BulkAction, BulkAnswer, BulkRecord};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use stillcast_enqueue::State as JobState;
use utoipa::ToSchema;

use super::audit::ReasonQuery;
use super::jobs::read_filter;
use super::schema::Failures;
use crate::bulk::{Dearest, Plan, Price, meant};
use crate::caller::{Caller, Right};
use crate::extract::{JsonBody, Params};
use crate::filter::Filter;
use crate::mirror::Freshness;
use crate::problem::{Code, Problem};
use crate::state::Api;

/// What a plan is signed as.
const LISTING: &str = "plan of a bulk action";

/// What is wished of which jobs; or the plan that came out of that.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"action": "replay", "filter": "code:speech-* age<2h"}))]
pub(crate) struct BulkRequest {
    /// What is wished.
    action: Option<BulkAction>,
    /// Of which jobs, as in `GET /v1/jobs`; of those that can have it alone.
    #[schema(max_length = 4096)]
    filter: Option<String>,
    /// The plan of a dry run, unchanged: it begins.
    plan: Option<String>,
}

/// What would happen.
#[derive(Serialize, ToSchema)]
pub(crate) struct BulkPlan {
    /// What is wished.
    pub(crate) action: BulkAction,
    /// Of which jobs, in its shortest text.
    pub(crate) filter: String,
    /// How many these are.
    pub(crate) jobs: usize,
    /// What a replay may cost; null for other actions.
    pub(crate) price: Option<Price>,
    /// How many older jobs were not looked at, since this server keeps the newest 200,000.
    pub(crate) left_out: usize,
    /// What has happened until then is in it.
    pub(crate) as_of: DateTime<Utc>,
    /// Send it as `plan`, and it begins; however often it is sent, it happens once.
    pub(crate) plan: String,
    /// Until when it can begin.
    pub(crate) expires_at: DateTime<Utc>,
}

/// The bulk actions of a queue.
#[derive(Serialize, ToSchema)]
pub(crate) struct BulkList {
    /// Those that go on, then those that have ended, the newest first.
    pub(crate) bulks: Vec<BulkRecord>,
}

/// What a caller needs for it.
pub(crate) fn right(action: BulkAction) -> Right {
    match action {
        BulkAction::Cancel => Right::Cancel,
        BulkAction::Replay | BulkAction::Purge => Right::Mend,
    }
}

/// Plans to cancel, replay or purge many jobs, or begins what was planned.
///
/// With an `action` and a `filter` nothing happens yet: the answer says how many jobs are meant, what a
/// replay may cost, and gives a `plan`. With that `plan` it begins, and goes on at whichever server
/// lives; jobs that came later are not meant. Sending it twice is harmless.
#[utoipa::path(
    post, path = "/v1/jobs/bulk", tag = "jobs", security(("token" = ["enqueue", "operate"])),
    params(ReasonQuery), request_body = BulkRequest,
    responses(
        (status = 200, description = "What would happen", body = BulkPlan),
        (status = 202, description = "It has begun", body = BulkRecord),
        Failures
    )
)]
pub(crate) async fn plan_or_begin(
    State(api): State<Api>,
    caller: Caller,
    Params(reason): Params<ReasonQuery>,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.may(Right::Cancel)?;
    let actor = caller.actor(reason.why.as_deref())?;
    let takes = "{\"action\": text, \"filter\": text} or {\"plan\": text}";
    match body.read::<BulkRequest>(takes)? {
        BulkRequest { action: Some(action), filter: Some(text), plan: None } => {
            caller.may(right(action))?;
            let filter = read_filter("/filter", &text)?;
            Ok(Json(plan(&api, &caller, action, filter).await?).into_response())
        }
        BulkRequest { action: None, filter: None, plan: Some(text) } => {
            Ok(accepted(begin_planned(&api, &caller, actor, &text).await?))
        }
        _ => Err(Problem::of_field("", format!("takes {takes}"))),
    }
}

/// What would happen.
pub(crate) async fn plan(
    api: &Api,
    caller: &Caller,
    action: BulkAction,
    filter: Filter,
) -> Result<BulkPlan, Problem> {
    let plan = Plan::new(action, &filter, caller);
    if action == BulkAction::Purge {
        api.store()?;
    }
    let of_caller = |filter: Filter| filter.of_tenant(caller.tenant.as_ref());
    let mut dearest = Dearest::default();
    let delivered = of_caller(Filter::default().in_states([JobState::Done]));
    api.mirror.visit(&delivered, |_, job| dearest.see(job)).await?;
    let (mut jobs, mut price) = (0, Price::none());
    let count = |_: &_, job: &_| {
        jobs += 1;
        price.add(job, &dearest);
    };
    let freshness = api.mirror.visit(&of_caller(meant(action, filter)), count).await?;
    let Freshness { as_of, left_out, .. } = freshness;
    Ok(BulkPlan {
        action,
        filter: plan.filter.clone(),
        jobs,
        price: (action == BulkAction::Replay).then_some(price),
        left_out,
        as_of,
        plan: api.cursors.sign(&plan, LISTING),
        expires_at: plan.expires_at(),
    })
}

/// Begins what the plan in `text` says; again, it changes nothing.
pub(crate) async fn begin_planned(
    api: &Api,
    caller: &Caller,
    actor: Actor,
    text: &str,
) -> Result<BulkRecord, Problem> {
    let plan: Plan = api.cursors.read(text, LISTING).map_err(|_| {
        Problem::of_field("/plan", "takes what a dry run gave as its `plan`, unchanged")
    })?;
    caller.may(right(plan.action))?;
    if !plan.is_of(caller) {
        return Err(Problem::new(Code::TenantRefused, "the plan was made for another tenant"));
    }
    let has_begun = api.inspector.bulk(&plan.id).await?.is_some();
    if !has_begun && plan.expires_at() < Utc::now() {
        return Err(Problem::new(Code::PlanExpired, Code::PlanExpired.title()));
    }
    api.inspector.begin_bulk(&plan.order(actor)).await?;
    api.bulks.stir();
    bulk_seen_by(api, caller, &plan.id).await
}

fn accepted(record: BulkRecord) -> Response {
    let place = HeaderValue::try_from(format!("/v1/bulk/{}", record.id));
    let mut response = (StatusCode::ACCEPTED, Json(record)).into_response();
    response.headers_mut().extend(place.ok().map(|place| (LOCATION, place)));
    response
}

/// A bulk action that the caller may know of.
pub(crate) async fn bulk_seen_by(
    api: &Api,
    caller: &Caller,
    id: &str,
) -> Result<BulkRecord, Problem> {
    let known = api.inspector.bulk(id).await?.filter(|bulk| is_theirs(bulk, caller));
    known.ok_or_else(|| {
        let detail =
            format!("there is no bulk action {id} here: it never was, or its time is over");
        Problem::new(Code::UnknownBulk, detail)
    })
}

fn is_theirs(bulk: &BulkRecord, caller: &Caller) -> bool {
    caller.tenant.as_ref().is_none_or(|own| bulk.tenant.as_deref() == Some(own.as_str()))
}

/// Lists the bulk actions that go on, and those that have ended within seven days; at most 100 of each.
#[utoipa::path(
    get, path = "/v1/bulk", tag = "jobs", security(("token" = ["enqueue", "read", "operate"])),
    responses((status = 200, description = "All of them", body = BulkList), Failures)
)]
pub(crate) async fn list_bulks(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<BulkList>, Problem> {
    caller.may(Right::Read)?;
    let open = api.inspector.open_bulks().await?;
    let ended = api.inspector.ended_bulks().await?;
    let mut bulks = Vec::new();
    for id in open.iter().chain(&ended) {
        let known = api.inspector.bulk(id).await?;
        bulks.extend(known.filter(|bulk| is_theirs(bulk, &caller)));
    }
    Ok(Json(BulkList { bulks }))
}

/// Shows how far a bulk action is.
#[utoipa::path(
    get, path = "/v1/bulk/{id}", tag = "jobs",
    security(("token" = ["enqueue", "read", "operate"])),
    params(("id" = String, Path, description = "The bulk action")),
    responses((status = 200, description = "How far it is", body = BulkRecord), Failures)
)]
pub(crate) async fn show_bulk(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<BulkRecord>, Problem> {
    caller.may(Right::Read)?;
    Ok(Json(bulk_seen_by(&api, &caller, &id).await?))
}

/// Stops a bulk action where it stands; what has happened stays.
#[utoipa::path(
    post, path = "/v1/bulk/{id}/stop", tag = "jobs", security(("token" = ["enqueue", "operate"])),
    params(("id" = String, Path, description = "The bulk action"), ReasonQuery),
    responses((status = 200, description = "It has ended", body = BulkRecord), Failures)
)]
pub(crate) async fn stop_bulk(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Params(reason): Params<ReasonQuery>,
) -> Result<Json<BulkRecord>, Problem> {
    caller.may(Right::Cancel)?;
    let actor = caller.actor(reason.why.as_deref())?;
    let known = bulk_seen_by(&api, &caller, &id).await?;
    caller.may(right(known.action))?;
    match api.inspector.stop_bulk(&id, &actor).await? {
        BulkAnswer::Is(_) => Ok(Json(bulk_seen_by(&api, &caller, &id).await?)),
        BulkAnswer::Held | BulkAnswer::Unknown => {
            Err(Problem::new(Code::UnknownBulk, Code::UnknownBulk.title()))
        }
    }
}
