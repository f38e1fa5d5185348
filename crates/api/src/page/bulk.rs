//! `/bulk`: what is wished of many jobs goes in; how many these are and what it may cost comes out, before
//! anything happens; then how far it is.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use queue::{BulkAction, BulkRecord};
use serde::Deserialize;

use super::access::go_to;
use super::shell::{Here, Shell, Viewer, html};
use super::words;
use crate::caller::{Caller, Right};
use crate::extract::Params;
use crate::problem::Problem;
use crate::routes::{
    ReasonQuery, begin_planned, bulk_seen_by, plan, read_filter, right, stop_bulk,
};
use crate::state::Api;

/// What is wished of which jobs.
#[derive(Deserialize)]
pub(super) struct Wish {
    action: BulkAction,
    q: String,
}

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    shell: Shell,
    verb: &'static str,
    filter: String,
    headline: String,
    /// What it may cost, and what is kept.
    price: Option<String>,
    left_out: Option<String>,
    jobs: usize,
    plan: String,
    expires: String,
    is_removal: bool,
}

/// Asks before anything happens.
pub(super) async fn show_plan(
    State(api): State<Api>,
    viewer: Viewer,
    Query(Wish { action, q }): Query<Wish>,
) -> Result<Response, Problem> {
    viewer.caller.may(right(action))?;
    let (shell, stats) = Shell::of(&api, &viewer, Here::Jobs).await?;
    let plan = plan(&api, &viewer.caller, action, read_filter("filter", &q)?).await?;
    let verb = verb(action);
    let price = plan.price.as_ref().map(|price| {
        let kept = words::money(price.kept_usd);
        match price.at_most_usd {
            Some(most) => {
                format!("It costs at most {}; {kept} of finished work is kept.", words::money(most))
            }
            None => format!("What it costs is not known yet; {kept} of finished work is kept."),
        }
    });
    let page = PlanPage {
        shell,
        verb,
        headline: format!("{verb} {}?", words::jobs(plan.jobs as u64)),
        filter: plan.filter,
        price,
        left_out: Some(plan.left_out).filter(|older| *older > 0).map(|older| {
            format!("The {} oldest jobs are not looked at.", words::count(older as u64))
        }),
        jobs: plan.jobs,
        plan: plan.plan,
        expires: words::ago(plan.expires_at, stats.at),
        is_removal: action == BulkAction::Purge,
    };
    html(&page)
}

fn verb(action: BulkAction) -> &'static str {
    match action {
        BulkAction::Cancel => "Cancel",
        BulkAction::Replay => "Replay",
        BulkAction::Purge => "Remove",
    }
}

/// A plan, and why.
#[derive(Deserialize)]
pub(super) struct Agreed {
    plan: String,
    #[serde(default)]
    why: String,
}

/// Begins what somebody has seen and agreed to.
pub(super) async fn begin(
    State(api): State<Api>,
    caller: Caller,
    Form(Agreed { plan, why }): Form<Agreed>,
) -> Result<Response, Problem> {
    caller.may(Right::Cancel)?;
    let actor = caller.actor(Some(why.trim()))?;
    let begun = begin_planned(&api, &caller, actor, &plan).await?;
    Ok(go_to(&format!("/bulk/{}", begun.id)))
}

#[derive(Template)]
#[template(path = "bulk.html")]
struct BulkPage {
    shell: Shell,
    bulk: BulkRecord,
    headline: String,
    done: u64,
    may_stop: bool,
    begun: String,
}

/// How far it is.
pub(super) async fn show_bulk(
    State(api): State<Api>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let bulk = bulk_seen_by(&api, &viewer.caller, &id).await?;
    let (shell, stats) = Shell::of(&api, &viewer, Here::Jobs).await?;
    let done = bulk.granted + bulk.refused.values().sum::<u64>();
    let what = match bulk.action {
        BulkAction::Cancel => "cancelled",
        BulkAction::Replay => "replayed",
        BulkAction::Purge => "removed",
    };
    let page = BulkPage {
        headline: format!("{} {what}", words::title(&words::jobs(bulk.granted))),
        done,
        may_stop: !bulk.state.has_ended() && viewer.caller.may(right(bulk.action)).is_ok(),
        begun: bulk.begun_at.map_or_else(String::new, |at| words::ago(at, stats.at)),
        shell,
        bulk,
    };
    html(&page)
}

/// Stops it where it stands.
pub(super) async fn stop(
    state: State<Api>,
    caller: Caller,
    id: Path<String>,
) -> Result<Response, Problem> {
    let back = format!("/bulk/{}", id.0);
    let _ = stop_bulk(state, caller, id, Params(ReasonQuery::default())).await?;
    Ok(go_to(&back))
}
