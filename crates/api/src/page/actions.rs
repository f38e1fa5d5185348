//! The forms of the pages: a wish of a person goes in, the same route as over HTTP does it, and the
//! browser is led back to where it can be seen.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use queue::Remake;
use serde::Deserialize;

use super::access::{go_to, own_path};
use super::dead::ids_of;
use super::remake::Wish;
use crate::caller::{Caller, Right};
use crate::extract::Params;
use crate::problem::{Code, Problem};
use crate::routes::{self, ReasonQuery};
use crate::state::Api;

/// Why, in a person's own words, for the audit.
#[derive(Default, Deserialize)]
pub(super) struct Reason {
    #[serde(default)]
    why: String,
}

impl Reason {
    fn query(self) -> Params<ReasonQuery> {
        let why = self.why.trim().to_owned();
        Params(ReasonQuery { why: Some(why).filter(|why| !why.is_empty()) })
    }
}

/// Ends a job.
pub(super) async fn cancel(
    state: State<Api>,
    caller: Caller,
    id: Path<String>,
    Form(reason): Form<Reason>,
) -> Result<Response, Problem> {
    let back = format!("/jobs/{}", id.0);
    let _ = routes::cancel_job(state, caller, id, reason.query()).await?;
    Ok(go_to(&back))
}

/// Sends a dead job round again.
pub(super) async fn replay(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Form(wish): Form<Wish>,
) -> Result<Response, Problem> {
    caller.may(Right::Mend)?;
    let actor = caller.actor(wish.why())?;
    api.record(&caller, &id).await?;
    let known = api.inspector.options(&id).await?.unwrap_or_default();
    routes::replay(&api, &caller, &id, &wish.remake(&known)?, &actor).await?;
    Ok(go_to(&format!("/jobs/{id}")))
}

/// Removes a job with its files.
pub(super) async fn purge(
    state: State<Api>,
    caller: Caller,
    id: Path<String>,
    Form(reason): Form<Reason>,
) -> Result<Response, Problem> {
    let _ = routes::purge_job(state, caller, id, reason.query()).await?;
    Ok(go_to("/jobs"))
}

/// Has the end of a job told once more.
pub(super) async fn resend(
    state: State<Api>,
    caller: Caller,
    id: Path<String>,
) -> Result<Response, Problem> {
    let back = format!("/jobs/{}", id.0);
    let _ = routes::resend_webhook(state, caller, id, Reason::default().query()).await?;
    Ok(go_to(&back))
}

/// Stops claims.
pub(super) async fn pause(
    state: State<Api>,
    caller: Caller,
    Form(reason): Form<Reason>,
) -> Result<Response, Problem> {
    let _ = routes::pause_queue(state, caller, reason.query()).await?;
    Ok(go_to("/queue"))
}

/// Lets claims go on.
pub(super) async fn resume(
    state: State<Api>,
    caller: Caller,
    Form(reason): Form<Reason>,
) -> Result<Response, Problem> {
    let _ = routes::resume_queue(state, caller, reason.query()).await?;
    Ok(go_to("/queue"))
}

/// Which dead jobs: all of one cause.
#[derive(Deserialize)]
pub(super) struct Cause {
    cause: String,
    #[serde(default)]
    next: String,
}

/// Sends all dead jobs of one cause round again; where there are more than a listing holds, that is a bulk
/// action, which the page has a button for.
pub(super) async fn replay_cause(
    State(api): State<Api>,
    caller: Caller,
    Form(Cause { cause, next }): Form<Cause>,
) -> Result<Response, Problem> {
    caller.may(Right::Mend)?;
    let actor = caller.actor(None)?;
    let mut refused = None;
    // They have become too many since the page was drawn: it is drawn anew.
    let Some(ids) = ids_of(&api, &caller, &cause).await? else { return Ok(go_to("/dead")) };
    for id in ids {
        match routes::replay(&api, &caller, &id, &Remake::default(), &actor).await {
            Err(problem) if problem.code == Code::QueueAway => return Err(problem),
            // Somebody else has replayed or removed it meanwhile.
            Ok(()) | Err(Problem { code: Code::NotDead | Code::UnknownJob, .. }) => {}
            // It keeps back no other, and is told in the end.
            Err(problem) => refused = refused.or(Some(problem)),
        }
    }
    refused.map_or_else(|| Ok(go_to(own_path(&next))), Err)
}
