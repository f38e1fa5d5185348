//! `/v1/jobs/{id}/webhook/resend`: the end of a job is told once more.

use ::queue::ResendAnswer;
use axum::Json;
use axum::extract::{Path, State};

use super::audit::ReasonQuery;
use super::job::{Done, done};
use super::schema::Failures;
use crate::caller::{Caller, Right};
use crate::extract::Params;
use crate::problem::{Code, Problem};
use crate::state::Api;

/// Tells the end of a job once more, at once, to the address that its request named.
///
/// One attempt, also of what was delivered, given up or turned off; its endpoint is not off any more. What
/// is still owed then goes on by its schedule. The record's `webhook` says what became of it.
#[utoipa::path(
    post, path = "/v1/jobs/{id}/webhook/resend", tag = "jobs", security(("token" = ["operate"])),
    params(("id" = String, Path, description = "The job"), ReasonQuery),
    responses((status = 200, description = "It is due", body = Done), Failures)
)]
pub(crate) async fn resend_webhook(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Params(reason): Params<ReasonQuery>,
) -> Result<Json<Done>, Problem> {
    caller.may(Right::Mend)?;
    let actor = caller.actor(reason.why.as_deref())?;
    api.record(&caller, &id).await?;
    match api.inspector.resend_webhook(&id, &actor).await? {
        ResendAnswer::Due => Ok(done(id, "due")),
        ResendAnswer::NotEnded(state) => {
            let detail = format!("the job {id} is {state}: there is nothing to tell yet");
            Err(Problem::new(Code::NotEnded, detail))
        }
        ResendAnswer::None => {
            Err(Problem::new(Code::NoWebhook, format!("the request of the job {id} named none")))
        }
        ResendAnswer::Unknown => Err(Problem::unknown_job(&id)),
    }
}
