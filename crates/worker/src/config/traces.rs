//! `OTEL_…` goes in; where spans are sent comes out, or that nobody wants any.

use std::time::Duration;

use secrecy::ExposeSecret;
use settings::{Reader, address};
use telemetry::{TraceError, TraceOptions};

/// Where traces are taken, below the address of a collector.
const PATH: &str = "v1/traces";
const EXAMPLE: &str = "http://localhost:4318";

/// Reads the section; `None` is for no traces. Where a setting is at fault, the reader keeps that, and
/// nothing of this is used. Makes an exporter and throws it away, so that one that cannot be made is a
/// fault of its setting.
pub(super) fn read(reader: &mut Reader) -> Option<TraceOptions> {
    let base = reader.optional("otel_exporter_otlp_endpoint", place);
    let whole = reader.optional("otel_exporter_otlp_traces_endpoint", place);
    let headers = reader.secret("otel_exporter_otlp_headers");
    let headers = match headers.as_ref().map(|text| pairs(text.expose_secret())) {
        None => Some(Vec::new()),
        Some(Ok(pairs)) => Some(pairs),
        Some(Err(message)) => {
            reader.fault("OTEL_EXPORTER_OTLP_HEADERS", message);
            None
        }
    };
    let is_set = base.is_some() || whole.is_some();
    let protocol = reader.read("otel_exporter_otlp_protocol", |text| match text {
        "http/protobuf" => Ok(()),
        // Whoever sets it for other programs sends us nothing.
        _ if !is_set => Ok(()),
        _ => Err("is http/protobuf, which collectors take at port 4318".to_owned()),
    });
    let gzip = reader.read("otel_exporter_otlp_compression", |text| match text {
        "gzip" => Ok(true),
        "none" => Ok(false),
        _ => Err("is gzip or none".to_owned()),
    });
    let timeout = reader.count("otel_exporter_otlp_timeout", 1..=600_000);
    let service = reader.text("otel_service_name");
    let disabled = reader.flag("otel_sdk_disabled");
    let name = if whole.is_some() { TRACES_ENDPOINT } else { ENDPOINT };
    let endpoint =
        whole.or_else(|| base.map(|base| format!("{}/{PATH}", base.trim_end_matches('/'))));
    let (headers, gzip, (), disabled) = (headers?, gzip?, protocol?, disabled?);
    let timeout = Duration::from_millis(u64::try_from(timeout?).ok()?);
    let endpoint = endpoint.filter(|_| !disabled)?;
    let options = TraceOptions { endpoint, headers, timeout, gzip, service: service? };
    match telemetry::check_exporter(&options) {
        // Of a part that is left out the setting itself is refused.
        Ok(()) | Err(TraceError::LeftOut) => Some(options),
        Err(error) => {
            reader.fault(name, error.to_string());
            None
        }
    }
}

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

fn place(text: &str) -> Result<String, String> {
    let text = address::http(text, EXAMPLE)?;
    if text.contains('@') {
        // What is a setting is shown.
        return Err(
            "holds no user or password; put them into OTEL_EXPORTER_OTLP_HEADERS".to_owned()
        );
    }
    Ok(text)
}

/// `name=value` pairs between commas, values percent-encoded as the specification has them.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let message = "is name=value, several between commas, and a value percent-encoded";
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let is_token = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let name = name.trim();
        let is_name = !name.is_empty() && name.chars().all(is_token);
        let value = decoded(value.trim())?;
        let is_value = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        (is_name && is_value).then(|| (name.to_owned(), value))
    };
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    pairs.map(pair).collect::<Option<_>>().ok_or_else(|| message.to_owned())
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}
