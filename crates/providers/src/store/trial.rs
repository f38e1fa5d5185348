//! A store goes in; how it does comes out: whether it gives back what it was given, leaves alone what is
//! there, and how fast it is. What is put for it is taken away again.

use std::time::Duration;

use bytes::Bytes;
use pipeline::{ObjectKey, ProviderError};
use tokio::time::{Instant, timeout};

use super::contract::Store;

/// Length of what is put: large enough for a rate, small enough for a slow line.
const BYTES: usize = 2 << 20;
/// Longest time of the whole, so that what was put is taken away in any case.
const LIMIT: Duration = Duration::from_secs(30);

/// How a store does.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Where it is, and what it does not know.
    pub place: String,
    /// Whether it does what a store should, however slowly.
    pub is_whole: bool,
    /// Bytes a second on the way there, of an object of 2 MiB.
    pub put_rate: f64,
    /// Bytes a second on the way back.
    pub get_rate: f64,
}

/// Puts an object, tries to put another one under its key, gets it back and takes it away.
pub async fn trial(store: &dyn Store) -> Result<Trial, ProviderError> {
    let place = store.probe().await?;
    let key = format!("probe-{:016x}", fastrand::u64(..));
    let key = ObjectKey::parse(&key).map_err(|error| untrue(store, error.to_string()))?;
    let tried = timeout(LIMIT, there_and_back(store, &key)).await;
    let removed = store.delete_prefix(&key).await;
    let slow = || untrue(store, format!("2 MiB took longer than {} s", LIMIT.as_secs()));
    let (put_rate, get_rate) = tried.unwrap_or_else(|_| Err(slow()))?;
    removed?;
    if store.size(&key).await?.is_some() {
        return Err(untrue(store, "an object that was deleted is still there"));
    }
    Ok(Trial { place, is_whole: store.lacks().is_none(), put_rate, get_rate })
}

async fn there_and_back(store: &dyn Store, key: &ObjectKey) -> Result<(f64, f64), ProviderError> {
    let bytes: Bytes = std::iter::repeat_with(|| fastrand::u8(..)).take(BYTES).collect();
    let began = Instant::now();
    store.put_if_absent(key, bytes.clone()).await?;
    let put_rate = rate(began);
    if store.put_if_absent(key, Bytes::from_static(b"another")).await? {
        return Err(untrue(store, "it writes over what is there"));
    }
    let began = Instant::now();
    let came = store.get(key).await?;
    let get_rate = rate(began);
    if came != Some(bytes) {
        return Err(untrue(store, "it does not give back what it was given"));
    }
    Ok((put_rate, get_rate))
}

fn rate(began: Instant) -> f64 {
    BYTES as f64 / began.elapsed().as_secs_f64().max(1e-6)
}

fn untrue(store: &dyn Store, message: impl Into<String>) -> ProviderError {
    ProviderError::misconfigured(store.provider(), "store-untrue", message)
}
