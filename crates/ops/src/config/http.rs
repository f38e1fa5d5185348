//! `HTTP_ADDR` and who may ask there go in; what a server of the API needs of them comes out.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use settings::{AlertConfig, Reader};

/// Most requests of one token in a minute that can be set.
const MOST: usize = 1_000_000;
/// Between which lengths a target of the backlog can be set.
const TARGETS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(24));

/// Where the API answers, and whom.
#[cfg_attr(
    not(feature = "http"),
    expect(dead_code, reason = "a build without the API reads them only to refuse what is wrong")
)]
pub(crate) struct HttpConfig {
    pub(crate) address: SocketAddr,
    pub(crate) tokens: Option<SecretString>,
    /// Where the tokens stand, if they stand in a file.
    pub(crate) tokens_file: Option<PathBuf>,
    /// `None` for as many as they like.
    pub(crate) requests_per_minute: Option<NonZeroU32>,
    /// How long a job may wait for a slot, by which the demand of workers is told.
    pub(crate) backlog_target: Duration,
    /// Who is told of alerts.
    pub(crate) alerts: Option<AlertConfig>,
    /// `LOG_FORMAT` and `RUST_LOG`, of `serve` alone.
    pub(crate) log: (String, String),
}

impl HttpConfig {
    /// Reads the section; `None` where something is at fault.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let address = reader.read("http_addr", |text| {
            text.parse().map_err(|_| "is an address such as 127.0.0.1:8090".to_owned())
        });
        let tokens = reader.secret("api_tokens");
        let tokens_file = reader.text("api_tokens_file").map(PathBuf::from);
        let limit = reader.count("api_requests_per_minute", 0..=MOST);
        let target = reader.duration("backlog_target", TARGETS.0..=TARGETS.1);
        let alerts = AlertConfig::read(reader);
        let format = reader.read("log_format", |text| match text {
            "auto" | "json" | "pretty" => Ok(text.to_owned()),
            _ => Err("is auto, json or pretty".to_owned()),
        });
        let filter = reader.text("rust_log").unwrap_or_default();
        let requests_per_minute = NonZeroU32::new(u32::try_from(limit?).ok()?);
        let log = (format?, filter);
        let (address, backlog_target) = (address?, target?);
        Some(Self {
            address,
            tokens,
            tokens_file,
            requests_per_minute,
            backlog_target,
            alerts,
            log,
        })
    }
}
