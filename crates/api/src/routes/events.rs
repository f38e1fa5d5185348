//! `GET /v1/jobs/{id}/events`: a job goes in, its record comes out at each change, as server-sent
//! events, until it has ended.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use stillcast_enqueue::JobRecord;
use utoipa::ToSchema;

use super::schema::Failures;
use crate::caller::{Caller, Right};
use crate::hub::{Seen, Watched};
use crate::problem::Problem;
use crate::state::Api;

/// A comment, so that proxies keep the connection open.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client waits before it comes back.
const COME_BACK: Duration = Duration::from_secs(2);

/// Follows a job: its record at once, then again at each change.
///
/// Events are called `job`; their `id` is the record's `revision`, their `data` the record. A client
/// that comes back with `Last-Event-ID` gets the record if it is another one by now: what happened in
/// between is missed, the end never. `end` is the last event, and nobody should come back after it;
/// its data is the job's state, or `purged`.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/events", tag = "jobs",
    security(("token" = ["enqueue", "read", "operate"])),
    params(
        ("id" = String, Path, description = "The job"),
        ("Last-Event-ID" = Option<String>, Header, description = "The revision that the client has"),
    ),
    responses(
        (status = 200, description = "Events", body = StreamEvent, content_type = "text/event-stream"),
        Failures
    )
)]
pub(crate) async fn follow_job(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.may(Right::Read)?;
    api.record(&caller, &id).await?;
    let known = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let events = Sse::new(events(Following::Job { watched: api.hub.watch(&id), known }));
    let alive = KeepAlive::new().interval(HEARTBEAT).text("");
    let mut response = events.keep_alive(alive).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would keep small events back until there are more.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// One event of the stream.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct StreamEvent {
    /// `job`, or `end` for the last one.
    event: String,
    /// The revision of the record; the last event has none.
    id: Option<String>,
    /// The record as JSON; of the last event the job's state, or `purged`.
    data: String,
    /// How long to wait before coming back, in ms.
    retry: Option<u64>,
}

/// Where a stream stands.
enum Following {
    /// The job goes on; the client has the revision `known`.
    Job { watched: Watched, known: Option<u64> },
    /// Its last word is left to say.
    End(&'static str),
    /// Nothing is left to say.
    Over,
}

fn events(from: Following) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(from, |following| async {
        let (event, following) = next(following).await?;
        Some((Ok(event), following))
    })
}

async fn next(following: Following) -> Option<(Event, Following)> {
    let (mut watched, known) = match following {
        Following::Job { watched, known } => (watched, known),
        Following::End(word) => {
            return Some((Event::default().event("end").data(word), Following::Over));
        }
        Following::Over => return None,
    };
    loop {
        match watched.next().await {
            Seen::Record(record) => {
                let is_over = record.state.is_terminal();
                if !is_over && known == Some(record.revision) {
                    continue;
                }
                let following = if is_over {
                    Following::End(record.state.as_str())
                } else {
                    Following::Job { watched, known: None }
                };
                return Some((event_of(&record), following));
            }
            Seen::Gone => {
                return Some((Event::default().event("end").data("purged"), Following::Over));
            }
            // The server ends: the client comes back to another one.
            Seen::Closed => return None,
            Seen::Unread => {}
        }
    }
}

fn event_of(record: &JobRecord) -> Event {
    let json = serde_json::to_string(record).unwrap_or_default();
    Event::default().event("job").id(record.revision.to_string()).retry(COME_BACK).data(json)
}
