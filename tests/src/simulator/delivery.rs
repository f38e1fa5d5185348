//! The bytes of an answer go in; a body that carries its bill comes out. An answer is sold once its last
//! byte is on its way; a client that goes away before has paid for nothing.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use serde_json::Value;

use super::admin::answer;
use super::bill::{Bill, Call};
use super::faults::Endpoint;

/// What goes out at once: little beside what a connection holds back.
const PIECE: usize = 64 << 10;

/// An answer whose last byte has left.
#[derive(Clone, Debug)]
pub struct Sent {
    /// What was bought.
    pub endpoint: Endpoint,
    /// The call's body.
    pub asked: Value,
    /// The answer's; empty for a chat, which is sent piece by piece.
    pub body: Bytes,
    /// When, in µs since the epoch.
    pub at: i64,
}

/// A call that is being answered.
struct Delivery {
    asked: Value,
    whole: Bytes,
    rest: Bytes,
    usd: f64,
    bill: Bill,
}

impl Call {
    /// Sends `bytes` of this media type, at the price that the bill names.
    pub(super) fn deliver(self, kind: &str, bytes: impl Into<Bytes>) -> Response {
        let (whole, usd) = (bytes.into(), self.bill.purchase.usd);
        let length = HeaderValue::from(whole.len());
        let mut delivery =
            Delivery { asked: self.asked, rest: whole.clone(), whole, usd, bill: self.bill };
        delivery.bill.set("left", 0, usd);
        let pieces = stream::unfold(Some(delivery), async |delivery| delivery.map(Delivery::next));
        let mut response = answer(200, kind, Body::from_stream(pieces));
        response.headers_mut().insert("content-length", length);
        response
    }
}

impl Delivery {
    /// The next piece; the bill ends with the last one.
    fn next(mut self) -> (Result<Bytes, Infallible>, Option<Self>) {
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        if !self.rest.is_empty() {
            return (Ok(piece), Some(self));
        }
        self.bill.set("done", 200, self.usd);
        self.bill.tell(&self.asked, self.whole.clone());
        (Ok(piece), None)
    }
}

impl Bill {
    /// Tells whoever listens that the last byte of the answer to `asked` has left.
    pub(super) fn tell(&self, asked: &Value, body: Bytes) {
        if let Some(told) = &self.shared.options.told {
            let at = chrono::Utc::now().timestamp_micros();
            let endpoint = self.purchase.endpoint;
            // Who listens no more need not know.
            let _ = told.send(Sent { endpoint, asked: asked.clone(), body, at });
        }
    }
}
