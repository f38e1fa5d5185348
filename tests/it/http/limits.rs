//! What a token has left is told right, however many of its clients ask at once.

use std::time::Instant;

use futures::StreamExt;
use reqwest::{Method, StatusCode};

use crate::support::{ADMIN, Answer, Api};

/// `"token";r=42;t=17` → 42.
fn left(answer: &Answer) -> u64 {
    let header = answer.header("ratelimit");
    let left = header.split(';').find_map(|part| part.strip_prefix("r="));
    left.and_then(|left| left.parse().ok()).unwrap_or_else(|| panic!("{answer:?}"))
}

#[tokio::test]
async fn what_is_left_is_right_under_a_hundred_clients() {
    let other = "other-0123456789abcdef";
    let tokens = format!("one:{ADMIN}:*:admin two:{other}:*:read");
    // One request comes back each second.
    let settings = [("API_TOKENS", tokens.as_str()), ("API_REQUESTS_PER_MINUTE", "60")];
    let api = Api::start_with(&settings).await;
    let bearer = format!("Authorization: Bearer {ADMIN}");
    let headers = [bearer.as_str()];
    let began = Instant::now();
    let ask = |_| api.send(Method::GET, "/v1/queue", &headers, None);
    let answers: Vec<Answer> =
        futures::stream::iter(0..100).map(ask).buffer_unordered(100).collect().await;
    let came_back = began.elapsed().as_secs() + 1;

    let (granted, refused): (Vec<&Answer>, Vec<&Answer>) =
        answers.iter().partition(|answer| answer.status == StatusCode::OK);
    assert!((60..=60 + came_back).contains(&(granted.len() as u64)), "{}", granted.len());
    let mut told: Vec<u64> = granted.into_iter().map(left).collect();
    told.sort_unstable_by(|one, other| other.cmp(one));
    for (used, told) in (1..).zip(told) {
        let wanted = 60u64.saturating_sub(used);
        assert!((wanted..=wanted + came_back).contains(&told), "{told} after {used}");
    }
    for answer in refused {
        let _ = answer.problem(429, "rate-limited");
        assert_eq!((left(answer), answer.header("retry-after")), (0, "1"));
    }
    assert!(
        answers.iter().all(|answer| answer.header("ratelimit-policy") == "\"token\";q=60;w=60")
    );
    let bearer = format!("Authorization: Bearer {other}");
    let answer = api.send(Method::GET, "/v1/queue", &[&bearer], None).await;
    assert_eq!((answer.status, left(&answer)), (StatusCode::OK, 59), "each token has its own");
}
