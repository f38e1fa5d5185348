//! A prompt goes in, a picture that decodes comes out, as base64.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use child::Spec;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Shared;
use super::admin::refusal;
use super::faults::{Endpoint, Fault};

/// Larger than any screen, and than any worker takes.
const HUGE: &str = "8192x512";

/// Paints each size once.
#[derive(Default)]
pub(super) struct Gallery(Mutex<HashMap<(String, bool), Bytes>>);

impl Gallery {
    async fn paint(&self, size: &str, is_jpeg: bool) -> anyhow::Result<Bytes> {
        let Self(painted) = self;
        let key = (size.to_owned(), is_jpeg);
        let known = painted.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let coder = if is_jpeg { "mjpeg" } else { "png" };
        let source = format!("gradients=size={size}:seed=7:duration=1:rate=1");
        let painting = Spec::new("ffmpeg")
            .args(["-v", "error", "-f", "lavfi", "-i", &source, "-frames:v", "1", "-q:v", "2"])
            .args(["-pix_fmt", if is_jpeg { "yuvj420p" } else { "rgb24" }])
            .args(["-c:v", coder, "-f", "image2pipe", "pipe:1"])
            .hint("install it with: apt-get install ffmpeg")
            .timeout(Duration::from_mins(1));
        let picture = Bytes::from(painting.output(64 << 20).await?.0);
        painted.lock().unwrap_or_else(PoisonError::into_inner).insert(key, picture.clone());
        Ok(picture)
    }
}

pub(super) async fn draw(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut call = match shared.open(Endpoint::Image, &headers, &body) {
        Ok(call) => call,
        Err(refused) => return *refused,
    };
    let size = match call.fault {
        Some(Fault::Huge) => HUGE,
        _ => call.asked["size"].as_str().unwrap_or("1024x1024"),
    };
    // From here on it is being made, and is paid for, whoever still waits.
    let usd = shared.options.prices.picture;
    call.bill.set("left", 0, usd);
    let is_jpeg = call.asked["output_format"] == "jpeg";
    let Ok(picture) = shared.image.paint(size, is_jpeg).await else {
        call.bill.set("refused", 400, 0.0);
        return refusal(&Fault::status(400, "invalid_size"), "");
    };
    sleep(shared.options.latency.picture(&mut call.rng)).await;
    shared.holds.pass(Endpoint::Image).await;
    call.bill.set("done", 200, usd);
    let data = match call.fault {
        Some(Fault::Link) => json!({ "url": "http://127.0.0.1:1/picture.png" }),
        Some(Fault::Truncate) => base64(&picture[..picture.len() / 2]),
        Some(Fault::Short) => base64(b"this is no picture"),
        _ => base64(&picture),
    };
    call.deliver("application/json", json!({ "created": 0, "data": [data] }).to_string())
}

fn base64(bytes: &[u8]) -> Value {
    json!({ "b64_json": STANDARD.encode(bytes) })
}
