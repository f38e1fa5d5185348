//! Every problem that there is, one row each: its word, its status, what happened and what to do.

use axum::http::StatusCode;

/// Whether the same request may succeed later.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Retry {
    Never,
    /// After so many seconds.
    After(u64),
}
use Retry::{After, Never};

macro_rules! codes {
    ($($code:ident = $word:literal, $status:ident, $retry:expr, $title:literal, $cure:literal;)*) => {
        /// What can be wrong with a request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code {$($code,)*}

        impl Code {
            pub(crate) const ALL: [Self; [$($word),*].len()] = [$(Self::$code),*];

            /// The word for programs, and in the address of its page.
            pub(crate) fn as_str(self) -> &'static str {
                match self {$(Self::$code => $word,)*}
            }

            pub(crate) fn status(self) -> StatusCode {
                match self {$(Self::$code => StatusCode::$status,)*}
            }

            /// What happened.
            pub(crate) fn title(self) -> &'static str {
                match self {$(Self::$code => $title,)*}
            }

            /// What to do.
            pub(crate) fn cure(self) -> &'static str {
                match self {$(Self::$code => $cure,)*}
            }

            fn retry(self) -> Retry {
                match self {$(Self::$code => $retry,)*}
            }
        }
    };
}

codes! {
    InvalidRequest = "invalid-request", BAD_REQUEST, Never,
        "The request cannot be as it is",
        "Each of its `errors` names a field, what it takes and what it got. Mend them and send it again.";
    Unauthorized = "unauthorized", UNAUTHORIZED, Never,
        "The request names no token that is known here",
        "Send `Authorization: Bearer …` with one of the tokens in API_TOKENS.";
    Forbidden = "forbidden", FORBIDDEN, Never,
        "The token may not do this",
        "Use a token with the role that `detail` names, or ask an operator for one.";
    TenantRefused = "tenant-refused", FORBIDDEN, Never,
        "The token stands for another tenant",
        "Leave `tenant` out, or name the token's own.";
    OriginRefused = "origin-refused", FORBIDDEN, Never,
        "The request came through a page or a name of somebody else",
        "Without API_TOKENS only this machine is answered, by the names localhost and 127.0.0.1, and no page of another site. Set API_TOKENS to be reached otherwise.";
    UnknownPath = "unknown-path", NOT_FOUND, Never,
        "There is nothing at this path",
        "/openapi.json lists every path.";
    UnknownJob = "unknown-job", NOT_FOUND, Never,
        "There is no such job",
        "It never was, its record was purged, or it belongs to another tenant than the token.";
    UnknownBulk = "unknown-bulk", NOT_FOUND, Never,
        "There is no such bulk action",
        "It never was, it ended more than seven days ago, or it belongs to another tenant than the token.";
    PlanExpired = "plan-expired", GONE, Never,
        "The plan is too old to begin",
        "Ask for a new one: jobs, and what they cost, are others by now.";
    NoArtifact = "no-artifact", CONFLICT, After(5),
        "The job has no file yet",
        "Wait until its state is `done`: with `?wait=30`, by its events, or by a webhook.";
    ArtifactGone = "artifact-gone", GONE, Never,
        "The job's file is no longer in the store",
        "Replay or repeat the request; whoever cleans the store has removed the file.";
    NoExtra = "no-extra", NOT_FOUND, Never,
        "No file of this name lies beside the job's",
        "The record's `extras` name those that there are.";
    NotHeard = "not-heard", CONFLICT, After(1),
        "Nothing of the job can be heard while it is made",
        "Where its request says `live`, the first sound comes some seconds after it has begun: ask again. Otherwise wait for its file.";
    NoTranscript = "no-transcript", NOT_FOUND, Never,
        "The job has no words",
        "They are written in the transcript stage, and go with the record.";
    MethodRefused = "method-refused", METHOD_NOT_ALLOWED, Never,
        "The path does not know this method",
        "The header `Allow` names those that it knows.";
    NotDead = "not-dead", CONFLICT, Never,
        "Only dead jobs are replayed",
        "`detail` says in which state the job is. One that waits or runs needs no replay.";
    RequestGone = "request-gone", CONFLICT, Never,
        "The job's request is gone, so it cannot run again",
        "A dead job keeps its request for seven days. Enqueue it anew.";
    RequestUnreadable = "request-unreadable", CONFLICT, Never,
        "The job's request cannot be changed by this server",
        "`detail` says why. Replay it as it is, or enqueue it anew.";
    KeyTaken = "key-taken", CONFLICT, Never,
        "Another job has the idempotency key by now",
        "Look at that job: it does the same work.";
    AlreadyEnded = "already-ended", CONFLICT, Never,
        "The job had ended before",
        "`detail` says how. What has ended is not cancelled.";
    NotEnded = "not-ended", CONFLICT, After(5),
        "The job has not ended yet",
        "What has ended is removed, and told. Wait for its end, or cancel it.";
    NoWebhook = "no-webhook", CONFLICT, Never,
        "Nobody has asked to be told of the job's end",
        "Name a `webhook` in the request.";
    KeyInFlight = "key-in-flight", CONFLICT, After(1),
        "A request with this idempotency key is on its way",
        "Send it again in a moment: it then gets the answer of the first one.";
    TooLarge = "too-large", PAYLOAD_TOO_LARGE, Never,
        "The request is larger than any job",
        "A text has at most 16 KiB, metadata 4 KiB, a batch 500 jobs.";
    MediaTypeRefused = "media-type-refused", UNSUPPORTED_MEDIA_TYPE, Never,
        "The body is not called JSON",
        "Send it with `Content-Type: application/json`.";
    KeyMismatch = "key-mismatch", UNPROCESSABLE_ENTITY, Never,
        "The idempotency key belongs to another request",
        "A key stands for one request. Use another key, or send the same request.";
    RateLimited = "rate-limited", TOO_MANY_REQUESTS, After(1),
        "The token has asked too often",
        "Wait as long as `Retry-After` says; the headers RateLimit and RateLimit-Policy tell what is left.";
    Internal = "internal", INTERNAL_SERVER_ERROR, After(5),
        "The server has made a mistake",
        "It stands in its log by `request_id`. Please report it.";
    SearchNotReady = "search-not-ready", SERVICE_UNAVAILABLE, After(2),
        "The server is still reading what it searches",
        "Try again: some seconds after its start it knows every job. Listings without a filter are answered at once.";
    QueueFull = "queue-full", SERVICE_UNAVAILABLE, After(30),
        "The queue's Redis is full",
        "Nothing was enqueued. Try again later; operators give it memory or let jobs end.";
    QueueAway = "queue-away", SERVICE_UNAVAILABLE, After(2),
        "The queue's Redis does not answer",
        "Try again: with an Idempotency-Key the job stays one, whatever became of the first try.";
    StoreAway = "store-away", SERVICE_UNAVAILABLE, After(5),
        "The store of the files does not answer",
        "Try again; operators look at STORAGE_URL and at its server.";
    NoStore = "no-store", SERVICE_UNAVAILABLE, Never,
        "This server knows no store",
        "Operators set STORAGE_URL as the workers have it.";
    TimedOut = "timed-out", GATEWAY_TIMEOUT, After(2),
        "The answer took too long",
        "Try again: with an Idempotency-Key the job stays one, whatever became of the first try.";
}

impl Code {
    pub(crate) fn is_retryable(self) -> bool {
        self.retry() != Never
    }

    pub(crate) fn retry_after(self) -> Option<u64> {
        match self.retry() {
            Never => None,
            After(seconds) => Some(seconds),
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }

    /// What a status means that axum or a layer has given.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::UnknownPath,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodRefused,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::MediaTypeRefused,
            status if status.is_client_error() => Self::InvalidRequest,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_addresses_and_stand_once() {
        let mut words: Vec<&str> = Code::ALL.into_iter().map(Code::as_str).collect();
        for code in Code::ALL {
            let word = code.as_str();
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{word}");
            assert_eq!(Code::parse(word), Some(code));
            assert!(!code.status().is_success(), "{word}");
        }
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Code::ALL.len());
    }
}
