//! The bytes of an answer go in; a body that carries its bill comes out. An answer is sold once its last
//! byte is on its way; a client that goes away before has paid for nothing.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::stream;
use serde_json::Value;
use sha2::{Digest, Sha256};

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
    /// The answer's media type; empty for a chat, which is sent piece by piece.
    pub kind: String,
    /// The answer's; empty for a chat.
    pub body: Bytes,
    /// Whether it was made to fail: what came of it cannot be used.
    pub spoilt: bool,
    /// When, in µs since the epoch.
    pub at: i64,
}

impl Sent {
    /// What a worker keeps of it, as it comes, and the digest by which its checkpoint names that: a sound
    /// behind its media type, or a picture. `None` of a chat, whose words lie beside their checkpoint, and of
    /// a picture that is none.
    #[must_use]
    pub fn kept(&self) -> Option<(Bytes, String)> {
        let kept = match self.endpoint {
            Endpoint::Speech => [self.kind.as_bytes(), b"\n", &self.body].concat(),
            Endpoint::Image => {
                let answer: Value = serde_json::from_slice(&self.body).ok()?;
                STANDARD.decode(answer["data"][0]["b64_json"].as_str()?).ok()?
            }
            Endpoint::Chat | Endpoint::Models | Endpoint::Moderation | Endpoint::Realtime => {
                return None;
            }
        };
        let digest = hex::encode(Sha256::digest(&kept));
        Some((kept.into(), digest))
    }
}

/// A call that is being answered.
struct Delivery {
    asked: Value,
    kind: String,
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
        let (asked, kind_told, rest) = (self.asked, kind.to_owned(), whole.clone());
        let mut delivery = Delivery { asked, kind: kind_told, rest, whole, usd, bill: self.bill };
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
        self.bill.tell(&self.asked, &self.kind, self.whole.clone());
        (Ok(piece), None)
    }
}

impl Bill {
    /// Tells whoever listens that the last byte of the answer to `asked` has left.
    pub(super) fn tell(&self, asked: &Value, kind: &str, body: Bytes) {
        if let Some(told) = &self.shared.options.told {
            let at = chrono::Utc::now().timestamp_micros();
            let (endpoint, spoilt) = (self.purchase.endpoint, self.purchase.spoilt);
            // Who listens no more need not know.
            let (asked, kind) = (asked.clone(), kind.to_owned());
            let _ = told.send(Sent { endpoint, asked, kind, body, spoilt, at });
        }
    }
}
