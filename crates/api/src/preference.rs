//! How long a caller would wait: `?wait=30`, or `Prefer: wait=30` (RFC 7240).

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};

use crate::problem::Problem;

/// Longest wait, in seconds.
pub(crate) const MAX_WAIT_S: u64 = 60;

/// What the caller prefers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wait {
    /// How long to wait for the end; `None` to answer at once.
    pub(crate) limit: Option<Duration>,
    /// Whether a header asked for it: then the answer says that it was heard.
    pub(crate) is_preference: bool,
}

impl Wait {
    /// The query's wish, else the header's. A preference that cannot be read is ignored, as RFC 7240
    /// has it, and one that is too long is shortened.
    pub(crate) fn of(query: Option<u64>, headers: &HeaderMap) -> Result<Self, Problem> {
        match query {
            Some(seconds) if seconds > MAX_WAIT_S => Err(Problem::of_field(
                "?wait",
                format!("takes whole seconds from 0 to {MAX_WAIT_S}, got {seconds}"),
            )),
            Some(seconds) => Ok(Self { limit: duration(seconds), is_preference: false }),
            None => {
                let preferred =
                    preferred(headers).and_then(|seconds| duration(seconds.min(MAX_WAIT_S)));
                Ok(Self { limit: preferred, is_preference: preferred.is_some() })
            }
        }
    }

    /// Says in the answer that a preference was heard.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let heard = self.limit.filter(|_| self.is_preference);
        let heard = heard.map(|limit| HeaderValue::try_from(format!("wait={}", limit.as_secs())));
        if let Some(Ok(heard)) = heard {
            headers.insert("preference-applied", heard);
        }
    }
}

fn duration(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

fn preferred(headers: &HeaderMap) -> Option<u64> {
    let lines = headers.get_all("prefer").into_iter().filter_map(|line| line.to_str().ok());
    let mut preferences = lines.flat_map(|line| line.split([',', ';']));
    preferences.find_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        let is_wait = name.trim().eq_ignore_ascii_case("wait");
        is_wait.then(|| value.trim().trim_matches('"').parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_from_query_or_header() {
        let header =
            |text: &str| HeaderMap::from_iter([("prefer".parse().unwrap(), text.parse().unwrap())]);
        let seconds =
            |query, text| Wait::of(query, &header(text)).unwrap().limit.map(|l| l.as_secs());
        for (query, text, wanted) in [
            (None, "wait=30", Some(30)),
            (None, "respond-async, WAIT = \"7\"", Some(7)),
            (None, "wait=900", Some(60)),
            (None, "wait=0", None),
            (None, "wait=soon", None),
            (None, "return=minimal", None),
            (Some(5), "wait=30", Some(5)),
            (Some(0), "wait=30", None),
        ] {
            assert_eq!(seconds(query, text), wanted, "{query:?} {text}");
        }
        assert!(Wait::of(Some(61), &HeaderMap::new()).is_err());
    }
}
