//! `/v1/jobs/{id}/replay`: a dead job is sent round again, from a stage on and with other options if asked
//! to.

use ::queue::{Actor, Remake, ReplayAnswer};
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Map, Value};
use stillcast_enqueue::{InvalidField, InvalidJob, StageName};
use utoipa::ToSchema;

use super::audit::ReasonQuery;
use super::job::{Done, done};
use super::schema::{Failures, OptionsRequest};
use crate::caller::{Caller, Right};
use crate::extract::{JsonBody, Params};
use crate::problem::{Code, Problem};
use crate::state::Api;

/// What is made anew; what is not named is kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "tts", "options": {"voice": "anna"}}))]
pub(crate) struct ReplayRequest {
    /// The first stage that is made anew, with all that is built on it; without it, where the options
    /// first decide something.
    #[schema(value_type = Option<StageName>)]
    from: Option<String>,
    /// Options with their new values; null is the worker's default again.
    #[schema(value_type = Option<OptionsRequest>)]
    options: Option<Map<String, Value>>,
}

/// Sends a dead job round again; its finished work is kept.
///
/// With a body a part of it is made anew: from a stage on, or with other options. What is built on that
/// stage goes with it; what is kept is not paid again. Another `variant` asks for what no other job has.
#[utoipa::path(
    post, path = "/v1/jobs/{id}/replay", tag = "jobs", security(("token" = ["operate"])),
    params(("id" = String, Path, description = "The job"), ReasonQuery),
    request_body = Option<ReplayRequest>,
    responses((status = 200, description = "It is ready", body = Done), Failures)
)]
pub(crate) async fn replay_job(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Params(reason): Params<ReasonQuery>,
    body: Option<JsonBody>,
) -> Result<Json<Done>, Problem> {
    caller.may(Right::Mend)?;
    let actor = caller.actor(reason.why.as_deref())?;
    let remake = body.as_ref().map_or_else(|| Ok(Remake::default()), read)?;
    replay(&api, &caller, &id, &remake, &actor).await?;
    Ok(done(id, "ready"))
}

/// Sends one dead job round again.
pub(crate) async fn replay(
    api: &Api,
    caller: &Caller,
    id: &str,
    remake: &Remake,
    actor: &Actor,
) -> Result<(), Problem> {
    api.record(caller, id).await?;
    let problem = match api.inspector.replay_from(id, remake, actor).await? {
        ReplayAnswer::Ready => return Ok(()),
        ReplayAnswer::NotDead(state) => {
            Problem::new(Code::NotDead, format!("the job {id} is {state}"))
        }
        ReplayAnswer::BodyGone => Problem::new(Code::RequestGone, Code::RequestGone.title()),
        ReplayAnswer::Duplicate(owner) => {
            Problem::new(Code::KeyTaken, format!("its idempotency key belongs to the job {owner}"))
        }
        ReplayAnswer::Unreadable(why) => Problem::new(Code::RequestUnreadable, why),
        ReplayAnswer::Unknown => Problem::unknown_job(id),
    };
    Err(problem)
}

/// What a body wishes.
fn read(body: &JsonBody) -> Result<Remake, Problem> {
    let takes = "{\"from\": text, \"options\": as of a request}";
    let Some(ReplayRequest { from, options }) = body.read(takes)? else {
        return Ok(Remake::default());
    };
    let options = options.unwrap_or_default();
    let set: Vec<(&str, String)> = options
        .iter()
        .map(|(name, value)| Ok((name.as_str(), text_of(name, value)?)))
        .collect::<Result<_, InvalidField>>()
        .map_err(InvalidJob::from)?;
    let set = set.iter().map(|(name, text)| (*name, text.as_str()));
    Remake::parse(from.as_deref(), set).map_err(|fault| InvalidJob::from(fault).into())
}

/// An option's value as its text; nothing for null. Whether there is such an option is judged where all
/// are known.
fn text_of(name: &str, value: &Value) -> Result<String, InvalidField> {
    match (name, value) {
        (_, Value::Null) => Ok(String::new()),
        ("variant" | "duration" | "bed_level" | "tail", Value::Number(number)) => {
            Ok(number.to_string())
        }
        ("bells" | "stems" | "motion" | "live", Value::Bool(flag)) => Ok(flag.to_string()),
        ("lexicon", Value::Object(_)) => Ok(value.to_string()),
        ("voice" | "language" | "bed" | "container" | "aspect", Value::String(text))
            if !text.is_empty() =>
        {
            Ok(text.clone())
        }
        _ => match takes(name) {
            Some(takes) => {
                Err(InvalidField::value(format!("options.{name}"), takes, "something else"))
            }
            None => Ok(String::new()),
        },
    }
}

/// What an option takes; nothing where there is no such option.
fn takes(name: &str) -> Option<&'static str> {
    match name {
        "variant" | "duration" | "bed_level" | "tail" => Some("a whole number, or null"),
        "bells" | "stems" | "motion" | "live" => Some("true, false, or null"),
        "voice" | "language" | "bed" | "container" | "aspect" => Some("a name, or null"),
        "lexicon" => Some("an object of words with what is said instead, or null"),
        _ => None,
    }
}
