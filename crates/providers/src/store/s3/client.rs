//! Settings go in, a client of S3 comes out: no retries of its own, a time-out on everything.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::ProvideCredentials;

use crate::store::options::{Credentials, StoreOptions};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest time of one request, body and answer; of 16 MiB that is 280 KiB a second.
const REQUEST: Duration = Duration::from_mins(1);
/// The region of stores that have none.
const ANY_REGION: &str = "us-east-1";

/// A client of the S3 that the options name.
pub(super) async fn client(options: &StoreOptions) -> Client {
    let shared = loader(options).load().await;
    let mut config =
        aws_sdk_s3::config::Builder::from(&shared).force_path_style(options.endpoint.is_some());
    if shared.region().is_none() {
        config = config.region(Region::new(ANY_REGION));
    }
    Client::from_conf(config.build())
}

fn loader(options: &StoreOptions) -> ConfigLoader {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts())
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
    match &options.credentials {
        Some(known) => loader.credentials_provider(provider(known.clone())),
        None => loader,
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_timeout(REQUEST)
        .operation_attempt_timeout(REQUEST)
        .build()
}

fn provider(credentials: Credentials) -> impl ProvideCredentials + 'static {
    let Credentials { access_key_id, secret_access_key, session_token } = credentials;
    aws_sdk_s3::config::Credentials::new(
        access_key_id,
        secret_access_key,
        session_token,
        None,
        "stillcast",
    )
}

/// What the machine's settings say, without asking Amazon's metadata service: a store of one's own is
/// not in their cloud, and the question would cost each start its time-out.
fn of_this_machine() -> RegionProviderChain {
    RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(Region::from_static(ANY_REGION))
}
