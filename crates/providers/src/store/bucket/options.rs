//! Settings go in, a client of S3 comes out: no retries of its own, a time-out on everything.

use std::fmt;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;

const CONNECT: Duration = Duration::from_secs(5);
/// Longest time of one request, body and answer; of 16 MiB that is 280 KiB a second.
const REQUEST: Duration = Duration::from_mins(1);
/// The region of stores that have none.
const ANY_REGION: &str = "us-east-1";

/// Where a bucket is and who may write into it.
#[derive(Clone, Debug, Default)]
pub struct BucketOptions {
    /// `s3://bucket` or `s3://bucket/prefix`.
    pub url: String,
    /// Another S3 than Amazon's, such as `http://127.0.0.1:9000`; its addresses are path-style.
    pub endpoint: Option<String>,
    /// The bucket's region; unset, what the machine's AWS settings say, else `us-east-1`.
    pub region: Option<String>,
    /// Unset, those of the machine: profile, web identity, container or instance role.
    pub credentials: Option<Credentials>,
    /// What people fetch from instead of presigned addresses; stands for the whole of `url`.
    pub public_base_url: Option<String>,
}

/// A key of an account.
#[derive(Clone)]
pub struct Credentials {
    /// Its name.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
    /// Given with temporary keys.
    pub session_token: Option<String>,
}

/// Secrets never reach a log.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// Bucket and prefix of an address; the prefix is empty or ends with a slash.
pub(super) fn place(url: &str) -> Option<(String, String)> {
    let place = url.strip_prefix("s3://")?;
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let prefix = prefix.trim_end_matches('/');
    let segments_are_plain =
        |text: &str| text.split('/').all(|part| !part.is_empty() && part.bytes().all(is_plain));
    let is_bucket = !bucket.is_empty() && bucket.bytes().all(is_plain);
    if !is_bucket || !(prefix.is_empty() || segments_are_plain(prefix)) {
        return None;
    }
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    Some((bucket.to_owned(), prefix))
}

pub(super) async fn client(options: &BucketOptions) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_timeout(REQUEST)
        .operation_attempt_timeout(REQUEST)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        // The time-outs bound a stall, and slow lines are no fault.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    } else if options.endpoint.is_some() {
        loader = loader.region(of_this_machine());
    }
    if let Some(endpoint) = &options.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(known) = &options.credentials {
        let Credentials { access_key_id, secret_access_key, session_token } = known.clone();
        loader = loader.credentials_provider(aws_sdk_s3::config::Credentials::new(
            access_key_id,
            secret_access_key,
            session_token,
            None,
            "stillcast",
        ));
    }
    let shared = loader.load().await;
    let mut config =
        aws_sdk_s3::config::Builder::from(&shared).force_path_style(options.endpoint.is_some());
    if shared.region().is_none() {
        config = config.region(Region::new(ANY_REGION));
    }
    Client::from_conf(config.build())
}

/// What the machine's settings say, without asking Amazon's metadata service: a store of one's own is
/// not in their cloud, and the question would cost each start its time-out.
fn of_this_machine() -> RegionProviderChain {
    RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(Region::from_static(ANY_REGION))
}
