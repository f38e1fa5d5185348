//! The store of files: whether it keeps, gives back and lets go what it is given, and how fast.

use super::finding::{Finding, Severity, said};
use crate::config::Config;
use crate::connect;
use crate::wiring::{self, Trial};

const UNSET: &str = "set STORAGE_URL as the workers have it";
const CURE: &str = "make the bucket or folder, correct STORAGE_URL, S3_ENDPOINT or the key, and let it put, \
                    get, list and delete there";
const CONDITIONS: &str = "use a store that knows If-None-Match, or one writer";
const LINE: &str = "look at the line to the store: files are some megabytes each, and UPLOAD_TIMEOUT ends slow \
                    ones";
/// MB/s on the way there.
const RATE: (f64, f64) = (1.0, 0.05);

pub(super) async fn ask(config: &Config) -> Vec<Finding> {
    let place = connect::place(config).ok().and_then(|place| place.storage_url);
    let Some(url) = place.or_else(|| config.storage_url.clone()) else {
        return vec![Finding::warning("storage", "nobody has said where it is", UNSET)];
    };
    match wiring::try_store(&url, &config.bucket).await {
        Ok(trial) => judge(&trial),
        Err(error) => vec![Finding::error("storage", said(&error), CURE)],
    }
}

fn judge(trial: &Trial) -> Vec<Finding> {
    let found = format!("{} keeps, gives back and lets go what it is given", trial.place);
    let whole = if trial.is_whole { Severity::Ok } else { Severity::Warning };
    let (put, get) = (trial.put_rate / 1e6, trial.get_rate / 1e6);
    let rates = format!("{put:.1} MB/s there and {get:.1} MB/s back, by an object of 2 MiB");
    let (warning, error) = RATE;
    vec![
        Finding::judged("storage", found, (whole, CONDITIONS)),
        Finding::judged("upload", rates, (Severity::below(put, warning, error), LINE)),
    ]
}
