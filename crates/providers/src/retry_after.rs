//! Headers go in; the wait that the server asks for comes out.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// Longer waits are no waits: somebody's clock or unit is wrong.
const MAX_SECONDS: f64 = 24.0 * 3600.0;

/// `retry-after-ms`, else `Retry-After` in seconds or as a date.
///
/// A date is measured against the answer's own `Date`, so that this host's clock does not matter;
/// without one it says nothing. So do negative numbers, which some servers send.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let milliseconds = text("retry-after-ms").and_then(|ms| ms.parse::<f64>().ok());
    if let Some(wait) = milliseconds.and_then(|ms| seconds(ms / 1000.0)) {
        return Some(wait);
    }
    let asked = text(RETRY_AFTER.as_str())?;
    if let Ok(number) = asked.parse() {
        seconds(number)
    } else {
        let until = httpdate::parse_http_date(asked).ok()?;
        let now = httpdate::parse_http_date(text(DATE.as_str())?).ok()?;
        seconds(until.duration_since(now).unwrap_or_default().as_secs_f64())
    }
}

fn seconds(number: f64) -> Option<Duration> {
    (0.0..=MAX_SECONDS).contains(&number).then(|| Duration::from_secs_f64(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(pairs: &[(&'static str, &str)]) -> Option<u128> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        retry_after(&headers).map(|wait| wait.as_millis())
    }

    #[test]
    fn every_form_is_read() {
        let date = ("date", "Mon, 23 Nov 2026 06:00:00 GMT");
        for (headers, ms) in [
            (&[("retry-after", "7")][..], Some(7_000)),
            (&[("retry-after", " 0.25 ")], Some(250)),
            (&[("retry-after", "0")], Some(0)),
            (&[("retry-after-ms", "1500"), ("retry-after", "9")], Some(1_500)),
            (&[("retry-after-ms", "soon"), ("retry-after", "9")], Some(9_000)),
            (&[("retry-after", "Mon, 23 Nov 2026 06:01:30 GMT"), date], Some(90_000)),
            (&[("retry-after", "Mon, 23 Nov 2026 05:59:00 GMT"), date], Some(0)),
            (&[("retry-after", "Monday, 23-Nov-26 06:00:05 GMT"), date], Some(5_000)),
            (&[("retry-after", "Mon, 23 Nov 2026 06:01:30 GMT")], None),
            (&[("retry-after", "Mon, 23 Nov 2099 06:00:00 GMT"), date], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "1e300")], None),
            (&[("retry-after", "later")], None),
            (&[], None),
        ] {
            assert_eq!(wait(headers), ms, "{headers:?}");
        }
    }
}
