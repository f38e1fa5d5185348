//! A path goes out under an account; a socket comes back (RFC 6455), on which events of JSON go to and fro.

use futures::{SinkExt, StreamExt};
use pipeline::ProviderError;
use reqwest::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use reqwest::header::{SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION};
use reqwest::{RequestBuilder, Response, StatusCode, Upgraded, Url};
use serde_json::Value;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

use super::origin::Origin;

/// Largest event: some seconds of sound as base64 are far below.
const MAX_EVENT: usize = 8 << 20;
const VERSION: &str = "13";

/// `path` with the model's name, however it is spelt.
pub(super) fn path_for(path: &str, model: &str) -> String {
    let url = Url::parse_with_params("http://host/", [("model", model)]);
    let query = url.ok().and_then(|url| url.query().map(str::to_owned));
    format!("{path}?{}", query.unwrap_or_default())
}

/// Asks for a socket. Answers the key by which the server's consent is known.
pub(super) fn asking(request: RequestBuilder) -> (RequestBuilder, String) {
    let key = generate_key();
    let request = request
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, VERSION)
        .header(SEC_WEBSOCKET_KEY, &key);
    (request, key)
}

/// An open socket.
pub(crate) struct Socket {
    stream: WebSocketStream<Upgraded>,
    origin: Origin,
}

impl Socket {
    /// Of a server that has agreed to the request with `key`.
    pub(super) async fn open(
        response: Response,
        origin: Origin,
        key: &str,
    ) -> Result<Self, ProviderError> {
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT);
        let is_socket = response.status() == StatusCode::SWITCHING_PROTOCOLS
            && accepted.is_some_and(|accepted| *accepted == *derive_accept_key(key.as_bytes()));
        if !is_socket {
            return Err(origin.unreadable("opens no WebSocket"));
        }
        let upgraded = response.upgrade().await.map_err(|error| origin.lost(&error))?;
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MAX_EVENT))
            .max_frame_size(Some(MAX_EVENT));
        let stream = WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(limits)).await;
        Ok(Self { stream, origin })
    }

    pub(crate) async fn send(&mut self, event: &Value) -> Result<(), ProviderError> {
        let sent = self.stream.send(Message::text(event.to_string())).await;
        sent.map_err(|error| self.lost(error))
    }

    /// The next event; none when the server has closed the socket.
    pub(crate) async fn next(&mut self) -> Result<Option<Value>, ProviderError> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    let event = serde_json::from_str(&text);
                    return event.map(Some).map_err(|_| self.origin.unreadable("is not JSON"));
                }
                Some(Ok(Message::Close(_))) | None => return Ok(None),
                // Pings are answered below us.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(self.lost(error)),
            }
        }
    }

    /// The error of a socket that the server has closed before it had said all.
    pub(crate) fn closed(&self) -> ProviderError {
        let message = "the provider closed the connection in the middle";
        ProviderError::transient(self.origin.vendor.provider, "connection-broken", message)
    }

    /// What the system said, as far as it said anything.
    fn lost(&self, error: tungstenite::Error) -> ProviderError {
        match error {
            tungstenite::Error::Io(error) => match error.raw_os_error() {
                Some(number) => self.closed().because(std::io::Error::from_raw_os_error(number)),
                None => self.closed(),
            },
            tungstenite::Error::Capacity(_) => {
                self.origin.unreadable("is larger than any such answer")
            }
            tungstenite::Error::Utf8(_) => self.origin.unreadable("is not valid UTF-8"),
            _ => self.closed(),
        }
    }
}
