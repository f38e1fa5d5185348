//! `LOG_FORMAT` and `RUST_LOG` go in; what is logged, and how, comes out.

use settings::Reader;
use telemetry::{LogFormat, Logging, TelemetryError};

/// Reads the section.
pub(super) fn read(reader: &mut Reader) -> Option<Logging> {
    let said = |error: TelemetryError| error.to_string();
    let format = reader.read("log_format", |text| text.parse().map_err(said));
    let filter = reader.read("rust_log", |text| {
        Logging::new(LogFormat::Auto, text).map(|_| text.to_owned()).map_err(said)
    });
    Logging::new(format?, &filter?).ok()
}
