//! `GET /live`: whenever something in the queue changes, a page that is open hears of it, at most once
//! a second; and now and then all the same, since ages grow by themselves.
//!
//! An event says nothing but that: what is new the page fetches. Whoever comes back after a break
//! fetches once, and has missed nothing.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::time::{sleep, timeout};

use super::shell::Viewer;
use crate::hub::Changes;
use crate::state::Api;

/// Shortest time between two events.
const BREATH: Duration = Duration::from_secs(1);
/// Longest time without one: it also keeps connections open.
const ANYWAY: Duration = Duration::from_secs(10);
/// How long a browser waits before it comes back.
const COME_BACK: Duration = Duration::from_secs(2);

pub(super) async fn follow_queue(State(api): State<Api>, _: Viewer) -> Response {
    let events = stream::unfold((api.hub.changes(), true), |(changes, is_first)| async move {
        let mut changes = changes?;
        if is_first {
            let hello = Event::default().event("hello").retry(COME_BACK).data("1");
            return Some((Ok::<_, Infallible>(hello), (Some(changes), false)));
        }
        sleep(BREATH).await;
        is_open(&mut changes).await.then(|| (Ok(changed()), (Some(changes), false)))
    });
    let mut response = Sse::new(events).into_response();
    // nginx would keep small events back until there are more.
    response.headers_mut().insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    response
}

/// Waits for a change, or for so long that a look is due anyway; false once the server ends.
async fn is_open(changes: &mut Changes) -> bool {
    !matches!(timeout(ANYWAY, changes.next()).await, Ok(None))
}

fn changed() -> Event {
    // Browsers drop an event without data.
    Event::default().event("changed").data("1")
}
